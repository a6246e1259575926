// SPDX-License-Identifier: Apache-2.0
/* Wire contract: GET /v1/dm/sessions/incoming. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { accept, openOnly, register } from './kit/people.js';
import { allPages, assertAnswer, assertShape, is, QUICK } from './kit/contract.js';

let server;
let ala;
before(async () => {
	server = await startServer({ set: { ...QUICK, 'dm_sessions.pending_max': 1000 } });
	ala = await register(server);
});
after(() => server?.stop());

const shape = {
	sessionDbId: is.id, sessionId: is.hex8, initiatorUserId: is.id, initiatorDeviceId: is.hex16,
	handshakeOffer: is.object, createdAt: is.time,
};

async function incoming(person, query = '') {
	const { sessions } = assertAnswer(await person.get(`/v1/dm/sessions/incoming${query}`), 200, { sessions: is.list });
	for (const session of sessions)
		assertShape(session, shape);
	return sessions;
}

async function openMany(responder, count) {
	const opened = [];
	for (let i = 0; i < count; i++)
		opened.push(await openOnly(ala, responder));
	return opened;
}

test('lists what waits for this device, oldest first, with the offer as it was', async () => {
	const bob = await register(server);
	const opened = await openMany(bob, 3);
	const sessions = await incoming(bob);
	assert.deepEqual(sessions.map((row) => row.sessionDbId), opened.map((one) => one.sessionDbId));
	for (const [i, row] of sessions.entries()) {
		assert.equal(row.sessionId, opened[i].sessionId);
		assert.equal(row.initiatorUserId, ala.userId);
		assert.equal(row.initiatorDeviceId, ala.deviceId);
		assert.deepEqual(row.handshakeOffer, opened[i].offer);
	}
});

test('an accepted session is gone from the list', async () => {
	const bob = await register(server);
	const opened = await openMany(bob, 2);
	await accept(bob, (await incoming(bob))[0]);
	assert.deepEqual((await incoming(bob)).map((row) => row.sessionDbId), [opened[1].sessionDbId]);
});

test("neither the initiator nor the responder's other device sees it", async () => {
	const bob = await register(server);
	const other = await bob.login();
	await openMany(bob, 1);
	assert.deepEqual(await incoming(other), []);
	const { sessionDbId } = (await incoming(bob))[0];
	assert.equal((await incoming(ala)).some((row) => row.sessionDbId === sessionDbId), false);
});

test('pages go on after the last one seen, and hold 100 unless asked', async () => {
	const bob = await register(server);
	const all = (await openMany(bob, 103)).map((one) => one.sessionDbId);
	const ids = (rows) => rows.map((row) => row.sessionDbId);
	assert.deepEqual(ids(await incoming(bob)), all.slice(0, 100));
	for (const limit of [200, 201, 1000000])
		assert.deepEqual(ids(await incoming(bob, `?limit=${limit}`)), all);
	for (const spelling of ['afterId', 'after_id']) {
		const pages = await allPages((after) => incoming(bob, `?limit=40&${spelling}=${after}`), (page) => page.at(-1)?.sessionDbId, 0);
		assert.deepEqual(pages.map((page) => page.length), [40, 40, 23, 0]);
		assert.deepEqual(ids(pages.flat()), all);
	}
});

test('a bad limit or cursor is refused', async () => {
	for (const query of ['limit=0', 'limit=-1', 'limit=x', 'limit=', 'limit=1.5', 'afterId=x', 'afterId=-1', 'afterId=', 'afterId=9007199254740993000', 'limit=1&limit=1', 'afterId=1&after_id=2'])
		assertError(await ala.get(`/v1/dm/sessions/incoming?${query}`), 400, 'INVALID_QUERY');
});

test('a token is needed', async () => {
	assertError(await server.http.get('/v1/dm/sessions/incoming'), 401, 'UNAUTHORIZED');
});
