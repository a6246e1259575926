// SPDX-License-Identifier: Apache-2.0
/*
 * handshake99, the clients' end-to-end encryption. The server never does any of this: it relays.
 * It is written out in full so that the tests send what real clients send: a server that swaps two
 * messages or alters one byte makes decryption fail here, as it would on a telephone.
 * Checked against reference values in handshake99.test.js.
 */
import crypto from 'node:crypto';
import { diffieHellman, sign, verify, x25519Pair } from './keys.js';

const ONE = Buffer.from([1]); // protocol version, suite and c6pVersion are all 1
const MESSAGE = Buffer.from([1]); // the only message type so far
const NO_SALT = Buffer.alloc(32);
const KDF = 'C6P_KDF_HKDFSHA256_V1';

export const INITIATOR_STREAM = 1; // initiator to responder
export const RESPONDER_STREAM = 2;

const join = (...parts) => Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'ascii') : part)));
const hex = (text) => Buffer.from(text, 'hex');
const sha256 = (data) => crypto.createHash('sha256').update(data).digest();
const hkdf = (secret, salt, info, length) => Buffer.from(crypto.hkdfSync('sha256', secret, salt, info, length));

function bigEndian(number, bytes) {
	const out = Buffer.alloc(8);
	out.writeBigUInt64BE(BigInt(number));
	return out.subarray(8 - bytes);
}

/** The 45-byte message, or with a key id the 53-byte one. */
export function prekeyMessage(signedPrekeyPublic, keyId) {
	return join('C6P_PREKEY_V1', keyId ? hex(keyId) : Buffer.alloc(0), signedPrekeyPublic);
}

export function signPrekey(identity, signedPrekeyPublic, keyId) {
	return sign(identity, prekeyMessage(signedPrekeyPublic, keyId));
}

/** Step 4. `ids` = { sessionId, initiatorDeviceId, responderDeviceId }, as hex. */
export function handshakeSalt(ids, ephemeralPublic, signedPrekeyPublic, oneTimePublic) {
	return sha256(join('C6P_HANDSHAKE99_V1', ONE, ONE, hex(ids.sessionId),
		hex(ids.initiatorDeviceId), hex(ids.responderDeviceId), ephemeralPublic, signedPrekeyPublic,
		oneTimePublic ? join(ONE, oneTimePublic) : Buffer.from([0])));
}

/** Step 5. `secret` is the agreed input key material of step 3. */
export function rootKey(ids, secret, salt) {
	return hkdf(secret, salt, join('C6P_ROOT_KEY_V1', ONE, 'C6P_DH_X25519_V1', KDF,
		hex(ids.sessionId), hex(ids.initiatorDeviceId), hex(ids.responderDeviceId)), 32);
}

/** One direction of a session. Sender and receiver hold equal ones and step them in the same order. */
class Stream {
	constructor(ids, root, number) {
		this.sessionId = hex(ids.sessionId);
		this.number = Buffer.from([number]);
		const devices = [hex(ids.initiatorDeviceId), hex(ids.responderDeviceId)];
		this.devices = number === INITIATOR_STREAM ? devices : devices.reverse(); // sender, recipient
		this.counter = 0;
		this.chain = hkdf(root, NO_SALT, join('C6P_CHAIN_KEY_V1', ONE, KDF, this.sessionId,
			hex(ids.initiatorDeviceId), hex(ids.responderDeviceId), this.number), 32);
	}

	/** Key, nonce and authenticated data of the message at the counter; does not move on. */
	prepare(clientMessageId) {
		const counter = bigEndian(this.counter, 8);
		const step = hkdf(this.chain, NO_SALT, join('C6P_CHAIN_STEP_V1', ONE, KDF, this.sessionId,
			this.number, MESSAGE, counter), 64);
		return {
			key: step.subarray(0, 32),
			nextChain: step.subarray(32),
			nonce: join(this.sessionId, this.number, MESSAGE, bigEndian(this.counter, 6)),
			aad: join(ONE, ONE, this.sessionId, this.number, MESSAGE, counter, ONE, ONE, this.sessionId,
				...this.devices, sha256(Buffer.from(clientMessageId, 'utf8')).subarray(0, 16)),
		};
	}

	advance(step) {
		this.chain = step.nextChain;
		this.counter += 1;
	}
}

const cipherOptions = { authTagLength: 16 };

