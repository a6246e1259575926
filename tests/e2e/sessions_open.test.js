// SPDX-License-Identifier: Apache-2.0
/* Wire contract: POST /v1/dm/sessions/open. TOO_MANY_PENDING_SESSIONS is in limits.test.js. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { accept, openOnly, register } from './kit/people.js';
import { x25519Pair } from './kit/keys.js';
import { assertAnswer, assertShape, base64url, is, QUICK, randomHex } from './kit/contract.js';

let server;
let ala;
let bob;
before(async () => {
	server = await startServer({ set: { ...QUICK, 'dm_sessions.pending_max': 1000 } });
	ala = await register(server);
	bob = await register(server);
});
after(() => server?.stop());

const open = (person, body) => person.post('/v1/dm/sessions/open', body);
const key = () => x25519Pair().publicKey.toString('base64');
const shape = {
	ok: is.exactly(true), sessionDbId: is.id, sessionId: is.hex8, responderUserId: is.id,
	responderDeviceId: is.hex16, state: is.exactly('PENDING'),
};

function offerTo(responder, initiator = ala, fields = {}) {
	return {
		version: 1,
		initiatorDeviceId: initiator.deviceId,
		responderDeviceId: responder.deviceId,
		sessionId: randomHex(4),
		ephemeralPublicKeyX25519: key(),
		usedSignedPrekeyPublicKeyX25519: key(),
		usedOneTimePrekeyId: null,
		...fields,
	};
}

const openTo = (responder, fields, initiator = ala) => open(initiator, { peerUserId: responder.userId, handshakeOffer: offerTo(responder, initiator, fields) });

/** The offer as the responder is given it: the text of the answer counts, not only its value. */
async function incomingText(person, sessionDbId) {
	const answer = await person.get(`/v1/dm/sessions/incoming?limit=1&afterId=${sessionDbId - 1}`);
	assert.equal(answer.body.sessions[0].sessionDbId, sessionDbId);
	return answer;
}

test('opens a session that waits for the responder', async () => {
	const offer = offerTo(bob);
	const body = assertAnswer(await open(ala, { peerUserId: bob.userId, handshakeOffer: offer }), 201, shape);
	assert.equal(body.sessionId, offer.sessionId);
	assert.equal(body.responderUserId, bob.userId);
	assert.equal(body.responderDeviceId, bob.deviceId);
});

test('the peer may be given as decimal text, and ids in upper case are lowered', async () => {
	const offer = offerTo(bob, ala, { sessionId: `AB${randomHex(3).toUpperCase()}` });
	offer.initiatorDeviceId = offer.initiatorDeviceId.toUpperCase();
	offer.responderDeviceId = offer.responderDeviceId.toUpperCase();
	const body = assertAnswer(await open(ala, { peerUserId: String(bob.userId), handshakeOffer: offer }), 201, shape);
	assert.equal(body.sessionId, offer.sessionId.toLowerCase());
	assert.equal(body.responderDeviceId, bob.deviceId);
});

test('keys are taken in both alphabets', async () => {
	const fields = { ephemeralPublicKeyX25519: base64url(key()), usedSignedPrekeyPublicKeyX25519: base64url(key()) };
	assertAnswer(await openTo(bob, fields), 201, shape);
});

test('the one-time key may be named, null or left out', async () => {
	for (const usedOneTimePrekeyId of [randomHex(8), randomHex(8).toUpperCase(), null, undefined])
		assertAnswer(await openTo(bob, { usedOneTimePrekeyId }), 201, shape);
});

