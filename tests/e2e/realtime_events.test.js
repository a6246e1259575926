// SPDX-License-Identifier: Apache-2.0
/*
 * What clients may ask over the socket beyond the token's renewal: dm.typing and request (wire contract, section 5).
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { openOnly, openSession, register } from './kit/people.js';
import { startServer } from './kit/server.js';
import { connectSocket } from './kit/socket.js';
import { QUICK } from './kit/contract.js';

let server;
before(async () => { server = await startServer({ set: QUICK }); });
after(() => server?.stop());

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

test('tells the other device who is typing, and stores nothing', async () => {
	const [ala, bob] = [await register(server), await register(server)];
	const { sessionId } = await openSession(ala, bob);
	const [from, to] = await Promise.all([connectSocket(server, ala), connectSocket(server, bob)]);
	const again = await connectSocket(server, bob, { transports: ['polling'] });
	assert.deepEqual(await from.request('dm.typing', { sessionId, typing: true }), { ok: true });
	for (const socket of [to, again])
		assert.deepEqual(await socket.waitFor('dm.typing'), { sessionId, deviceId: ala.deviceId, typing: true });
	assert.deepEqual(await to.request('dm.typing', { sessionId: sessionId.toUpperCase(), typing: false }), { ok: true });
	assert.deepEqual(await from.waitFor('dm.typing'), { sessionId, deviceId: bob.deviceId, typing: false });
	const late = await connectSocket(server, bob, { auth: { afterId: 0 } });
	await late.request('ping');
	assert.deepEqual([late.all('dm.typing'), from.all('dm.typing').length], [[], 1]);
	for (const socket of [from, to, again, late])
		socket.close();
});

test('refuses to relay what is malformed, unknown, foreign or pending', async () => {
	const [ala, bob, eve] = [await register(server), await register(server), await register(server)];
	const { sessionId } = await openSession(ala, bob);
	const [socket, foreign] = await Promise.all([connectSocket(server, ala), connectSocket(server, eve)]);
	for (const bad of [undefined, null, 5, {}, { sessionId: 5, typing: true }, { sessionId: 'xyz', typing: true }, { sessionId: `${sessionId}0`, typing: true },
		...['0x123456', '+1234567', '-1234567', ' 1234567', '1234567 ', '1234567g', '1234567\u0000', '\u00e9123456'].map((malformed) => ({ sessionId: malformed, typing: true }))])
		assert.deepEqual(await socket.request('dm.typing', bad), { ok: false, error: 'INVALID_SESSION_ID' }, JSON.stringify(bad));
	for (const typing of [undefined, 1, 'true', null])
		assert.deepEqual(await socket.request('dm.typing', { sessionId, typing }), { ok: false, error: 'INVALID_BODY' });
	assert.deepEqual(await foreign.request('dm.typing', { sessionId, typing: true }), { ok: false, error: 'SESSION_NOT_FOUND' });
	const pending = await openOnly(ala, eve);
	assert.deepEqual(await foreign.request('dm.typing', { sessionId: pending.sessionId, typing: true }), { ok: false, error: 'SESSION_NOT_ACTIVE' });
	socket.close();
	foreign.close();
});

test('takes two a second from a device', async () => {
	const [ala, bob] = [await register(server), await register(server)];
	const { sessionId } = await openSession(ala, bob);
	const [from, to] = await Promise.all([connectSocket(server, ala), connectSocket(server, bob)]);
	const answers = await Promise.all(Array.from({ length: 12 }, () => from.request('dm.typing', { sessionId, typing: true })));
	const taken = answers.filter((answer) => answer.ok).length;
	assert.ok(taken >= 2 && taken < 12, `${taken} taken`);
	assert.ok(answers.every((answer) => answer.ok || answer.error === 'RATE_LIMITED'));
	await sleep(1100);
	assert.deepEqual(await from.request('dm.typing', { sessionId, typing: false }), { ok: true });
	await to.waitFor('dm.typing', (event) => event.typing === false);
	assert.equal(to.all('dm.typing').length, taken + 1);
	from.close();
	to.close();
});

test('runs requests as the caller, with the answers of HTTP', async () => {
	const ala = await register(server);
	for (const transports of [['websocket'], ['polling']]) {
		const socket = await connectSocket(server, ala, { transports });
		const me = await socket.request('request', { method: 'GET', path: '/v1/auth/me' });
		assert.deepEqual([me.status, me.body], [200, (await ala.get('/v1/auth/me')).body]);
		const path = '/v1/users/resolve';
		const expected = await ala.get(`${path}?convroNumber=${encodeURIComponent(ala.convroNumber)}`);
		for (const query of [{ convroNumber: ala.convroNumber }, `convroNumber=${encodeURIComponent(ala.convroNumber)}`]) {
			const found = await socket.request('request', { method: 'GET', path, query });
			assert.deepEqual([found.status, found.body], [expected.status, expected.body], JSON.stringify(query));
		}
		const bad = await socket.request('request', { method: 'POST', path: '/v1/dm/messages/receipts', body: { status: 'NO' } });
		const over = await ala.post('/v1/dm/messages/receipts', { status: 'NO' });
		assert.deepEqual([bad.status, bad.body.error], [over.status, over.body.error]);
		assert.equal((await socket.request('request', { method: 'GET', path: '/v1/nowhere' })).status, 404);
		assert.equal((await socket.request('request', { method: 'BREW', path: '/v1/auth/me' })).status, 405);
		socket.close();
	}
});

test('answers 400 to what is no request', async () => {
	const ala = await register(server);
	const socket = await connectSocket(server, ala);
	for (const bad of [undefined, null, 5, [], {}, { method: 'GET' }, { path: '/v1/auth/me' }, { method: 5, path: '/v1/auth/me' },
		{ method: 'GET', path: 5 }, { method: 'GET', path: '/v1/auth/me', query: 5 }, { method: 'GET', path: '/v1/auth/me', query: { a: {} } },
		{ method: 'GET', path: '/v1/\u0000' }, { method: 'GET', path: 'no slash' }]) {
		const answer = await socket.request('request', bad);
		assert.equal(answer.status, 400, JSON.stringify(bad));
		assert.equal(answer.body.ok, false);
		assert.match(answer.body.error, /^[A-Z_]+$/, JSON.stringify(bad));
		assert.match(answer.body.message, /^[a-z ]+$/, JSON.stringify(bad));
	}
	socket.close();
});

test('sends a message over the socket; a burst is bounded, and the client may leave meanwhile', async () => {
	const [ala, bob] = [await register(server), await register(server)];
	const { initiator } = await openSession(ala, bob);
	const [socket, other] = await Promise.all([connectSocket(server, ala), connectSocket(server, bob)]);
	const answer = await socket.request('request', { method: 'POST', path: '/v1/dm/messages/send', body: initiator.seal('hello') });
	assert.equal(answer.status, 201);
	await other.waitFor('dm.message', (row) => row.id === answer.body.id);
	const answers = await Promise.all(Array.from({ length: 200 }, () => socket.request('request', { method: 'GET', path: '/v1/dm/conversations' })));
	const refused = answers.filter(({ status }) => status === 429);
	assert.ok(answers.some(({ status }) => status === 200));
	assert.ok(answers.every(({ status }) => status === 200 || status === 429));
	for (const one of refused)
		assert.deepEqual(one, { status: 429, body: { ok: false, error: 'RATE_LIMITED', message: 'too many requests, try again later' }, retryAfter: 1 });
	for (let i = 0; i < 10; i++)
		socket.emit('request', { method: 'GET', path: '/v1/dm/conversations' });
	socket.close();
	assert.equal((await other.request('request', { method: 'GET', path: '/v1/auth/me' })).status, 200);
	other.close();
});
