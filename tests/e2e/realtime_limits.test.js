// SPDX-License-Identifier: Apache-2.0
/*
 * Each limit of the module socketio, at what it lets pass and one beyond: those of our own server, and those of servers that
 * other modules mount.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import path from 'node:path';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws'; // comes with socket.io-client
import { register } from './kit/people.js';
import { buildDir, startServer } from './kit/server.js';

const SEND_LIMIT = 4096, PAYLOAD = 3000;
let server, mounted, ala;
before(async () => {
	const limits = { 'socketio.max_fragments': 4, 'socketio.max_attachments': 2, 'socketio.max_namespaces': 1, 'socketio.max_rooms': 2, 'socketio.max_acks': 2 };
	[server, mounted] = await Promise.all([
		startServer({ set: { ...limits, 'socketio.max_payload': PAYLOAD, 'socketio.send_limit': SEND_LIMIT, 'socketio.max_requests': 2 } }),
		startServer({
			modules: ['auth', 'socketio', path.join(buildDir, 'test-modules/conformance.so')],
			set: { ...limits, 'socketio.path': '/realtime', 'conformance.i_am_a_test': 'on' },
		}),
	]);
	ala = await register(server);
});
after(async () => { await server?.stop(); await mounted?.stop(); });

/** A raw WebSocket that has connected; `until` a message, `ended` with the close code. */
async function connected() {
	const socket = new WebSocket(`${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
	const messages = [];
	let wake = () => {};
	socket.on('message', (data) => { messages.push(data.toString()); wake(); });
	const ended = new Promise((resolve) => socket.on('close', resolve));
	const until = async (start) => {
		while (!messages.some((message) => message.startsWith(start)))
			await new Promise((resolve) => { wake = resolve; });
	};
	await until('0');
	socket.send(`40${JSON.stringify({ token: ala.accessToken })}`);
	await until('40');
	return { socket, until, ended };
}

/** A polling session that has connected. */
async function polling() {
	const { sid } = JSON.parse((await server.http.get('/socket.io/?EIO=4&transport=polling')).text.slice(1));
	const at = `/socket.io/?EIO=4&transport=polling&sid=${sid}`;
	await server.http.post(at, `40${JSON.stringify({ token: ala.accessToken })}`);
	assert.match((await server.http.get(at)).text, /^40/);
	return { get: async () => (await server.http.get(at)).text, post: (body) => server.http.post(at, body) };
}

const event = (id, size) => { const text = `42${id}["x",""]`; return `${text.slice(0, -2)}${'x'.repeat(size - text.length)}"]`; };

test('max_payload', async () => {
	const { socket, until, ended } = await connected();
	socket.send(event(1, PAYLOAD));
	await until('431');
	socket.send(event(2, PAYLOAD + 1));
	assert.equal(await ended, 1009);
	const session = await polling();
	assert.equal((await session.post(event(1, PAYLOAD))).status, 200);
	assert.match(await session.get(), /^431/);
	assert.equal((await session.post(event(2, PAYLOAD + 1))).status, 413);
});

test('max_fragments', async () => {
	const { socket, until, ended } = await connected();
	const send = (parts) => parts.forEach((part, i) => socket.send(part, { fin: i === parts.length - 1 }));
	send(['42', '1[', '"x"', ']']);
	await until('431');
	send(['42', '2', '[', '"x"', ']']);
	assert.equal(await ended, 1008);
});

test('max_attachments', async () => {
	const { socket, until, ended } = await connected();
	socket.send('452-1["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
	socket.send(Buffer.from('a'));
	socket.send(Buffer.from('b'));
	await until('431');
	socket.send('453-2["x"]');
	await ended;
});

test('send_limit', async () => {
	const session = await polling();
	await session.post('42["ping"]');
	const each = (await session.get()).length + 1; // with the separator
	const fit = Math.floor((SEND_LIMIT + 2) / each);
	const post = async (count) => {
		for (let left = count; left > 0; left -= 100)
			assert.equal((await session.post(Array(Math.min(left, 100)).fill('42["ping"]').join('\x1e'))).status, 200);
	};
	await post(fit);
	assert.equal((await session.get()).split('\x1e').length, fit);
	await post(fit + 1);
	assert.equal(JSON.parse(await session.get()).code, 1);
});

test('max_requests', async () => {
	const session = await polling();
	const request = (id) => `42${id}["request",{"method":"GET","path":"/v1/auth/devices"}]`;
	await session.post([1, 2, 3].map(request).join('\x1e')); // all three before an answer of the store can come
	const seen = [];
	while (seen.length < 3)
		seen.push(...(await session.get()).split('\x1e'));
	const statusOf = (id) => JSON.parse(seen.find((packet) => packet.startsWith(`43${id}`)).slice(3))[0].status;
	assert.deepEqual([1, 2, 3].map(statusOf), [200, 200, 429]);
});

const once = (emitter, name) => new Promise((resolve) => { emitter.once(name, (...args) => resolve(args)); });

async function open(namespace = '/') {
	const socket = io(mounted.url + namespace, { forceNew: true, reconnection: false, transports: ['websocket'] });
	await once(socket, 'connect');
	return socket;
}

test('max_namespaces', async () => {
	const socket = await open();
	const [error] = await once(socket.io.socket('/custom'), 'connect_error');
	assert.equal(error.message, 'Too many namespaces');
	socket.disconnect();
});

test('max_rooms', async () => {
	const [socket, other] = [await open(), await open()];
	const seen = [];
	socket.on('pushed', (room) => seen.push(room));
	for (const room of ['a', 'b', 'c'])
		await socket.timeout(3000).emitWithAck('join', room);
	for (const room of ['a', 'b', 'c', socket.id])
		other.emit('push', room, room);
	while (seen.at(-1) !== socket.id)
		await once(socket, 'pushed');
	assert.deepEqual(seen, ['a', 'b', socket.id]);
	socket.disconnect();
	other.disconnect();
});

test('max_acks', async () => {
	const socket = await open();
	const owed = [];
	socket.on('question', (n, answer) => owed.push([n, answer]));
	for (const n of [1, 2, 3])
		socket.emit('ask', n);
	await socket.timeout(3000).emitWithAck('message-with-ack', 0);
	assert.deepEqual(owed.map(([n]) => n), [1, 2]);
	const answered = once(socket, 'answered');
	owed[0][1]('done');
	assert.deepEqual(await answered, ['done']);
	socket.emit('ask', 4);
	await socket.timeout(3000).emitWithAck('message-with-ack', 0);
	assert.deepEqual(owed.map(([n]) => n), [1, 2, 4]);
	socket.disconnect();
});
