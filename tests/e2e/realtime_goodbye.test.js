// SPDX-License-Identifier: Apache-2.0
/*
 * Ends of sessions that come at an awkward moment: between 3probe and 5 a client has stopped polling and its WebSocket is not in
 * use yet, so that the goodbye has to wait for the 5.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws'; // comes with socket.io-client
import { HttpClient } from './kit/http.js';
import { register } from './kit/people.js';
import { startServer } from './kit/server.js';

let server;
before(async () => {
	server = await startServer({ set: { 'log.level': 'debug', 'socketio.upgrade_timeout': '4s', 'socketio.send_limit': 65536 } });
});
after(() => server?.stop());

const path = (query) => `/socket.io/?${new URLSearchParams({ EIO: 4, ...query })}`;
const soon = (promise, what, ms = 5000) => {
	let timer;
	const late = new Promise((_resolve, reject) => { timer = setTimeout(() => reject(new Error(`${what} not within ${ms} ms`)), ms); });
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

async function ask(method, query, body) {
	const client = new HttpClient(server.url);
	try {
		return await client.request({ method, path: path({ transport: 'polling', ...query }), body, headers: body === undefined ? {} : { 'content-type': 'text/plain;charset=UTF-8' } });
	} finally {
		client.close();
	}
}

/** Connected by polling, then up to 3probe. */
async function promised(person) {
	const { sid } = JSON.parse((await ask('GET', {})).text.slice(1));
	await ask('POST', { sid }, `40${JSON.stringify({ token: person.accessToken })}`);
	assert.match((await ask('GET', { sid })).text, /^40/);
	const socket = new WebSocket(`${server.url.replace('http', 'ws')}${path({ transport: 'websocket', sid })}`);
	const messages = [];
	const ended = new Promise((resolve) => socket.on('close', (code) => resolve({ code, messages })));
	socket.on('message', (data) => messages.push(data.toString()));
	socket.on('error', () => {});
	await new Promise((resolve, reject) => { socket.on('open', resolve); socket.on('error', reject); });
	socket.send('2probe');
	if (messages.length === 0)
		await Promise.race([ended, new Promise((resolve) => { socket.once('message', resolve); })]);
	assert.deepEqual(messages, ['3probe']);
	return { sid, socket, ended };
}

async function logout(person) {
	const from = server.log().length;
	await person.post('/v1/auth/logout', {});
	await server.waitForLog(/session closed: token revoked/, 5000, from);
}

test('what ends between 3probe and 5 says goodbye behind the 5', async () => {
	const ala = await register(server);
	const { sid, socket, ended } = await promised(ala);
	await logout(ala);
	socket.send('5');
	assert.deepEqual(await soon(ended, 'the end'), { code: 1000, messages: ['3probe', '41'] });
	assert.equal(JSON.parse((await ask('GET', { sid })).text).code, 1);
});

test('a client that goes on polling is told there', async () => {
	const ala = await register(server);
	const { sid, ended } = await promised(ala);
	await logout(ala);
	assert.equal((await ask('GET', { sid })).text, '41');
	assert.equal((await ask('GET', { sid })).text, '1');
	assert.deepEqual(await soon(ended, 'the end'), { code: 1000, messages: ['3probe'] });
	assert.equal(JSON.parse((await ask('GET', { sid })).text).code, 1);
});

test('a goodbye outlives a WebSocket that never says 5, or breaks', async () => {
	for (const leave of [() => {}, (socket) => socket.terminate(), (socket) => socket.send('2')]) {
		const ala = await register(server);
		const { sid, socket, ended } = await promised(ala);
		await logout(ala);
		leave(socket);
		assert.deepEqual((await soon(ended, 'the end')).messages, ['3probe']);
		assert.equal((await ask('GET', { sid })).text, '41');
		assert.equal((await ask('GET', { sid })).text, '1');
	}
});

test('what the protocol forbids meanwhile ends behind the 5, too, and so does too much', async () => {
	const ala = await register(server);
	const wrong = await promised(ala);
	await ask('POST', { sid: wrong.sid }, 'nonsense');
	wrong.socket.send('5');
	assert.deepEqual(await soon(wrong.ended, 'the end'), { code: 1000, messages: ['3probe'] });

	const slow = await promised(ala);
	await ask('POST', { sid: slow.sid }, Array.from({ length: 2000 }, (_, i) => `42${i}["ping"]`).join('\x1e'));
	await server.waitForLog(/session closed: overflow/);
	slow.socket.send('5');
	assert.equal((await soon(slow.ended, 'the end')).code, 1000);
});

for (const [what, end, reason] of [
	['DISCONNECT', (person) => logout(person), 'io server disconnect'],
	['a close', async (_person, sid) => { await ask('POST', { sid }, '2'); }, 'transport close'],
]) {
	test(`the real client hears of ${what} at that moment`, async (t) => {
		const ala = await register(server);
		const client = io(server.url, { auth: { token: ala.accessToken }, forceNew: true, reconnection: false, transports: ['polling', 'websocket'] });
		t.after(() => client.close());
		const heard = new Promise((resolve) => { client.on('disconnect', resolve); });
		const connected = new Promise((resolve, reject) => { client.on('connect', resolve); client.on('connect_error', reject); });
		const goOn = new Promise((resolve) => {
			client.io.once('open', () => {
				const { engine } = client.io;
				const { transport } = engine;
				const [probe, pause] = [engine._probe.bind(engine), transport.pause.bind(transport)];
				engine._probe = (name) => { connected.then(() => probe(name)); }; // only then: the answer to CONNECT must not wait for the 5
				transport.pause = (paused) => pause(() => resolve(paused));
			});
		});
		await connected;
		const paused = await soon(goOn, 'the pause'); // polling has stopped, 5 is about to be sent
		await end(ala, client.io.engine.id);
		await new Promise((resolve) => { setTimeout(resolve, 200); }); // for what must not come before the 5
		paused();
		assert.equal(await soon(heard, 'the disconnect'), reason);
	});
}
