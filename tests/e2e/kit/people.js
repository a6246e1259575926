// SPDX-License-Identifier: Apache-2.0
/*
 * People with devices, keys and sessions: what nearly every test needs before it can begin.
 * Everything here goes through the public routes and asserts that they answered as they should.
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { ed25519Pair, x25519Pair } from './keys.js';
import { initiate, readPayload, respond, signPrekey, writePayload } from './handshake99.js';

const keyId = () => crypto.randomBytes(8).toString('hex');
const base64 = (buffer) => buffer.toString('base64');

export function assertStatus(answer, status) {
	assert.equal(answer.status, status, answer.text);
	return answer;
}

class Person {
	constructor(server, password, answer) {
		this.server = server;
		this.password = password;
		this.answer = answer;
		this.keys = null;
		Object.assign(this, answer);
	}

	request(options) {
		return this.server.http.request({ token: this.accessToken, ...options });
	}

	get(path) {
		return this.request({ method: 'GET', path });
	}

	delete(path) {
		return this.request({ method: 'DELETE', path });
	}

	post(path, body) {
		return this.request({ method: 'POST', path, body });
	}

	/** The same user on another device (none given: a new one). Asserts that it works. */
	async login(fields = {}) {
		const body = { convroNumber: this.convroNumber, password: this.password, ...fields };
		const answer = assertStatus(await this.server.http.post('/v1/auth/login', body), 200);
		const other = new Person(this.server, this.password, answer.body);
		if (other.deviceId === this.deviceId)
			other.keys = this.keys;
		return other;
	}

	/** Rotates the person's own tokens. */
	async refresh() {
		const { refreshToken } = this;
		const answer = assertStatus(await this.server.http.post('/v1/auth/refresh', { refreshToken }), 200);
		this.accessToken = answer.body.accessToken;
		this.refreshToken = answer.body.refreshToken;
		return answer;
	}

	/** A valid upload with `count` new one-time keys; the private halves are kept. */
	prekeyBody(count = 5) {
		this.keys ??= { identity: ed25519Pair(), signedPrekey: { keyId: keyId(), pair: x25519Pair() }, oneTime: new Map() };
		const { identity, signedPrekey, oneTime } = this.keys;
		const fresh = Array.from({ length: count }, () => ({ keyId: keyId(), pair: x25519Pair() }));
		for (const key of fresh)
			oneTime.set(key.keyId, key.pair);
		return {
			identity: { publicKeyEd25519: base64(identity.publicKey) },
			signedPrekey: {
				keyId: signedPrekey.keyId,
				publicKeyX25519: base64(signedPrekey.pair.publicKey),
				signatureEd25519: base64(signPrekey(identity, signedPrekey.pair.publicKey)),
			},
			oneTimePrekeys: fresh.map((key) => ({ keyId: key.keyId, publicKeyX25519: base64(key.pair.publicKey) })),
		};
	}

	async uploadPrekeys(count = 5, more = {}) {
		return assertStatus(await this.post('/v1/prekeys/upload', { ...this.prekeyBody(count), ...more }), 200);
	}

	bundle(peer, query = {}) {
		return this.get(`/v1/prekeys/bundle?${new URLSearchParams({ user_id: peer.userId, ...query })}`);
	}
}

export async function register(server, fields = {}) {
	const password = fields.password ?? 'correct horse battery';
	const answer = assertStatus(await server.http.post('/v1/auth/register', { ...fields, password }), 201);
	return new Person(server, password, answer.body);
}

/** One side of a session: encrypts what it sends, decrypts what it is given, in order. */
class End {
	constructor(person, session, peerDeviceId, conversation) {
		this.person = person;
		this.sessionId = session.sessionId;
		this.sessionDbId = session.sessionDbId;
		this.peerDeviceId = peerDeviceId;
		this.conversation = conversation;
	}

