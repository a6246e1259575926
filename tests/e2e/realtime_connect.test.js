// SPDX-License-Identifier: Apache-2.0
/*
 * CONNECT and the token's life: who is let in, what the others are told, and when a socket ends.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { assertStatus, register } from './kit/people.js';
import { io } from 'socket.io-client';
import { startServer } from './kit/server.js';
import { connectRefused, connectSocket } from './kit/socket.js';

let server;
before(async () => { server = await startServer(); });
after(() => server?.stop());

const everyTransport = [['websocket'], ['polling'], ['polling', 'websocket']];

for (const transports of everyTransport) {
	test(`connects over ${transports} and answers ping`, async () => {
		const ala = await register(server);
		const socket = await connectSocket(server, ala, { transports });
		await server.waitForLog(new RegExp(`\\[WS\\] Connected userId=${ala.userId} deviceId=${ala.deviceId}\\b`), 5000);
		if (transports.length > 1)
			await socket.upgraded();
		const acknowledged = await socket.request('ping');
		assert.match(acknowledged.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
		assert.ok(Math.abs(Date.parse(acknowledged.timestamp) - Date.now()) < 10000);
		assert.deepEqual(await socket.waitFor('pong'), acknowledged);
		socket.emit('ping');
		assert.ok((await socket.waitFor('pong')).timestamp);
		assert.deepEqual(await socket.request('no.such.event', {}), { ok: false, error: 'UNKNOWN_EVENT' });
		socket.emit('no.such.event', 1, 2);
		assert.ok((await socket.request('ping')).timestamp);
		socket.close();
	});

	test(`tells over ${transports} why a token is not good`, async () => {
		const ala = await register(server);
		for (const [auth, error] of [
			[{}, 'UNAUTHORIZED'], [{ token: '' }, 'UNAUTHORIZED'], [{ token: null }, 'UNAUTHORIZED'],
			[{ token: 'abc' }, 'TOKEN_INVALID'], [{ token: 5 }, 'TOKEN_INVALID'],
			[{ token: `${ala.accessToken.slice(0, -3)}AAA` }, 'TOKEN_INVALID'],
		]) {
			const refused = await connectRefused(server, { auth, transports });
			assert.equal(refused.message, error, JSON.stringify(auth));
			assert.deepEqual(refused.data, { error });
		}
	});
}

test('takes the token of the query, but that of the payload wins', async () => {
	const ala = await register(server);
	const socket = await connectSocket(server, null, { query: { token: ala.accessToken } });
	assert.ok((await socket.request('ping')).timestamp);
	socket.close();
	const refused = await connectRefused(server, { query: { token: ala.accessToken }, auth: { token: 'abc' } });
	assert.equal(refused.message, 'TOKEN_INVALID');
	assert.equal((await connectRefused(server, { query: { token: 'abc' } })).message, 'TOKEN_INVALID');
	assert.ok(!server.log().includes(ala.accessToken), 'no token in the log');
});

test('afterId is a non-negative integer or its text', async () => {
	const ala = await register(server);
	for (const afterId of [-1, 1.5, '', 'x', '-1', '1.0', '0x1', ' 1', true, [], {}, '99999999999999999999'])
		assert.equal((await connectRefused(server, { auth: { token: ala.accessToken, afterId } })).message, 'INVALID_QUERY', JSON.stringify(afterId));
	for (const afterId of ['-1', '', 'x'])
		assert.equal((await connectRefused(server, { auth: { token: ala.accessToken }, query: { afterId } })).message, 'INVALID_QUERY', afterId);
	for (const [auth, query] of [[{ afterId: 0 }], [{ afterId: '0' }], [{ afterId: '12' }], [{ afterId: null }], [{ afterId: 3 }, { afterId: 'x' }], [{}, { afterId: '7' }]]) {
		const socket = await connectSocket(server, ala, { auth, ...(query && { query }) });
		socket.close();
	}
});

test('a logout ends all sockets of the device at once, on every worker and transport', async () => {
	const ala = await register(server);
	const other = await ala.login({});
	const sockets = await Promise.all(Array.from({ length: 12 }, (_, i) => connectSocket(server, ala, { transports: everyTransport[i % 3] })));
	const bystander = await connectSocket(server, other);
	const began = Date.now();
	assertStatus(await ala.post('/v1/auth/logout', {}), 200);
	for (const socket of sockets)
		assert.equal(await socket.disconnected(), 'io server disconnect');
	assert.ok(Date.now() - began < 3000);
	assert.equal((await connectRefused(server, { auth: { token: ala.accessToken } })).message, 'TOKEN_INVALID');
	assert.ok((await bystander.request('ping')).timestamp);
	assertStatus(await other.post('/v1/auth/logout', { allForUser: true }), 200);
	assert.equal(await bystander.disconnected(), 'io server disconnect');
});

test('no socket survives a logout that comes while it connects', async () => {
	for (let round = 0; round < 8; round++) {
		const ala = await register(server);
		const tries = Array.from({ length: 6 }, (_, i) => connectSocket(server, ala, { transports: everyTransport[i % 2] }).catch((error) => error));
		await new Promise((resolve) => setTimeout(resolve, round * 4));
		assertStatus(await ala.post('/v1/auth/logout', {}), 200);
		for (const result of await Promise.all(tries)) {
			if (result instanceof Error)
				assert.equal(result.message, 'TOKEN_INVALID');
			else
				assert.equal(await result.disconnected(), 'io server disconnect');
		}
	}
});

test('an expired token is told as such; one that expires is announced, renewed in place, or ends the socket', async () => {
	const own = await startServer({ set: { 'auth.access_token_ttl': '8s' } });
	try {
		const ala = await register(own);
		const expired = await register(own);
		const [renewing, idle] = [await connectSocket(own, ala), await connectSocket(own, ala, { transports: ['polling'] })];
		for (const socket of [renewing, idle])
			assert.ok(Date.parse((await socket.waitFor('auth.expiring')).expiresAt) > Date.now()); // within the last minute at once
		const stranger = await register(own);
		for (const [payload, error] of [[{}, 'UNAUTHORIZED'], [{ token: 'x' }, 'TOKEN_INVALID'], [{ token: 7 }, 'TOKEN_INVALID'], [{ token: stranger.accessToken }, 'DEVICE_MISMATCH']])
			assert.deepEqual(await renewing.request('auth.refresh', payload), { ok: false, error });
		assert.deepEqual(await renewing.request('auth.refresh'), { ok: false, error: 'UNAUTHORIZED' });
		await new Promise((resolve) => setTimeout(resolve, 1500));
		await ala.refresh();
		assert.deepEqual(await renewing.request('auth.refresh', { token: ala.accessToken }), { ok: true });
		await renewing.waitFor('auth.expiring');
		assert.equal(await idle.disconnected(15000), 'io server disconnect');
		assert.ok(renewing.connected, 'renewed');
		assert.equal(await renewing.disconnected(15000), 'io server disconnect');
		assert.equal((await connectRefused(own, { auth: { token: expired.accessToken } })).message, 'TOKEN_EXPIRED');
	} finally {
		await own.stop();
	}
});

test('another path, and only one transport', async () => {
	const own = await startServer({ set: { 'socketio.path': '/live', 'socketio.transports': 'websocket' } });
	try {
		const ala = await register(own);
		assert.equal((await own.http.get('/socket.io/?EIO=4&transport=polling')).status, 404);
		assert.equal((await own.http.get('/live/?EIO=4&transport=polling')).status, 400);
		const raw = io(own.url, { path: '/live', transports: ['websocket'], auth: { token: ala.accessToken }, forceNew: true, reconnection: false });
		await new Promise((resolve, reject) => { raw.once('connect', resolve); raw.once('connect_error', reject); });
		assert.ok((await raw.timeout(5000).emitWithAck('ping')).timestamp);
		raw.disconnect();
	} finally {
		await own.stop();
	}
});