test('the rest of the offer comes back as it was, in its order', async () => {
	const known = offerTo(bob);
	const { version, ...rest } = known;
	const text = `{"zulu":"last comes first","version":1,"alpha":{"b":[1,[],{}],"a":null},${JSON.stringify(rest).slice(1, -1)},`
		+ '"big":9223372036854775807,"small":-9223372036854775808,"beyond":18446744073709551616,"double":1.5,"tiny":1e-7,"yes":true,"no":false,'
		+ '"text":"żółw \\" \\\\ / \\u0001 \\ud83d\\ude00","":"empty name","10":1,"9":2}';
	assert.equal(version, 1);
	const answer = await ala.request({ method: 'POST', path: '/v1/dm/sessions/open', body: `{"peerUserId":${bob.userId},"handshakeOffer":${text}}` });
	const { sessionDbId } = assertAnswer(answer, 201, shape);
	const incoming = await incomingText(bob, sessionDbId);
	assert.deepEqual(incoming.body.sessions[0].handshakeOffer, JSON.parse(text));
	assert.match(incoming.text, /"big": ?9223372036854775807\b/);
	assert.match(incoming.text, /"small": ?-9223372036854775808\b/);
	const names = ['zulu', 'version', 'alpha', ...Object.keys(rest), 'big', 'small', 'beyond', 'double', 'tiny', 'yes', 'no', 'text', '', '10', '9'];
	const places = names.map((name) => incoming.text.indexOf(`"${name}":`, incoming.text.indexOf('"handshakeOffer"') + 17));
	assert.equal(places.includes(-1), false);
	assert.deepEqual(places, [...places].sort((a, b) => a - b));
});

test('each named field of the offer is checked', async () => {
	const bad = {
		version: [undefined, null, 2, 0, '1', 1.5],
		initiatorDeviceId: [undefined, null, '', 'xyz', 5],
		responderDeviceId: [undefined, null, '', 'xyz', '0123456789abcdef0'],
		sessionId: [undefined, null, '', 'xyz', '1234567', '123456789', 12345678],
		ephemeralPublicKeyX25519: [undefined, null, '', '****', Buffer.alloc(31, 7).toString('base64'), Buffer.alloc(33, 7).toString('base64')],
		usedSignedPrekeyPublicKeyX25519: [undefined, null, '', '****', Buffer.alloc(31, 7).toString('base64')],
		usedOneTimePrekeyId: ['', 'xyz', '0123456789abcde'],
	};
	for (const [name, values] of Object.entries(bad)) {
		for (const value of values)
			assertError(await openTo(bob, { [name]: value }), 400, 'INVALID_HANDSHAKE_OFFER');
	}
	for (const handshakeOffer of [undefined, null, 'x', [], 5])
		assertError(await open(ala, { peerUserId: bob.userId, handshakeOffer }), 400, 'INVALID_HANDSHAKE_OFFER');
});

test('the peer is a positive integer', async () => {
	for (const peerUserId of [undefined, null, 0, -1, 1.5, 'abc', '', {}, true, 9007199254740992])
		assertError(await open(ala, { peerUserId, handshakeOffer: offerTo(bob) }), 400, 'INVALID_PEER');
});

test("the initiator is the token's device", async () => {
	const second = await ala.login();
	assertError(await openTo(bob, { initiatorDeviceId: second.deviceId }), 403, 'INITIATOR_DEVICE_MISMATCH');
	assertError(await openTo(bob, { initiatorDeviceId: randomHex(8) }), 403, 'INITIATOR_DEVICE_MISMATCH');
});

test('a session with oneself is refused, one between two own devices is not', async () => {
	assertError(await openTo(ala), 400, 'INVALID_PEER');
	const second = await ala.login();
	assertAnswer(await openTo(second), 201, shape);
});

test('a responder device that is unknown or not of the peer is not found', async () => {
	const carol = await register(server);
	assertError(await openTo(bob, { responderDeviceId: randomHex(8) }), 404, 'RESPONDER_DEVICE_NOT_FOUND');
	assertError(await openTo(bob, { responderDeviceId: carol.deviceId }), 404, 'RESPONDER_DEVICE_NOT_FOUND');
	const nobody = bob.userId === 1 ? 2 : bob.userId - 1;
	assertError(await open(ala, { peerUserId: nobody, handshakeOffer: offerTo(bob) }), 404, 'RESPONDER_DEVICE_NOT_FOUND');
});

test('the signed prekey of the offer need not be the current one', async () => {
	const carol = await register(server);
	await carol.uploadPrekeys();
	assertAnswer(await openTo(carol, { usedSignedPrekeyPublicKeyX25519: key() }), 201, shape);
});

