// SPDX-License-Identifier: Apache-2.0
/* Wire contract: GET /v1/dm/messages/history. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { openSession, register } from './kit/people.js';
import { allPages, assertAnswer, assertShape, is, messageRow, QUICK, randomHex } from './kit/contract.js';

const COUNT = 210;
let server;
let ala;
let bob;
let session;
let ids; // of all rows: ala and bob take turns, ala begins
let toBob;
before(async () => {
	server = await startServer({ set: QUICK });
	ala = await register(server);
	bob = await register(server);
	session = await openSession(ala, bob);
	ids = [];
	for (let i = 0; i < COUNT; i++)
		ids.push((await (i % 2 ? session.responder : session.initiator).send(`message ${i}`)).row.id);
	toBob = ids.filter((_, i) => i % 2 === 0);
});
after(() => server?.stop());

const ask = (person, query) => person.get(`/v1/dm/messages/history?${query}`);
const shape = { sessionId: is.hex8, messages: is.list, hasMore: is.boolean, nextAfterId: is.orNull(is.count) };

async function page(query, person = bob) {
	const body = assertAnswer(await ask(person, `sessionId=${session.sessionId}&${query}`), 200, shape);
	assert.equal(body.sessionId, session.sessionId);
	for (const row of body.messages)
		assertShape(row, messageRow);
	return { ...body, ids: body.messages.map((row) => row.id) };
}

test('without cursor: the newest 50 rows of both directions, ascending', async () => {
	const newest = await page('');
	assert.deepEqual(newest.ids, ids.slice(-50));
	assert.equal(newest.hasMore, true);
	assert.equal(newest.nextAfterId, ids.at(-1));
});

test('beforeId walks back to the beginning', async () => {
	for (const spelling of ['beforeId', 'before_id']) {
		const pages = [await page('limit=80')];
		while (pages[0].hasMore)
			pages.unshift(await page(`limit=80&${spelling}=${pages[0].ids[0]}`));
		assert.deepEqual(pages.map((one) => one.ids.length), [50, 80, 80]);
		assert.deepEqual(pages.flatMap((one) => one.ids), ids);
	}
});

test('afterId walks forward over the rows to the caller alone', async () => {
	for (const spelling of ['afterId', 'after_id']) {
		const pages = await allPages((cursor) => page(`limit=40&${spelling}=${cursor}`), (last) => (last.hasMore ? last.nextAfterId : undefined), 0);
		assert.deepEqual(pages.map((one) => one.ids.length), [40, 40, 25]);
		assert.deepEqual(pages.flatMap((one) => one.ids), toBob);
		assert.deepEqual(pages.map((one) => one.nextAfterId), pages.map((one) => one.ids.at(-1)));
		for (const row of pages.flatMap((one) => one.messages))
			assert.equal(row.recipientDeviceId, bob.deviceId);
	}
});

test('afterId with the direction all walks over every row', async () => {
	const pages = await allPages((cursor) => page(`limit=200&direction=all&afterId=${cursor}`), (last) => (last.hasMore ? last.nextAfterId : undefined), 0);
	assert.deepEqual(pages.map((one) => one.ids.length), [200, 10]);
	assert.deepEqual(pages.flatMap((one) => one.ids), ids);
});

test('the direction incoming works without cursor and with beforeId', async () => {
	assert.deepEqual((await page('direction=incoming&limit=10')).ids, toBob.slice(-10));
	const older = await page(`direction=incoming&limit=10&beforeId=${toBob.at(-10)}`);
	assert.deepEqual(older.ids, toBob.slice(-20, -10));
	assert.equal(older.hasMore, true);
	const oldest = await page(`direction=incoming&limit=10&beforeId=${toBob[5]}`);
	assert.deepEqual(oldest.ids, toBob.slice(0, 5));
	assert.equal(oldest.hasMore, false);
});

test('hasMore is about the direction asked for', async () => {
	const last = await page(`afterId=${toBob.at(-2)}`);
	assert.deepEqual([last.ids, last.hasMore], [[toBob.at(-1)], false]);
	assert.equal((await page(`direction=all&limit=1&afterId=${toBob.at(-1)}`)).hasMore, false);
	assert.equal((await page(`direction=all&limit=1&afterId=${ids.at(-3)}`)).hasMore, true);
	const first = await page(`direction=incoming&limit=1&beforeId=${toBob[1]}`);
	assert.deepEqual([first.ids, first.hasMore], [[toBob[0]], false]);
	assert.equal((await page(`limit=1&beforeId=${ids[1]}`)).hasMore, false);
});

test('a page that is exactly full is not followed by an empty one', async () => {
	const exact = await page(`limit=20&afterId=${toBob.at(-21)}`);
	assert.deepEqual([exact.ids.length, exact.hasMore], [20, false]);
});

test('an empty page gives the cursor back, or null without one', async () => {
	const after = await page(`afterId=${ids.at(-1)}`);
	assert.deepEqual([after.ids, after.hasMore, after.nextAfterId], [[], false, ids.at(-1)]);
	const beyond = await page('afterId=9007199254740991');
	assert.equal(beyond.nextAfterId, 9007199254740991);
	const before = await page(`beforeId=${ids[0]}`);
	assert.deepEqual([before.ids, before.hasMore, before.nextAfterId], [[], false, null]);

	const [carol, dave] = [await register(server), await register(server)];
	const { sessionId } = await openSession(carol, dave);
	const body = assertAnswer(await ask(carol, `sessionId=${sessionId}`), 200, shape);
	assert.deepEqual(body, { sessionId, messages: [], hasMore: false, nextAfterId: null });
	assert.equal(assertAnswer(await ask(carol, `sessionId=${sessionId}&afterId=0`), 200, shape).nextAfterId, 0);
});

test('a limit above 200 is taken as 200', async () => {
	for (const limit of [200, 201, 999999999])
		assert.deepEqual((await page(`limit=${limit}`)).ids, ids.slice(-200));
});

test('the session id is taken as session_id and in upper case', async () => {
	const id = session.sessionId.toUpperCase();
	for (const query of [`session_id=${id}`, `sessionId=${id}&session_id=${id}`])
		assert.equal(assertAnswer(await ask(bob, `${query}&limit=1`), 200, shape).sessionId, session.sessionId);
});

test('both sides see the same rows', async () => {
	assert.deepEqual((await page('limit=200', ala)).messages, (await page('limit=200', bob)).messages);
});

test('a malformed query is refused', async () => {
	const good = `sessionId=${session.sessionId}`;
	for (const query of ['', 'sessionId=', 'sessionId=xyz', 'sessionId=123456789', `${good}&limit=0`, `${good}&limit=-1`, `${good}&limit=x`, `${good}&limit=`, `${good}&limit=1.5`,
		`${good}&direction=outgoing`, `${good}&direction=`, `${good}&beforeId=x`, `${good}&afterId=x`, `${good}&afterId=-1`, `${good}&beforeId=-1`, `${good}&beforeId=5&afterId=1`,
		`${good}&before_id=5&after_id=1`, `${good}&${good}`, `${good}&session_id=00000000`, `${good}&afterId=1&after_id=2`, `${good}&limit=%zz`, `${good}&afterId=9007199254740993000`])
		assertError(await ask(bob, query), 400, 'INVALID_QUERY');
});

test("a session of other devices is not found, for the user's other device too", async () => {
	for (const person of [await register(server), await bob.login()])
		assertError(await ask(person, `sessionId=${session.sessionId}`), 404, 'SESSION_NOT_FOUND');
	assertError(await ask(bob, `sessionId=${randomHex(4)}`), 404, 'SESSION_NOT_FOUND');
});

test('a token is needed', async () => {
	assertError(await server.http.get(`/v1/dm/messages/history?sessionId=${session.sessionId}`), 401, 'UNAUTHORIZED');
});
