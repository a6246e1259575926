// SPDX-License-Identifier: Apache-2.0
/* Behind nginx, with the configuration that the documentation gives: each transport, the clients' addresses, kept connections. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http2 from 'node:http2';
import { QUICK } from './kit/contract.js';
import { HttpClient, assertError } from './kit/http.js';
import { assertStatus, openSession, register } from './kit/people.js';
import { startProxy } from './kit/proxy.js';
import { startServer } from './kit/server.js';
import { connectSocket } from './kit/socket.js';

let server;
let proxy;
before(async () => {
	server = await startServer({ set: { ...QUICK, 'server.trusted_proxies': '127.0.0.1', 'ratelimit.login': '2/h', 'socketio.ping_interval': '500ms' } });
	proxy = await startProxy(server);
});
after(async () => {
	await proxy?.stop();
	await server?.stop();
});

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const through = (person, options) => connectSocket(proxy, person, { ...options, ca: proxy.ca });
const isUp = async () => (await proxy.http.get('/health')).status === 200;

for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
	test(`${transports} goes through, there and back, also when it is quiet for a while`, async () => {
		const [ala, bob] = [await register(proxy), await register(proxy)];
		const { initiator, responder } = await openSession(ala, bob);
		const { row: missed } = await initiator.send('missed');
		const socket = await through(bob, { transports, auth: { afterId: 0, acks: true } });
		if (transports.length > 1)
			await socket.upgraded();
		assert.equal(socket.transport, transports.at(-1));
		assert.equal(responder.read(await socket.waitFor('dm.message', (row) => row.id === missed.id)), 'missed');
		await sleep(1500); // pings
		assert.equal(socket.connected, true);
		const long = 'x'.repeat(40000); // more than nginx reads at once
		await initiator.send(long);
		assert.equal(responder.read(await socket.waitFor('dm.message')), long);
		for (let tries = 0; (await initiator.history()).messages.at(-1).deliveryState !== 'DELIVERED'; tries++) {
			assert.ok(tries < 100, 'the acknowledgement did not come through');
			await sleep(50);
		}
		socket.close();
	});
}

test('clients come back when the server was restarted behind the proxy', async () => {
	const [ala, bob] = [await register(proxy), await register(proxy)];
	const { initiator } = await openSession(ala, bob);
	const sockets = await Promise.all([['websocket'], ['polling']].map((transports) => through(bob, { transports })));
	for (const { raw } of sockets)
		raw.io.reconnection(true).reconnectionDelay(100).reconnectionDelayMax(500);
	await server.kill();
	server.http.close();
	assert.equal((await proxy.http.get('/health')).status, 502);
	await server.start();
	for (let tries = 0; !await isUp(); tries++) {
		assert.ok(tries < 200, proxy.log());
		await sleep(100);
	}
	for (const socket of sockets)
		await socket.until(() => socket.connected || undefined, 20000, () => 'did not come back');
	const { row } = await initiator.send('welcome back');
	for (const socket of sockets) {
		await socket.waitFor('dm.message', (pushed) => pushed.id === row.id);
		socket.close();
	}
});

test("limits count by the client's address, not by the proxy's and not by what the client says", async () => {
	const person = await register(proxy);
	const logIn = (localAddress, password, claimed) => {
		const client = new HttpClient(proxy.url, { ca: proxy.ca, localAddress });
		return client.request({
			method: 'POST', path: '/v1/auth/login', body: { convroNumber: person.convroNumber, password }, headers: { 'x-forwarded-for': claimed },
		}).finally(() => client.close());
	};
	for (let i = 1; i <= 2; i++)
		assertError(await logIn('127.0.0.2', 'wrong password', `203.0.113.${i}`), 401, 'INVALID_CREDENTIALS');
	assertError(await logIn('127.0.0.2', person.password, '203.0.113.3'), 429, 'RATE_LIMITED');
	assertStatus(await logIn('127.0.0.3', person.password, '203.0.113.1'), 200);
});

/** States of the connections whose one end is that port on the loopback, except the listening socket's. */
function connectionsOf(port) {
	const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
	return fs.readFileSync('/proc/net/tcp', 'utf8').split('\n').map((line) => line.trim().split(/\s+/))
		.filter(([, local, , state]) => local?.endsWith(end) && state !== '0A');
}

test('connections between the proxy and the server are kept', async () => {
	const own = await startServer({ set: QUICK });
	const front = await startProxy(own);
	try {
		const person = await register(front);
		for (let i = 0; i < 60; i++)
			assertStatus(await person.get('/v1/auth/me'), 200);
		// closed ones would still be listed, as TIME_WAIT
		assert.ok(connectionsOf(own.port).length <= 3, connectionsOf(own.port).join('\n'));
	} finally {
		await front.stop();
		await own.stop();
	}
});

test('plain HTTP is sent to TLS, and HTTP/2 is spoken there', async () => {
	const plain = new HttpClient(proxy.plainUrl);
	const { status, headers } = await plain.get('/health?x=1');
	plain.close();
	assert.equal(status, 308);
	assert.equal(headers.location, 'https://127.0.0.1/health?x=1');

	const session = http2.connect(proxy.url, { ca: proxy.ca });
	try {
		const request = session.request({ ':path': '/health' });
		const answer = await new Promise((resolve, reject) => request.on('response', resolve).on('error', reject));
		assert.equal(answer[':status'], 200);
		request.resume();
	} finally {
		session.close();
	}
});

test("the server's own refusals come through the proxy as they are", async () => {
	assertError(await proxy.http.get('/nowhere'), 404, 'NOT_FOUND');
	assertError(await proxy.http.get('/v1/auth/me'), 401, 'UNAUTHORIZED');
	assertError(await proxy.http.delete('/health'), 405, 'METHOD_NOT_ALLOWED');
	assertError(await proxy.http.post('/v1/auth/login', '{'), 400, 'INVALID_JSON');
});
