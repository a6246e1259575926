// SPDX-License-Identifier: Apache-2.0
/* Wire contract: GET /v1/dm/messages/conversations, and its alias /v1/dm/conversations. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { openOnly, openSession, register } from './kit/people.js';
import { allPages, assertAnswer, assertShape, is, messageRow, QUICK, randomName } from './kit/contract.js';

const CANONICAL = '/v1/dm/messages/conversations';
const ALIAS = '/v1/dm/conversations';
let server;
before(async () => { server = await startServer({ set: QUICK }); });
after(() => server?.stop());

const shape = {
	sessionDbId: is.id, sessionId: is.hex8, state: is.oneOf('PENDING', 'ACTIVE'), peerUserId: is.idText, peerDeviceId: is.hex16,
	peerConvroNumber: is.orNull(is.number), peerUsername: is.orNull(is.text), peerFullName: is.orNull(is.text),
	unreadCount: is.count, lastActivityAt: is.time, lastMessage: is.orNull(is.object),
};

async function page(person, query = '', path = CANONICAL) {
	const body = assertAnswer(await person.get(path + query), 200, { conversations: is.list, nextCursor: is.orNull(is.text) });
	for (const row of body.conversations) {
		assertShape(row, shape);
		if (row.lastMessage)
			assertShape(row.lastMessage, messageRow);
	}
	return body;
}

const list = async (person, query, path) => (await page(person, query, path)).conversations;
const ids = (rows) => rows.map((row) => row.sessionDbId);
const receipt = (person, row, status) => person.post('/v1/dm/messages/receipts', { messageId: row.id, status });

test('says who the peer is, from both sides', async () => {
	const ala = await register(server);
	const bob = await register(server, { username: randomName(), fullName: 'Robert' });
	const { sessionId, sessionDbId, initiator } = await openSession(ala, bob);
	const { row } = await initiator.send('hello');
	const [hers] = await list(ala);
	assert.deepEqual([hers.sessionId, hers.sessionDbId, hers.state], [sessionId, sessionDbId, 'ACTIVE']);
	assert.deepEqual([hers.peerUserId, hers.peerDeviceId, hers.peerConvroNumber, hers.peerUsername, hers.peerFullName],
		[String(bob.userId), bob.deviceId, bob.convroNumber, bob.username, 'Robert']);
	const [his] = await list(bob);
	assert.deepEqual([his.peerUserId, his.peerDeviceId, his.peerConvroNumber, his.peerUsername, his.peerFullName],
		[String(ala.userId), ala.deviceId, ala.convroNumber, null, null]);
	const { ok, deduped, ...stored } = row;
	assert.deepEqual(hers.lastMessage, stored);
	assert.deepEqual(his.lastMessage, stored);
	assert.equal(his.lastActivityAt, row.serverTimestamp);
});

test('both paths answer the same', async () => {
	const ala = await register(server);
	await openOnly(ala, await register(server));
	assert.deepEqual(await page(ala, '', ALIAS), await page(ala));
	assert.equal((await list(ala, '?limit=1', ALIAS)).length, 1);
	assertError(await ala.get(`${ALIAS}?limit=0`), 400, 'INVALID_QUERY');
});

test('who has no session has an empty list', async () => {
	assert.deepEqual(await page(await register(server)), { conversations: [], nextCursor: null });
});

test('a pending session without message is listed for both', async () => {
	const [ala, bob] = [await register(server), await register(server)];
	const { sessionDbId } = await openOnly(ala, bob);
	for (const person of [ala, bob]) {
		const [row] = await list(person);
		assert.deepEqual([row.sessionDbId, row.state, row.unreadCount, row.lastMessage], [sessionDbId, 'PENDING', 0, null]);
	}
	const { sessions } = (await bob.get('/v1/dm/sessions/incoming')).body;
	assert.equal((await list(ala))[0].lastActivityAt, sessions[0].createdAt);
});

test("lists the caller's device's sessions alone", async () => {
	const ala = await register(server);
	const otherDevice = await ala.login();
	const bob = await register(server);
	const first = await openOnly(ala, bob);
	const second = await openOnly(otherDevice, bob);
	assert.deepEqual(ids(await list(ala)), [first.sessionDbId]);
	assert.deepEqual(ids(await list(otherDevice)), [second.sessionDbId]);
	assert.deepEqual(ids(await list(bob)), [second.sessionDbId, first.sessionDbId]);
});

test('counts what the device has not read, and only that', async () => {
	const [ala, bob] = [await register(server), await register(server)];
	const { initiator, responder } = await openSession(ala, bob);
	const unread = async (person) => (await list(person))[0].unreadCount;
	const rows = [];
	for (let i = 0; i < 3; i++)
		rows.push((await initiator.send(`message ${i}`)).row);
	await responder.send('reply');
	assert.deepEqual([await unread(ala), await unread(bob)], [1, 3]);
	await receipt(bob, rows[1], 'DELIVERED');
	assert.equal(await unread(bob), 3);
	for (let i = 0; i < 2; i++) {
		await receipt(bob, rows[1], 'READ');
		assert.equal(await unread(bob), 2);
	}
	await receipt(bob, rows[1], 'DELIVERED');
	assert.equal(await unread(bob), 2);
	await bob.post('/v1/dm/messages/receipts', { messageIds: rows.map((row) => row.id), status: 'READ' });
	assert.deepEqual([await unread(ala), await unread(bob)], [1, 0]);
});

test('a repeated send is counted once', async () => {
	const [ala, bob] = [await register(server), await register(server)];
	const { initiator } = await openSession(ala, bob);
	const { sent } = await initiator.send('once');
	assert.equal((await ala.post('/v1/dm/messages/send', sent)).status, 200);
	assert.equal((await list(bob))[0].unreadCount, 1);
});

test('the last message tells its delivery state', async () => {
	const [ala, bob] = [await register(server), await register(server)];
	const { initiator } = await openSession(ala, bob);
	const { row } = await initiator.send('read me');
	for (const status of ['DELIVERED', 'READ']) {
		await receipt(bob, row, status);
		for (const person of [ala, bob])
			assert.equal((await list(person))[0].lastMessage.deliveryState, status);
	}
});

test('newest activity comes first: a message, else the accept, else the opening', async () => {
	const ala = await register(server);
	const people = [];
	for (let i = 0; i < 3; i++)
		people.push(await register(server));
	const sessions = [];
	for (const person of people) {
		sessions.push(await openOnly(ala, person));
		await sleep(2); // activity is compared by time, and the times of this test are to differ
	}
	const order = async () => (await list(ala)).map((row) => sessions.findIndex((one) => one.sessionDbId === row.sessionDbId));
	assert.deepEqual(await order(), [2, 1, 0]);
	await sessions[0].initiator.send('hello');
	assert.deepEqual(await order(), [0, 2, 1]);
	await sleep(2);
	assert.equal((await people[1].post('/v1/dm/sessions/accept', { sessionDbId: sessions[1].sessionDbId })).status, 200);
	assert.deepEqual(await order(), [1, 0, 2]);
	const times = (await list(ala)).map((row) => row.lastActivityAt);
	assert.deepEqual(times, [...times].sort().reverse());
	await sleep(2);
	assert.equal((await people[1].post('/v1/dm/sessions/accept', { sessionDbId: sessions[1].sessionDbId })).status, 200);
	await sessions[2].initiator.send('hello');
	assert.deepEqual(await order(), [2, 1, 0], 'a repeated accept is no activity');
});

test('the cursor walks over all of them, each once', async () => {
	const [ala, bob] = [await register(server), await register(server)];
	const opened = [];
	for (let i = 0; i < 11; i++)
		opened.push(await openOnly(i % 2 ? ala : bob, i % 2 ? bob : ala));
	for (const i of [7, 2, 9, 0, 5]) {
		await sleep(2);
		await opened[i].initiator.send('so that activity has another order than opening');
	}
	const all = await page(ala);
	assert.deepEqual(ids(all.conversations), [5, 0, 9, 2, 7, 10, 8, 6, 4, 3, 1].map((i) => opened[i].sessionDbId));
	assert.equal(all.nextCursor, null);
	const pages = await allPages((cursor) => page(ala, `?limit=4${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`), (last) => last.nextCursor ?? undefined, '');
	assert.deepEqual(pages.map((one) => one.conversations.length), [4, 4, 3]);
	assert.deepEqual(pages.flatMap((one) => one.conversations), all.conversations);
});

test('50 are given unless asked, and at most 200', async () => {
	const ala = await register(server);
	const people = [];
	for (let i = 0; i < 17; i++)
		people.push(await register(server));
	for (const person of people) {
		for (let i = 0; i < 12; i++)
			await openOnly(ala, person, { oneTime: false });
	}
	const first = await page(ala);
	assert.equal(first.conversations.length, 50);
	assert.notEqual(first.nextCursor, null);
	for (const limit of [200, 201])
		assert.equal((await list(ala, `?limit=${limit}`)).length, 200);
});

test('a bad limit or cursor is refused', async () => {
	const ala = await register(server);
	for (const query of ['limit=0', 'limit=-1', 'limit=x', 'limit=', 'cursor=!', 'cursor=nonsense', 'limit=1&limit=1'])
		assertError(await ala.get(`${CANONICAL}?${query}`), 400, 'INVALID_QUERY');
});

test('a token is needed on both paths', async () => {
	for (const path of [CANONICAL, ALIAS])
		assertError(await server.http.get(path), 401, 'UNAUTHORIZED');
});