/** Both directions of a session as one of its two devices sees them. */
export class Conversation {
	constructor(ids, root, isInitiator) {
		const [sending, receiving] = isInitiator
			? [INITIATOR_STREAM, RESPONDER_STREAM] : [RESPONDER_STREAM, INITIATOR_STREAM];
		this.ids = ids;
		this.root = root;
		this.sending = new Stream(ids, root, sending);
		this.receiving = new Stream(ids, root, receiving);
	}

	/** Buffers { ciphertext, authTag } of the next message sent. */
	encrypt(plaintext, clientMessageId) {
		const step = this.sending.prepare(clientMessageId);
		const cipher = crypto.createCipheriv('chacha20-poly1305', step.key, step.nonce, cipherOptions);
		cipher.setAAD(step.aad, { plaintextLength: plaintext.length });
		const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
		this.sending.advance(step);
		return { ciphertext, authTag: cipher.getAuthTag() };
	}

	/** The next message received. Throws when it is not exactly that one; the counter stays then. */
	decrypt(ciphertext, authTag, clientMessageId) {
		const step = this.receiving.prepare(clientMessageId);
		const decipher = crypto.createDecipheriv('chacha20-poly1305', step.key, step.nonce, cipherOptions);
		decipher.setAAD(step.aad, { plaintextLength: ciphertext.length });
		decipher.setAuthTag(authTag);
		const plaintext = Buffer.concat([decipher.update(ciphertext), decipher.final()]);
		this.receiving.advance(step);
		return plaintext;
	}
}

function conversation(ids, secrets, publics, isInitiator) {
	const salt = handshakeSalt(ids, publics.ephemeral, publics.signedPrekey, publics.oneTime);
	return new Conversation(ids, rootKey(ids, Buffer.concat(secrets), salt), isInitiator);
}

const decode = (base64) => Buffer.from(base64, 'base64'); // takes base64url too

/**
 * The initiator's half: verifies the bundle of GET /v1/prekeys/bundle and answers { offer, conversation }.
 * Key and session id can be given for the reference values; they are drawn otherwise.
 */
export function initiate(initiatorDeviceId, bundle, ephemeral = x25519Pair(),
	sessionId = crypto.randomBytes(4).toString('hex')) {
	const signedPrekey = decode(bundle.signedPrekeyPublicKeyX25519);
	const identity = decode(bundle.identityPublicKeyEd25519);
	const signature = decode(bundle.signedPrekeySignature);
	const isGenuine = [prekeyMessage(signedPrekey), prekeyMessage(signedPrekey, bundle.signedPrekeyId)]
		.some((message) => verify(identity, message, signature));
	if (!isGenuine)
		throw new Error('the signed prekey is not signed by the identity key');

	const oneTime = bundle.oneTimePrekeyPublicKeyX25519 ? decode(bundle.oneTimePrekeyPublicKeyX25519) : null;
	const ids = { sessionId, initiatorDeviceId, responderDeviceId: bundle.responderDeviceId };
	const secrets = [diffieHellman(ephemeral, signedPrekey)];
	if (oneTime)
		secrets.push(diffieHellman(ephemeral, oneTime));

	return {
		offer: {
			version: 1,
			...ids,
			ephemeralPublicKeyX25519: ephemeral.publicKey.toString('base64'),
			usedSignedPrekeyPublicKeyX25519: signedPrekey.toString('base64'),
			usedOneTimePrekeyId: bundle.oneTimePrekeyId,
		},
		conversation: conversation(ids, secrets, { ephemeral: ephemeral.publicKey, signedPrekey, oneTime }, true),
	};
}

/** The responder's half; the pairs are those the offer names, `oneTime` null when it names none. */
export function respond(offer, signedPrekey, oneTime = null) {
	const ephemeral = decode(offer.ephemeralPublicKeyX25519);
	const secrets = [diffieHellman(signedPrekey, ephemeral)];
	if (oneTime)
		secrets.push(diffieHellman(oneTime, ephemeral));
	return conversation(offer, secrets,
		{ ephemeral, signedPrekey: signedPrekey.publicKey, oneTime: oneTime?.publicKey ?? null }, false);
}

/** Step 11: what the clients put into the ciphertext. */
export function writePayload(text, clientMessageId, clientTimestamp) {
	return Buffer.from(JSON.stringify({ payloadVersion: 1, context: 'DM', kind: 'MESSAGE', clientMessageId,
		clientTimestamp, body: Buffer.from(text, 'utf8').toString('base64') }));
}

export function readPayload(plaintext) {
	const payload = JSON.parse(plaintext.toString('utf8'));
	return { ...payload, text: decode(payload.body).toString('utf8') };
}
