// SPDX-License-Identifier: Apache-2.0
/* The kit's encryption against the reference values of handshake99. Needs no server. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { diffieHellman, ed25519Pair, verify, x25519Pair } from './kit/keys.js';
import {
	handshakeSalt, initiate, prekeyMessage, readPayload, respond, rootKey, signPrekey, writePayload,
} from './kit/handshake99.js';

const identity = ed25519Pair(Buffer.alloc(32, 1));
const signedPrekey = x25519Pair(Buffer.alloc(32, 2));
const oneTime = x25519Pair(Buffer.alloc(32, 3));
const ephemeral = x25519Pair(Buffer.alloc(32, 4));
const ids = { sessionId: 'deadbeef', initiatorDeviceId: 'a1b2c3d4e5f60708', responderDeviceId: '1122334455667788' };
const keyId = '0102030405060708';
const clientMessageId = '11111111-2222-3333-4444-555555555555';
const plaintext = Buffer.from('Hello, C6P!');

function bundle(hasOneTime = true) {
	return {
		responderDeviceId: ids.responderDeviceId,
		identityPublicKeyEd25519: identity.publicKey.toString('base64'),
		signedPrekeyId: keyId,
		signedPrekeyPublicKeyX25519: signedPrekey.publicKey.toString('base64'),
		signedPrekeySignature: signPrekey(identity, signedPrekey.publicKey).toString('base64'),
		oneTimePrekeyId: hasOneTime ? 'aaaaaaaaaaaaaaaa' : null,
		oneTimePrekeyPublicKeyX25519: hasOneTime ? oneTime.publicKey.toString('base64') : null,
	};
}

const start = (hasOneTime) => initiate(ids.initiatorDeviceId, bundle(hasOneTime), ephemeral, ids.sessionId);

test('derives the reference public keys', () => {
	assert.equal(identity.publicKey.toString('hex'), '8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c');
	assert.equal(signedPrekey.publicKey.toString('hex'), 'ce8d3ad1ccb633ec7b70c17814a5c76ecd029685050d344745ba05870e587d59');
	assert.equal(oneTime.publicKey.toString('hex'), '5dfedd3b6bd47f6fa28ee15d969d5bb0ea53774d488bdaf9df1c6e0124b3ef22');
	assert.equal(ephemeral.publicKey.toString('hex'), 'ac01b2209e86354fb853237b5de0f4fab13c7fcbf433a61c019369617fecf10b');
});

test('signs the 45-byte and the 53-byte message as the reference does', () => {
	assert.equal(prekeyMessage(signedPrekey.publicKey).length, 45);
	assert.equal(prekeyMessage(signedPrekey.publicKey, keyId).length, 53);
	assert.equal(signPrekey(identity, signedPrekey.publicKey).toString('hex'),
		'12953766e81a9bcea219320465f3036954ce59a10d4a778c173ab8a2fbf0d956'
		+ 'cb5c23612ea4ea7a308a7af22a44aed52f2321e2c91c3c827789ebdffe057b09');
	assert.equal(signPrekey(identity, signedPrekey.publicKey, keyId).toString('hex'),
		'57fe336eb85f69ad8beb869a5608b459c73ac2dc4ecf084d2e29631ad50d0d50'
		+ '9288ca1aa6209128a0c9263805ef28a7a458e95a6b1545a52e52e891004fb606');
	assert.ok(verify(identity.publicKey, prekeyMessage(signedPrekey.publicKey),
		signPrekey(identity, signedPrekey.publicKey)));
});

test('derives the reference salt and root key', () => {
	const salt = handshakeSalt(ids, ephemeral.publicKey, signedPrekey.publicKey, oneTime.publicKey);
	assert.equal(salt.toString('hex'), '2e5bf14bd86047e08c7fefaab104f2a73538100235bcf2ed49a68a34c6f1281c');
	const secret = Buffer.concat([diffieHellman(ephemeral, signedPrekey.publicKey),
		diffieHellman(ephemeral, oneTime.publicKey)]);
	assert.equal(rootKey(ids, secret, salt).toString('hex'),
		'1e995dd3aa00359faeecdb3785dab4f50f9979715b77eded4bbb1118a1e0186b');
});

test('encrypts the reference message with a one-time key', () => {
	const { conversation } = start(true);
	const { ciphertext, authTag } = conversation.encrypt(plaintext, clientMessageId);
	assert.equal(conversation.root.toString('hex'), '1e995dd3aa00359faeecdb3785dab4f50f9979715b77eded4bbb1118a1e0186b');
	assert.equal(ciphertext.toString('hex'), 'd04af5a2fd55c1e739ccdf');
	assert.equal(authTag.toString('hex'), '5123d801e5ab53eadc97516c81f76a0f');
});

test('encrypts the reference message without a one-time key', () => {
	const { conversation } = start(false);
	const { ciphertext, authTag } = conversation.encrypt(plaintext, clientMessageId);
	assert.equal(conversation.root.toString('hex'), 'f5c71c592663ab14c92b12952a4e7264fc3dcb4f4e61db1007f7874ab6cfaa57');
	assert.equal(ciphertext.toString('hex'), '9bbbf0596b23b122828b8d');
	assert.equal(authTag.toString('hex'), 'cd23b333a63f3da0638ef1a26651a952');
});

test('both sides read each other, message after message', () => {
	for (const hasOneTime of [true, false]) {
		const { offer, conversation: initiator } = start(hasOneTime);
		const responder = respond(JSON.parse(JSON.stringify(offer)), signedPrekey, hasOneTime ? oneTime : null);
		for (let round = 0; round < 3; round++) {
			for (const [from, to] of [[initiator, responder], [responder, initiator]]) {
				const id = `message-${round}`;
				const { ciphertext, authTag } = from.encrypt(writePayload(`zażółć ${round}`, id, null), id);
				assert.equal(readPayload(to.decrypt(ciphertext, authTag, id)).text, `zażółć ${round}`);
			}
		}
	}
});

test('notices a changed byte, a swapped message and another message id, and goes on after it', () => {
	const { offer, conversation: initiator } = start(true);
	const responder = respond(offer, signedPrekey, oneTime);
	const first = initiator.encrypt(plaintext, 'a');
	const second = initiator.encrypt(plaintext, 'b');
	const changed = Buffer.from(first.ciphertext);
	changed[0] ^= 1;
	assert.throws(() => responder.decrypt(changed, first.authTag, 'a'));
	assert.throws(() => responder.decrypt(second.ciphertext, second.authTag, 'b'));
	assert.throws(() => responder.decrypt(first.ciphertext, first.authTag, 'A'));
	assert.deepEqual(responder.decrypt(first.ciphertext, first.authTag, 'a'), plaintext);
	assert.deepEqual(responder.decrypt(second.ciphertext, second.authTag, 'b'), plaintext);
});

test('refuses a bundle whose signed prekey somebody else signed', () => {
	const forged = { ...bundle(), identityPublicKeyEd25519: ed25519Pair().publicKey.toString('base64') };
	assert.throws(() => initiate(ids.initiatorDeviceId, forged), /not signed by the identity key/);
});
