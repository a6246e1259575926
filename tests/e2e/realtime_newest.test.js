// SPDX-License-Identifier: Apache-2.0
/*
 * newest_connection_wins: the last socket of a device that connected is the only one, over two workers and either transport.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { register } from './kit/people.js';
import { startServer } from './kit/server.js';
import { connectSocket } from './kit/socket.js';

let server;
before(async () => { server = await startServer({ set: { 'socketio.newest_connection_wins': 'on', 'log.level': 'debug' } }); });
after(() => server?.stop());

const transports = [['websocket'], ['polling'], ['polling', 'websocket']];

test('each new socket of a device ends the one before, which stays away', async () => {
	const ala = await register(server);
	const other = await ala.login({});
	const bystander = await connectSocket(server, other);
	let last = await connectSocket(server, ala);
	for (let i = 0; i < 12; i++) {
		last.raw.io.reconnection(true);
		last.raw.io.on('reconnect_attempt', () => assert.fail('it came back'));
		const next = await connectSocket(server, ala, { transports: transports[i % 3] });
		assert.equal(await last.disconnected(), 'io server disconnect');
		assert.ok((await next.request('ping')).timestamp);
		last = next;
	}
	await server.waitForLog(/session closed: newer connection/);
	assert.ok((await bystander.request('ping')).timestamp);
	last.close();
	bystander.close();
});

test('of some at once exactly one is left', async () => {
	const ala = await register(server);
	for (let round = 0; round < 15; round++) {
		const sockets = await Promise.all(Array.from({ length: 4 }, (_, i) => connectSocket(server, ala, { transports: transports[(i + round) % 2] })));
		for (const end = Date.now() + 5000; sockets.filter((socket) => socket.connected).length > 1; await new Promise((resolve) => { setTimeout(resolve, 5); }))
			assert.ok(Date.now() < end, 'more than one is left');
		const [left] = sockets.filter((socket) => socket.connected);
		assert.ok((await left.request('ping')).timestamp, 'and it stays');
		left.close();
	}
});