	/** A body for /v1/dm/messages/send; the counter moves on, so send what you seal. */
	seal(text, fields = {}) {
		const clientMessageId = fields.clientMessageId ?? crypto.randomUUID();
		const clientTimestamp = fields.clientTimestamp ?? new Date().toISOString();
		const sealed = this.conversation.encrypt(writePayload(text, clientMessageId, clientTimestamp), clientMessageId);
		return {
			sessionId: this.sessionId,
			recipientDeviceId: this.peerDeviceId,
			clientMessageId,
			clientTimestamp,
			ciphertext: base64(sealed.ciphertext),
			authTag: base64(sealed.authTag),
			...fields,
		};
	}

	async send(text, fields) {
		const sent = this.seal(text, fields);
		const answer = assertStatus(await this.person.post('/v1/dm/messages/send', sent), 201);
		return { answer, row: answer.body, sent };
	}

	read(row) {
		assert.equal(row.sessionId, this.sessionId);
		const plaintext = this.conversation.decrypt(Buffer.from(row.ciphertext, 'base64'),
			Buffer.from(row.authTag, 'base64'), row.clientMessageId);
		return readPayload(plaintext).text;
	}

	async history(query = {}) {
		const search = new URLSearchParams({ sessionId: this.sessionId, ...query });
		return assertStatus(await this.person.get(`/v1/dm/messages/history?${search}`), 200).body;
	}

	/** The whole history, oldest first. */
	async allRows() {
		const rows = [];
		for (let page, cursor = 0; !page || page.hasMore; cursor = page.nextAfterId) {
			page = await this.history({ direction: 'all', afterId: cursor, limit: 200 });
			rows.push(...page.messages);
		}
		return rows;
	}
}

/** Bundle and open; the session stays PENDING. With `anyDevice` the server chooses the responder's device. */
export async function openOnly(initiator, responder, { oneTime = true, anyDevice = false } = {}) {
	if (!responder.keys)
		await responder.uploadPrekeys(oneTime ? 5 : 0);
	const answer = await initiator.bundle(responder, anyDevice ? {} : { device_id: responder.deviceId });
	const bundle = assertStatus(answer, 200).body;
	const { offer, conversation } = initiate(initiator.deviceId, bundle);
	const body = { peerUserId: responder.userId, handshakeOffer: offer };
	const session = assertStatus(await initiator.post('/v1/dm/sessions/open', body), 201).body;
	assert.equal(session.state, 'PENDING');
	return {
		initiator: new End(initiator, session, responder.deviceId, conversation),
		sessionId: session.sessionId,
		sessionDbId: session.sessionDbId,
		offer,
		bundle,
	};
}

/** The responder's answer to a row of /v1/dm/sessions/incoming or a `dm.session.offer`. */
export async function accept(person, row) {
	const offer = row.handshakeOffer;
	const { signedPrekey, oneTime } = person.keys;
	assert.equal(offer.usedSignedPrekeyPublicKeyX25519, base64(signedPrekey.pair.publicKey));
	const oneTimePair = offer.usedOneTimePrekeyId ? oneTime.get(offer.usedOneTimePrekeyId) : null;
	assert.notEqual(oneTimePair, undefined, `the offer names a one-time key that was never uploaded: ${offer.usedOneTimePrekeyId}`);
	const conversation = respond(offer, signedPrekey.pair, oneTimePair);
	const answer = assertStatus(await person.post('/v1/dm/sessions/accept', { sessionDbId: row.sessionDbId }), 200);
	assert.equal(answer.body.state, 'ACTIVE');
	return new End(person, answer.body, offer.initiatorDeviceId, conversation);
}

export async function openSession(initiator, responder, options = {}) {
	const opened = await openOnly(initiator, responder, options);
	if (options.accept === false)
		return { ...opened, responder: null };
	const incoming = assertStatus(await responder.get('/v1/dm/sessions/incoming?limit=200'), 200).body.sessions;
	const row = incoming.find((session) => session.sessionDbId === opened.sessionDbId);
	assert.ok(row, 'the session is not among the incoming ones');
	return { ...opened, responder: await accept(responder, row) };
}
