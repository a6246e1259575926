// SPDX-License-Identifier: Apache-2.0
/* Wire contract, section 1, binary fields and hex ids: the same rules wherever bytes stand in JSON. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { openOnly, openSession, register } from './kit/people.js';
import { base64url, QUICK, randomHex } from './kit/contract.js';

let server;
let ala;
let bob;
let sessionId;
let fields; // name → { bytes, code, post(text), read(answer)? }
before(async () => {
	server = await startServer({ set: { ...QUICK, 'dm_sessions.pending_max': 1000, 'prekeys.prekey_signature': 'off' } });
	ala = await register(server);
	bob = await register(server);
	({ sessionId } = await openSession(ala, bob));
	fields = describeFields();
});
after(() => server?.stop());

const standard = (bytes) => Buffer.from(bytes).toString('base64');
/** Bytes whose base64 holds both `+` and `/` and, above 2 bytes, whatever the length. */
const telling = (length) => Buffer.from(Array.from({ length }, (_, i) => [0xfb, 0xef, 0xff][i % 3]));

function describeFields() {
	const message = (more) => ala.post('/v1/dm/messages/send', { sessionId, ciphertext: standard(telling(20)), authTag: standard(telling(16)), ...more });
	const offer = { version: 1, initiatorDeviceId: ala.deviceId, responderDeviceId: bob.deviceId,
		ephemeralPublicKeyX25519: standard(telling(32)), usedSignedPrekeyPublicKeyX25519: standard(telling(32)) };
	const open = (more) => ala.post('/v1/dm/sessions/open', { peerUserId: bob.userId, handshakeOffer: { ...offer, sessionId: randomHex(4), ...more } });
	const prekeys = bob.prekeyBody(0);
	const upload = (more) => bob.post('/v1/prekeys/upload', { ...prekeys, ...more });
	const signed = (more) => upload({ signedPrekey: { ...prekeys.signedPrekey, keyId: randomHex(8), ...more } });
	return {
		ciphertext: { bytes: [1, 2, 3, 20], code: 'INVALID_CIPHERTEXT', post: (ciphertext) => message({ ciphertext }), read: (answer) => answer.body.ciphertext },
		authTag: { bytes: [16], code: 'INVALID_AUTH_TAG', post: (authTag) => message({ authTag }), read: (answer) => answer.body.authTag },
		ephemeralPublicKeyX25519: { bytes: [32], code: 'INVALID_HANDSHAKE_OFFER', post: (key) => open({ ephemeralPublicKeyX25519: key }) },
		usedSignedPrekeyPublicKeyX25519: { bytes: [32], code: 'INVALID_HANDSHAKE_OFFER', post: (key) => open({ usedSignedPrekeyPublicKeyX25519: key }) },
		'signedPrekey.publicKeyX25519': { bytes: [32], code: 'INVALID_SIGNED_PREKEY', post: (key) => signed({ publicKeyX25519: key }) },
		'signedPrekey.signatureEd25519': { bytes: [64], code: 'INVALID_SIGNATURE', post: (signature) => signed({ signatureEd25519: signature }) },
		'oneTimePrekeys.publicKeyX25519': { bytes: [32], code: 'INVALID_ONE_TIME_PREKEY', post: (key) => upload({ oneTimePrekeys: [{ keyId: randomHex(8), publicKeyX25519: key }] }) },
	};
}

async function forEach(check) {
	for (const [name, field] of Object.entries(fields)) {
		for (const length of field.bytes)
			await check(field, standard(telling(length)), name);
	}
}

test('base64 and base64url, padded and not, are the same value', async () => {
	await forEach(async ({ post, read }, text, name) => {
		const bare = text.replace(/=+$/, '');
		const url = base64url(text);
		for (const spelled of [text, bare, url, url.padEnd(text.length, '=')]) {
			const answer = await post(spelled);
			assert.ok([200, 201].includes(answer.status), `${name} ${spelled}: ${answer.text}`);
			if (read)
				assert.equal(read(answer), text, 'emitted as padded standard base64');
		}
	});
});

test('mixed alphabets are refused', async () => {
	for (const { post, code, bytes } of Object.values(fields)) {
		if (bytes.some((length) => length < 3))
			continue; // too short to mix
		const text = standard(telling(bytes[0]));
		assert.match(text, /\+.*\//);
		assertError(await post(text.replace('+', '-')), 400, code);
		assertError(await post(text.replace('/', '_')), 400, code);
	}
	assertError(await fields.ciphertext.post('-+__'), 400, 'INVALID_CIPHERTEXT');
});

test('half a padding, and padding where none belongs, are refused', async () => {
	await forEach(async ({ post, code }, text) => {
		if (text.endsWith('=='))
			assertError(await post(text.slice(0, -1)), 400, code);
		assertError(await post(`${text}=`), 400, code);
		assertError(await post(`=${text}`), 400, code);
		assertError(await post(`${text.slice(0, 1)}=${text.slice(2)}`), 400, code);
	});
});

test('spare bits are zero', async () => {
	const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
	await forEach(async ({ post, code }, text) => {
		const bare = text.replace(/=+$/, '');
		if (bare.length === text.length)
			return; // no spare bits
		const last = alphabet.indexOf(bare.at(-1));
		const dirty = bare.slice(0, -1) + alphabet[last | 1];
		assert.notEqual(dirty, bare);
		assertError(await post(dirty), 400, code);
		assertError(await post(dirty.padEnd(text.length, '=')), 400, code);
	});
});

test('anything outside the alphabet is refused', async () => {
	await forEach(async ({ post, code }, text) => {
		for (const bad of [` ${text}`, `${text}\n`, `${text.slice(0, 2)} ${text.slice(2)}`, `${text.slice(0, 2)}\r\n${text.slice(2)}`, `${text.slice(0, 1)}*${text.slice(2)}`, `ż${text.slice(1)}`, 'A'])
			assertError(await post(bad), 400, code);
	});
});

test('a wrong length is refused', async () => {
	for (const { post, code, bytes } of Object.values(fields)) {
		if (bytes.length > 1)
			continue; // of no fixed length
		for (const length of [0, bytes[0] - 1, bytes[0] + 1])
			assertError(await post(standard(telling(length))), 400, code);
	}
});

test('hex ids are lowered wherever they come in', async () => {
	const upper = (text) => text.toUpperCase();
	const carol = await register(server, { deviceId: `ABCDEF${randomHex(5)}` });
	assert.match(carol.deviceId, /^abcdef[0-9a-f]{10}$/);
	const { sessionId: other, offer } = await openOnly(ala, carol);
	const repeated = { ...offer, sessionId: upper(offer.sessionId), initiatorDeviceId: upper(offer.initiatorDeviceId), responderDeviceId: upper(offer.responderDeviceId) };
	assertError(await ala.post('/v1/dm/sessions/open', { peerUserId: carol.userId, handshakeOffer: repeated }), 409, 'SESSION_ID_EXISTS');
	const sent = await ala.post('/v1/dm/messages/send', { sessionId: upper(other), recipientDeviceId: upper(carol.deviceId), ciphertext: 'AAAA', authTag: standard(telling(16)) });
	assert.equal(sent.status, 201, sent.text);
	assert.deepEqual([sent.body.sessionId, sent.body.recipientDeviceId], [other, carol.deviceId]);
});
