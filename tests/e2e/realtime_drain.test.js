// SPDX-License-Identifier: Apache-2.0
/*
 * SIGTERM: nobody new comes in, what is under way ends, and sockets are closed in waves, with the reason.
 */
import { after, test } from 'node:test';
import assert from 'node:assert/strict';
import net from 'node:net';
import { WebSocket } from 'ws'; // comes with socket.io-client
import { HttpClient } from './kit/http.js';
import { openSession, register } from './kit/people.js';
import { startServer } from './kit/server.js';
import { connectSocket } from './kit/socket.js';

const MANY = 1500; // a few waves at 2000 a second
const servers = [];
after(() => Promise.all(servers.map((server) => server.stop())));

async function start(set) {
	const server = await startServer({ set: { 'log.level': 'debug', ...set } });
	servers.push(server);
	return server;
}

const handshake = (server) => `${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;

/** Engine.IO sessions that never connect; `ended` is what each is told. */
async function openMany(server, count) {
	const ended = [];
	while (ended.length < count)
		await Promise.all(Array.from({ length: Math.min(100, count - ended.length) }, () => new Promise((resolve, reject) => {
			const socket = new WebSocket(handshake(server), { perMessageDeflate: false });
			ended.push(new Promise((done) => { socket.on('close', (code, reason) => done({ code, reason: reason.toString() })); }));
			socket.once('message', resolve);
			socket.once('error', reject);
		})));
	return ended;
}

const goodbye = { code: 1001, reason: 'server shutting down' };

test('few sockets are closed at once, each with the reason', async () => {
	const server = await start({ 'socketio.drain_time': '600s' });
	const ala = await register(server);
	const polling = await connectSocket(server, ala, { transports: ['polling'] });
	const socket = await connectSocket(server, ala, { transports: ['websocket'] });
	const raw = new WebSocket(handshake(server));
	const told = new Promise((resolve) => { raw.on('close', (code, reason) => resolve({ code, reason: reason.toString() })); });
	await new Promise((resolve) => { raw.once('message', resolve); });
	const ends = [polling.disconnected(), socket.disconnected()];
	await server.end();
	assert.deepEqual(await told, goodbye);
	assert.deepEqual(await Promise.all(ends), ['transport close', 'transport close']); // so they come back
	assert.match(server.log(), /closing \d sessions within 0 ms: server shutting down/);
	assert.match(server.log(), /session closed: server shutting down/);
	assert.doesNotMatch(server.log(), /requests were still running/);
});

test('many are closed in waves, and meanwhile nobody new comes in', async () => {
	const server = await start();
	const ended = await openMany(server, MANY);
	const ala = await register(server);
	const last = await connectSocket(server, ala, { transports: ['websocket'] });
	const late = net.connect(server.port, '127.0.0.1');
	late.write('GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n');
	await last.request('ping'); // so much later the half request has arrived, too
	await new Promise((resolve) => { setTimeout(resolve, 100); });
	const stopped = server.end();
	assert.deepEqual(await Promise.race(ended), goodbye);
	assert.ok((await last.request('ping')).timestamp, 'served until it is its turn');
	const answer = new Promise((resolve, reject) => { let text = ''; late.on('data', (part) => { text += part; }); late.on('end', () => resolve(text)); late.on('error', reject); });
	late.write('\r\n');
	assert.match(await answer, /^HTTP\/1\.1 503 [^]*\r\nRetry-After: 1\r\n[^]*OVERLOADED/);
	await assert.rejects(new Promise((resolve, reject) => { new WebSocket(handshake(server)).on('open', resolve).on('error', reject); }), /ECONNREFUSED/);
	assert.equal(await last.disconnected(), 'transport close');
	for (const end of await Promise.all(ended))
		assert.deepEqual(end, goodbye);
	await stopped;
});

test('the time for it is bounded by drain_time, and by the time the whole server has', async () => {
	for (const set of [{ 'socketio.drain_time': '0s' }, { 'socketio.drain_time': '600s', 'server.drain_timeout': '200ms' }]) {
		const server = await start(set);
		const ended = await openMany(server, MANY);
		await server.end();
		for (const end of await Promise.all(ended))
			assert.deepEqual(end, goodbye);
		if (set['socketio.drain_time'] === '0s')
			assert.match(server.log(), /sessions within 0 ms: server shutting down/);
	}
});

test('requests under way are answered, and what was acknowledged is there afterwards', async () => {
	const server = await start();
	const [ala, bob] = [await register(server), await register(server)];
	const { initiator } = await openSession(ala, bob);
	const socket = await connectSocket(server, ala, { transports: ['websocket'] });
	const login = { convroNumber: ala.convroNumber, password: 'wrong' };
	const slow = Array.from({ length: 4 }, () => socket.request('request', { method: 'POST', path: '/v1/auth/login', body: login }, 20000));
	const sends = Array.from({ length: 8 }, (_, i) => socket.request('request', { method: 'POST', path: '/v1/dm/messages/send', body: initiator.seal(`message ${i}`) }, 20000));
	const http = new HttpClient(server.url);
	const overHttp = http.post('/v1/auth/login', login);
	await socket.request('ping'); // behind them: they are under way
	await new Promise((resolve) => { setTimeout(resolve, 20); });
	await server.end();
	for (const answer of await Promise.all(slow))
		assert.equal(answer.status, 401);
	assert.equal((await overHttp).status, 401);
	assert.equal(await socket.disconnected(), 'transport close');
	const sent = await Promise.all(sends);
	assert.ok(sent.every(({ status }) => status === 201), JSON.stringify(sent));
	http.close();
	await server.restart();
	const { body } = await ala.get(`/v1/dm/messages/history?sessionId=${initiator.sessionId}&limit=200`);
	for (const { body: row } of sent)
		assert.ok(body.messages.some((message) => message.id === row.id), 'acknowledged and lost');
});
