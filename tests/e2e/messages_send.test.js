// SPDX-License-Identifier: Apache-2.0
/* Wire contract: POST /v1/dm/messages/send. PEER_GONE is in devices_remove.test.js, push in the realtime tests. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { accept, openOnly, openSession, register } from './kit/people.js';
import { assertAnswer, assertShape, base64url, is, messageRow, QUICK, randomHex } from './kit/contract.js';

let server;
let ala;
let bob;
let session; // ACTIVE, ala is its initiator
before(async () => {
	server = await startServer({ set: QUICK });
	ala = await register(server);
	bob = await register(server);
	session = await openSession(ala, bob);
});
after(() => server?.stop());

const random = (bytes) => crypto.randomBytes(bytes).toString('base64');
const shape = { ok: is.exactly(true), deduped: is.boolean, ...messageRow };

/** Canonical minimum; the server cannot tell it from a real encryption. */
const message = (fields = {}) => ({ sessionId: session.sessionId, ciphertext: random(24), authTag: random(16), ...fields });
const send = (person, fields) => person.post('/v1/dm/messages/send', message(fields));

async function sent(person, fields, status = 201) {
	const row = assertAnswer(await send(person, fields), status, shape);
	assert.equal(row.deduped, status === 200);
	return row;
}

test('the answer is the row, with every id in the type the clients decode', async () => {
	const fields = { ciphertext: random(40), authTag: random(16), clientMessageId: crypto.randomUUID(), clientTimestamp: '2026-01-31T12:34:56.789Z' };
	const row = await sent(ala, { ...fields, recipientDeviceId: bob.deviceId });
	for (const [name, value] of Object.entries(fields))
		assert.equal(row[name], value);
	assert.equal(row.id, row.messageId);
	assert.equal(row.serverMessageId, String(row.id));
	assert.equal(row.c6pVersion, 1);
	assert.equal(row.senderUserId, String(ala.userId));
	assert.equal(row.senderDeviceId, ala.deviceId);
	assert.equal(row.recipientUserId, String(bob.userId));
	assert.equal(row.recipientDeviceId, bob.deviceId);
	assert.equal(row.deliveryState, 'PENDING');
	const { messages } = await session.responder.history({ limit: 1 });
	const { ok, deduped, ...stored } = row;
	assert.deepEqual(messages, [stored]);
});

test('id, recipient and time of the client are optional', async () => {
	const nothing = { clientMessageId: null, clientTimestamp: null, clientTimestampMs: null, recipientDeviceId: null, c6pVersion: null };
	for (const fields of [{}, nothing]) {
		const row = await sent(bob, fields);
		assert.equal(row.clientMessageId, null);
		assert.equal(row.clientTimestamp, null);
		assert.equal(row.recipientDeviceId, ala.deviceId);
	}
});

test('messages without id are never taken for repeats', async () => {
	const same = message();
	const [first, second] = [await sent(ala, same), await sent(ala, same)];
	assert.ok(second.id > first.id);
});

test('ids ascend', async () => {
	const ids = [];
	for (let i = 0; i < 10; i++)
		ids.push((await sent(i % 2 ? ala : bob)).id);
	assert.deepEqual(ids, [...ids].sort((a, b) => a - b));
	assert.equal(new Set(ids).size, 10);
});

test('the initiator may send while the session is pending, the responder may not', async () => {
	const carol = await register(server);
	const opened = await openOnly(ala, carol);
	const { sessionId } = opened;
	await sent(ala, { sessionId });
	assertError(await send(carol, { sessionId }), 409, 'SESSION_NOT_ACTIVE');
	await accept(carol, { sessionDbId: opened.sessionDbId, handshakeOffer: opened.offer });
	await sent(carol, { sessionId });
});

test("the recipient is the session's other device", async () => {
	const otherDevice = await bob.login();
	for (const recipientDeviceId of [ala.deviceId, otherDevice.deviceId, randomHex(8)])
		assertError(await send(ala, { recipientDeviceId }), 400, 'RECIPIENT_MISMATCH');
	await sent(ala, { recipientDeviceId: bob.deviceId.toUpperCase() });
});

test("a session of other devices is not found, the user's other device included", async () => {
	const [otherDevice, stranger] = [await bob.login(), await register(server)];
	for (const person of [otherDevice, stranger])
		assertError(await send(person), 404, 'SESSION_NOT_FOUND');
	assertError(await send(ala, { sessionId: randomHex(4) }), 404, 'SESSION_NOT_FOUND');
});

test('the session id is taken in either case', async () => {
	assert.equal((await sent(ala, { sessionId: session.sessionId.toUpperCase() })).sessionId, session.sessionId);
});

test('a repeat is the first row, 200 and stored once', async () => {
	const same = message({ clientMessageId: crypto.randomUUID(), clientTimestamp: '2026-01-31T12:34:56.000Z' });
	const first = await sent(ala, same);
	for (const again of [same, { ...same, clientTimestamp: '2027-01-01T00:00:00.000Z' }, { ...same, ciphertext: base64url(same.ciphertext) }])
		assert.deepEqual(await sent(ala, again, 200), { ...first, deduped: true });
	const { messages } = await session.responder.history({ afterId: first.id - 1 });
	assert.equal(messages.filter((row) => row.clientMessageId === same.clientMessageId).length, 1);
});

test('an id with another ciphertext or tag is refused', async () => {
	const same = message({ clientMessageId: crypto.randomUUID() });
	const first = await sent(ala, same);
	for (const changed of [{ ciphertext: random(24) }, { authTag: random(16) }, { ciphertext: random(25) }])
		assertError(await send(ala, { ...same, ...changed }), 409, 'CLIENT_MESSAGE_ID_REUSED');
	assert.equal((await sent(ala, same, 200)).id, first.id);
});