test('a session id is taken when either device used it, in either role', async () => {
	const [carol, dave] = [await register(server), await register(server)];
	const { sessionId } = assertAnswer(await openTo(carol), 201, shape);
	assertError(await openTo(carol, { sessionId }), 409, 'SESSION_ID_EXISTS');
	assertError(await openTo(dave, { sessionId: sessionId.toUpperCase() }), 409, 'SESSION_ID_EXISTS');
	assertError(await openTo(ala, { sessionId }, carol), 409, 'SESSION_ID_EXISTS');
	assertError(await openTo(dave, { sessionId }, carol), 409, 'SESSION_ID_EXISTS');
	assertError(await openTo(carol, { sessionId }, dave), 409, 'SESSION_ID_EXISTS');
});

test('other pairs may use the same session id', async () => {
	const [carol, dave] = [await register(server), await register(server)];
	const { sessionId } = assertAnswer(await openTo(bob), 201, shape);
	assert.equal(assertAnswer(await openTo(dave, { sessionId }, carol), 201, shape).sessionId, sessionId);
});

test('the same offer again tells the initiator that it is the same', async () => {
	const offer = offerTo(bob, ala, { note: { deep: [1, 2.5, 'x'] } });
	const first = assertAnswer(await open(ala, { peerUserId: bob.userId, handshakeOffer: offer }), 201, shape);
	const again = assertError(await open(ala, { peerUserId: bob.userId, handshakeOffer: offer }), 409, 'SESSION_ID_EXISTS').body;
	assert.equal(again.identical, true);
	assert.equal(again.sessionDbId, first.sessionDbId);
	assert.equal(again.state, 'PENDING');
});

test('the same offer after the accept tells the state', async () => {
	const carol = await register(server);
	const { offer, sessionDbId } = await openOnly(ala, carol);
	await accept(carol, { sessionDbId, handshakeOffer: offer });
	const again = assertError(await open(ala, { peerUserId: carol.userId, handshakeOffer: offer }), 409, 'SESSION_ID_EXISTS').body;
	assert.deepEqual([again.identical, again.sessionDbId, again.state], [true, sessionDbId, 'ACTIVE']);
});

test('another offer of the same id, or the same from the other side, is not told to be identical', async () => {
	const offer = offerTo(bob);
	assertAnswer(await open(ala, { peerUserId: bob.userId, handshakeOffer: offer }), 201, shape);
	const changed = { ...offer, ephemeralPublicKeyX25519: key() };
	for (const [person, peer, handshakeOffer] of [[ala, bob, changed], [ala, bob, { ...offer, more: 1 }],
		[bob, ala, { ...offer, initiatorDeviceId: bob.deviceId, responderDeviceId: ala.deviceId }]]) {
		const { body } = assertError(await open(person, { peerUserId: peer.userId, handshakeOffer }), 409, 'SESSION_ID_EXISTS');
		assert.notEqual(body.identical, true);
	}
});

test('an offer of more than 16 KiB as sent is too large', async () => {
	const offer = offerTo(bob);
	const padTo = (bytes) => ({ ...offer, pad: 'x'.repeat(bytes - Buffer.byteLength(JSON.stringify({ ...offer, pad: '' }))) });
	assertError(await open(ala, { peerUserId: bob.userId, handshakeOffer: padTo(16385) }), 413, 'HANDSHAKE_OFFER_TOO_LARGE');
	assertAnswer(await open(ala, { peerUserId: bob.userId, handshakeOffer: padTo(16384) }), 201, shape);
});

test('of one session id opened by both sides at once exactly one session comes to be', async () => {
	const [carol, dave] = [await register(server), await register(server)];
	const sessionId = randomHex(4);
	const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => (i % 2 ? openTo(carol, { sessionId }, dave) : openTo(dave, { sessionId }, carol))));
	assert.equal(answers.filter((answer) => answer.status === 201).length, 1);
	for (const answer of answers.filter((one) => one.status !== 201))
		assertError(answer, 409, 'SESSION_ID_EXISTS');
	const rows = [];
	for (const person of [carol, dave])
		rows.push(...(await person.get('/v1/dm/sessions/incoming')).body.sessions);
	assert.equal(rows.length, 1);
	assertShape(rows[0].handshakeOffer, Object.fromEntries(Object.keys(offerTo(bob)).map((name) => [name, () => true])));
});

test('a token is needed', async () => {
	assertError(await server.http.post('/v1/dm/sessions/open', {}), 401, 'UNAUTHORIZED');
});
