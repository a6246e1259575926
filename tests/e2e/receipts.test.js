// SPDX-License-Identifier: Apache-2.0
/* Wire contract: POST /v1/dm/messages/receipts, and its alias /v1/dm/receipts. The events are in the realtime tests. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { database, startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { openSession, register } from './kit/people.js';
import { assertAnswer, is, QUICK } from './kit/contract.js';

const CANONICAL = '/v1/dm/messages/receipts';
const ALIAS = '/v1/dm/receipts';
let server;
let ala;
let bob;
let session;
before(async () => {
	server = await startServer({ set: QUICK });
	ala = await register(server);
	bob = await register(server);
	session = await openSession(ala, bob);
});
after(() => server?.stop());

const shape = { ok: is.exactly(true), updated: is.count };

async function rowsToBob(count) {
	const rows = [];
	for (let i = 0; i < count; i++)
		rows.push((await session.initiator.send(`message ${i}`)).row.id);
	return rows;
}

async function receipt(person, body, updated, path = CANONICAL) {
	assert.equal(assertAnswer(await person.post(path, body), 200, shape).updated, updated);
}

async function stateOf(id) {
	const { messages } = await session.initiator.history({ afterId: id - 1, direction: 'all', limit: 1 });
	return messages[0].deliveryState;
}

test('a message goes from PENDING over DELIVERED to READ, and repeats update nothing', async () => {
	const [messageId] = await rowsToBob(1);
	assert.equal(await stateOf(messageId), 'PENDING');
	for (const status of ['DELIVERED', 'READ']) {
		await receipt(bob, { messageId, status }, 1);
		assert.equal(await stateOf(messageId), status);
		await receipt(bob, { messageId, status }, 0);
	}
});

test('READ implies DELIVERED and is never downgraded', async () => {
	const [messageId] = await rowsToBob(1);
	await receipt(bob, { messageId, status: 'READ' }, 1);
	await receipt(bob, { messageId, status: 'DELIVERED' }, 0);
	assert.equal(await stateOf(messageId), 'READ');
	const { query } = await database(server);
	const stored = await query(`SELECT count(*), count(delivered_at), count(read_at) FROM message_receipts WHERE message_id = ${messageId}`);
	assert.deepEqual(stored, [['1', '1', '1']]);
});

test('the alias does the same', async () => {
	const [messageId, ...messageIds] = await rowsToBob(3);
	await receipt(bob, { messageId, status: 'READ' }, 1, ALIAS);
	await receipt(bob, { messageIds, status: 'DELIVERED' }, 2, ALIAS);
	assertError(await bob.post(ALIAS, { messageId, status: 'SEEN' }), 400, 'INVALID_STATUS');
	assert.equal(await stateOf(messageId), 'READ');
});

test('an id may be decimal text, alone and in a list', async () => {
	const [first, second] = await rowsToBob(2);
	await receipt(bob, { messageId: String(first), status: 'READ' }, 1);
	await receipt(bob, { messageIds: [String(second), first], status: 'READ' }, 1);
});

test('in a batch doubles count once, and foreign, unknown and done ids are skipped', async () => {
	const [first, second, third] = await rowsToBob(3);
	const { row: own } = await session.responder.send('from bob');
	await receipt(bob, { messageId: third, status: 'READ' }, 1);
	const messageIds = [first, second, first, own.id, Number.MAX_SAFE_INTEGER, third, second];
	await receipt(bob, { messageIds, status: 'DELIVERED' }, 2);
	assert.equal(await stateOf(own.id), 'PENDING');
	assert.equal(await stateOf(third), 'READ');
	await receipt(bob, { messageIds: [own.id], status: 'READ' }, 0);
});

test('200 ids are taken at once, one more is refused', async () => {
	const some = await rowsToBob(5);
	const messageIds = [...some, ...Array.from({ length: 195 }, (_, i) => Number.MAX_SAFE_INTEGER - i)];
	assertError(await bob.post(CANONICAL, { messageIds: [...messageIds, 1], status: 'READ' }), 400, 'INVALID_MESSAGE_ID');
	await receipt(bob, { messageIds, status: 'READ' }, 5);
});

test("a single message to another device is refused: the sender's, a stranger's, the user's other device's", async () => {
	const [messageId] = await rowsToBob(1);
	for (const person of [ala, await register(server), await bob.login()])
		assertError(await person.post(CANONICAL, { messageId, status: 'READ' }), 403, 'NOT_MESSAGE_RECIPIENT');
	assert.equal(await stateOf(messageId), 'PENDING');
});

test('a single unknown message is not found', async () => {
	assertError(await bob.post(CANONICAL, { messageId: Number.MAX_SAFE_INTEGER, status: 'READ' }), 404, 'MESSAGE_NOT_FOUND');
});

test('a malformed status has its own code', async () => {
	const [messageId] = await rowsToBob(1);
	for (const status of [undefined, null, '', 'read', 'PENDING', 'SEEN', 5])
		assertError(await bob.post(CANONICAL, { messageId, status }), 400, 'INVALID_STATUS', 'status');
});

test('malformed ids, both fields, neither and an empty list have one code', async () => {
	const [messageId] = await rowsToBob(1);
	for (const id of ['', 'x', 0, -1, 1.5, {}, [], true, '1.0', 9007199254740992])
		assertError(await bob.post(CANONICAL, { messageId: id, status: 'READ' }), 400, 'INVALID_MESSAGE_ID');
	for (const messageIds of [[], 'x', 5, {}, [null], [messageId, 'x'], [messageId, 0], [[messageId]]])
		assertError(await bob.post(CANONICAL, { messageIds, status: 'READ' }), 400, 'INVALID_MESSAGE_ID');
	assertError(await bob.post(CANONICAL, { status: 'READ' }), 400, 'INVALID_MESSAGE_ID');
	assertError(await bob.post(CANONICAL, { messageId, messageIds: [messageId], status: 'READ' }), 400, 'INVALID_MESSAGE_ID');
	assert.equal(await stateOf(messageId), 'PENDING');
});

test('receipts of one message from many requests at once update it once', async () => {
	const messageIds = await rowsToBob(4);
	const answers = await Promise.all(Array.from({ length: 12 }, () => bob.post(CANONICAL, { messageIds, status: 'READ' })));
	assert.equal(answers.reduce((sum, answer) => sum + assertAnswer(answer, 200, shape).updated, 0), 4);
});

test('a token is needed on both paths', async () => {
	for (const path of [CANONICAL, ALIAS])
		assertError(await server.http.post(path, {}), 401, 'UNAUTHORIZED');
});