test('the other side and another session may use the same id', async () => {
	const other = await openSession(ala, await register(server));
	const clientMessageId = crypto.randomUUID();
	const ids = [await sent(ala, { clientMessageId }), await sent(bob, { clientMessageId }), await sent(ala, { clientMessageId, sessionId: other.sessionId })];
	assert.equal(new Set(ids.map((row) => row.id)).size, 3);
});

test('clientMessageId comes back byte for byte', async () => {
	const uuid = crypto.randomUUID();
	for (const clientMessageId of ['x', ' ', uuid.toUpperCase(), uuid.replaceAll('-', ''), 'zażółć 😀', 'cafe\u0301', 'caf\u00e9', '"\\\u0001\u007f\u2028', '😀'.repeat(64),
		'1'.repeat(64), '\ufeffx', 'a/b+c=']) {
		const row = await sent(ala, { clientMessageId });
		assert.equal(row.clientMessageId, clientMessageId);
		const { messages: [stored] } = await session.responder.history({ afterId: row.id - 1, limit: 1 });
		assert.equal(stored.clientMessageId, clientMessageId);
	}
});

test('clientMessageId has 1 to 64 code points', async () => {
	for (const clientMessageId of ['', 'x'.repeat(65), '😀'.repeat(65), 5, {}, []])
		assertError(await send(ala, { clientMessageId }), 400, 'INVALID_CLIENT_MESSAGE_ID', 'clientMessageId');
});

test('the time of the client comes back in one form', async () => {
	const forms = {
		'2026-01-31T12:34:56.789Z': '2026-01-31T12:34:56.789Z',
		'2026-01-31T12:34:56Z': '2026-01-31T12:34:56.000Z',
		'2026-01-31T12:34:56.5Z': '2026-01-31T12:34:56.500Z',
		'2026-01-31T12:34:56.123400Z': '2026-01-31T12:34:56.123Z',
		'2026-01-31T13:34:56+01:00': '2026-01-31T12:34:56.000Z',
		'2024-02-29T23:59:59.000-05:30': '2024-03-01T05:29:59.000Z',
	};
	for (const [given, expected] of Object.entries(forms))
		assert.equal((await sent(ala, { clientTimestamp: given })).clientTimestamp, expected);
});

test('milliseconds are taken too, and the ISO form wins', async () => {
	const clientTimestampMs = Date.UTC(2026, 0, 31, 12, 34, 56, 789);
	assert.equal((await sent(ala, { clientTimestampMs })).clientTimestamp, '2026-01-31T12:34:56.789Z');
	const both = { clientTimestampMs, clientTimestamp: '2001-02-03T04:05:06.000Z' };
	assert.equal((await sent(ala, both)).clientTimestamp, both.clientTimestamp);
});

test('a malformed time has its own code', async () => {
	for (const clientTimestamp of ['', 'yesterday', '2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-31', '2026-01-31T25:00:00Z', 5, {}])
		assertError(await send(ala, { clientTimestamp }), 400, 'INVALID_CLIENT_TIMESTAMP');
	for (const clientTimestampMs of ['soon', {}, 1.5, true])
		assertError(await send(ala, { clientTimestampMs }), 400, 'INVALID_CLIENT_TIMESTAMP');
});

test('c6pVersion comes back, and must be an integer', async () => {
	assert.equal((await sent(ala, { c6pVersion: 2 })).c6pVersion, 2);
	for (const c6pVersion of ['x', 1.5, {}])
		assertError(await send(ala, { c6pVersion }), 400, 'INVALID_BODY', 'c6pVersion');
});

test('a ciphertext has 1 byte to 64 KiB', async () => {
	for (const bytes of [1, 65536]) {
		const ciphertext = random(bytes);
		assert.equal((await sent(ala, { ciphertext })).ciphertext, ciphertext);
	}
	assertError(await send(ala, { ciphertext: random(65537) }), 413, 'MESSAGE_TOO_LARGE');
	for (const ciphertext of [undefined, null, '', 5, {}, '****', 'A'])
		assertError(await send(ala, { ciphertext }), 400, 'INVALID_CIPHERTEXT', 'ciphertext');
});

test('an authTag has 16 bytes', async () => {
	for (const authTag of [undefined, null, '', random(15), random(17), '****', 5])
		assertError(await send(ala, { authTag }), 400, 'INVALID_AUTH_TAG', 'authTag');
});

test('base64url comes back as standard base64', async () => {
	const [ciphertext, authTag] = [Buffer.alloc(17, 0xfb).toString('base64'), Buffer.alloc(16, 0xff).toString('base64')];
	const row = await sent(ala, { ciphertext: base64url(ciphertext), authTag: base64url(authTag) });
	assert.equal(row.ciphertext, ciphertext);
	assert.equal(row.authTag, authTag);
});

test('a malformed session id has its own code', async () => {
	for (const sessionId of [undefined, null, '', 'xyz', '1234567', '123456789', 12345678, {}])
		assertError(await send(ala, { sessionId }), 400, 'INVALID_SESSION_ID', 'sessionId');
});

test('what two real clients encrypt arrives unaltered in both directions', async () => {
	const { initiator, responder } = await openSession(await register(server), await register(server));
	for (let i = 0; i < 5; i++) {
		assert.equal(responder.read((await initiator.send(`there ${i}`)).row), `there ${i}`);
		assert.equal(initiator.read((await responder.send(`back ${i}`)).row), `back ${i}`);
	}
	for (const row of (await initiator.history({ direction: 'all' })).messages)
		assertShape(row, messageRow);
});

test('a token is needed', async () => {
	assertError(await server.http.post('/v1/dm/messages/send', {}), 401, 'UNAUTHORIZED');
});
