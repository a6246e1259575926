// SPDX-License-Identifier: Apache-2.0
/*
 * Servers that a module mounts for itself (the service "socketio.v1"), by the module that the protocol suites use: namespaces,
 * acknowledgements both ways, binary, rooms, and connection state recovery.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import path from 'node:path';
import { io } from 'socket.io-client';
import WebSocket from 'ws';
import { Engine } from './kit/engineio.js';
import { HttpClient } from './kit/http.js';
import { buildDir, startServer } from './kit/server.js';

const module = path.join(buildDir, 'test-modules/conformance.so');
const start = (set, workers = 2) => startServer({
	modules: ['auth', 'socketio', module], workers,
	set: { 'socketio.path': '/realtime', 'conformance.i_am_a_test': 'on', ...set },
});
let server;
let recovering;
before(async () => { [server, recovering] = await Promise.all([start({}), start({ 'conformance.recovery': 'on' })]); });
after(async () => { await server?.stop(); await recovering?.stop(); });

const once = (emitter, event, ms = 5000) => new Promise((resolve, reject) => {
	const timer = setTimeout(() => reject(new Error(`no ${event} in ${ms} ms`)), ms);
	emitter.once(event, (...args) => { clearTimeout(timer); resolve(args); });
});
/** With the bytes as the test writes them, however deep they are. */
function plain(value) {
	if (value instanceof ArrayBuffer)
		return Buffer.from(value);
	if (Array.isArray(value))
		return value.map(plain);
	if (value !== null && typeof value === 'object' && !Buffer.isBuffer(value))
		return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
	return value;
}

/** A client without a library: its messages in order, pings answered. */
async function raw(from = server) {
	const socket = new WebSocket(`ws://127.0.0.1:${from.port}/socket.io/?EIO=4&transport=websocket`);
	const messages = [], waiting = [];
	socket.on('error', () => {});
	socket.on('message', (data, binary) => {
		const message = binary ? data : data.toString();
		if (message === '2')
			socket.send('3');
		else if (waiting.length > 0)
			waiting.shift()(message);
		else
			messages.push(message);
	});
	const closed = new Promise((resolve) => { socket.on('close', resolve); });
	const next = () => new Promise((resolve, reject) => {
		if (messages.length > 0)
			return resolve(messages.shift());
		waiting.push(resolve);
		return setTimeout(() => reject(new Error('nothing came')), 5000).unref();
	});
	const opened = JSON.parse((await next()).slice(1));
	return {
		sid: opened.sid, next, closed, send: (...all) => all.forEach((message) => socket.send(message)), close: () => socket.terminate(),
		/** Joins a namespace; the answer. */
		async join(namespace = '') {
			socket.send(`40${namespace}`);
			const answer = await next();
			assert.match(await next(), /^42.*\["auth",/);
			return answer;
		},
	};
}

const transports = [['websocket'], ['polling'], ['polling', 'websocket']];

function open(from, namespace = '/', options = {}) {
	const socket = io(from.url + namespace, { forceNew: true, reconnection: false, ...options });
	socket.first = once(socket, 'auth', 10000);
	socket.ready = once(socket, 'connect', 10000).then(() => socket);
	return socket;
}

test('refuses to start as part of a real server', async () => {
	await assert.rejects(start({ 'conformance.i_am_a_test': 'off' }), /this module lets anybody in/);
});

for (const transport of transports) {
	test(`echoes, acknowledges and asks over ${transport}`, async () => {
		const socket = await open(server, '/', { transports: transport, auth: { z: 1, a: 'b' } }).ready;
		assert.deepEqual(await socket.first, [{ z: 1, a: 'b' }]);
		const args = [1, 'a,b"]\\', [1, { a: null }], Buffer.from([1, 2, 30]), { deep: [Buffer.alloc(0)] }];
		const back = once(socket, 'message-back');
		socket.emit('message', ...args);
		assert.deepEqual(plain(await back), args);
		const acked = await socket.timeout(3000).emitWithAck('message-with-ack', Buffer.from('xyz'));
		assert.equal(Buffer.from(acked).toString(), 'xyz');
		socket.on('question', (x, answer) => answer(x, Buffer.from('answer')));
		const answered = once(socket, 'answered');
		socket.emit('ask', { x: 5 });
		const [x, binary] = await answered;
		assert.deepEqual([x, Buffer.from(binary).toString()], [{ x: 5 }, 'answer']);
		socket.disconnect();
	});
}

test('serves namespaces side by side, and says which there are not', async () => {
	const root = await open(server).ready;
	const custom = root.io.socket('/custom', { auth: { who: 'c' } });
	const told = once(custom, 'auth');
	await told;
	assert.notEqual(custom.id, root.id);
	const unknown = root.io.socket('/unknown');
	const [error] = await once(unknown, 'connect_error');
	assert.equal(error.message, 'Invalid namespace');
	custom.disconnect();
	assert.equal(await root.timeout(3000).emitWithAck('message-with-ack', 7), 7);
	root.disconnect();
});

test('a hook refuses a session before there is one, and is not asked again for those there are', async () => {
	const origin = 'https://refused.example';
	const body = { code: 4, message: 'Forbidden' };
	for (const at of ['/socket.io/', '/engine.io/', '/realtime/']) {
		const from = server.log().length;
		const refused = await server.http.request({ path: `${at}?EIO=4&transport=polling`, headers: { origin } });
		assert.deepEqual([refused.status, refused.headers['retry-after'], refused.headers['content-type'], refused.body], [403, '7', 'application/json', body]);
		const socket = new WebSocket(`ws://127.0.0.1:${server.port}${at}?EIO=4&transport=websocket`, { origin });
		const [, answer] = await once(socket, 'unexpected-response');
		assert.equal(answer.statusCode, 403);
		assert.deepEqual(JSON.parse(await new Promise((resolve) => { let text = ''; answer.on('data', (part) => { text += part; }); answer.on('end', () => resolve(text)); })), body);
		socket.on('error', () => {});
		socket.terminate();
		assert.doesNotMatch(server.log().slice(from), /session closed/, 'there was none');
		assert.equal((await server.http.request({ path: `${at}?EIO=3&transport=polling`, headers: { origin } })).body.code, 4, 'before the version');
		assert.equal((await server.http.request({ method: 'PUT', path: `${at}?EIO=3&transport=polling`, headers: { origin } })).body.code, 2, 'behind the method');
	}
	const { sid } = JSON.parse((await server.http.get('/socket.io/?EIO=4&transport=polling')).text.slice(1));
	assert.equal((await server.http.request({ method: 'POST', path: `/socket.io/?EIO=4&transport=polling&sid=${sid}`, body: '40', headers: { origin } })).status, 200);
	assert.match((await server.http.request({ path: `/socket.io/?EIO=4&transport=polling&sid=${sid}`, headers: { origin } })).text, /^40/);
	const upgrade = new WebSocket(`ws://127.0.0.1:${server.port}/socket.io/?EIO=4&transport=websocket&sid=${sid}`, { origin });
	await once(upgrade, 'open');
	upgrade.close();
});

test('tells rooms on every worker, binary too', async () => {
	const sockets = await Promise.all(Array.from({ length: 9 }, (_, i) => open(server, '/', { transports: transports[i % 3] }).ready));
	await Promise.all(sockets.slice(0, 8).map((socket) => socket.timeout(3000).emitWithAck('join', 'r')));
	const pushed = sockets.slice(0, 8).map((socket) => once(socket, 'pushed'));
	sockets[8].on('pushed', () => assert.fail('it is not in the room'));
	sockets[8].emit('push', 'r', 1, Buffer.from('two'));
	for (const args of await Promise.all(pushed))
		assert.deepEqual([args[0], Buffer.from(args[1]).toString()], [1, 'two']);
	const alone = once(sockets[3], 'pushed');
	sockets[8].emit('push', sockets[3].id, 'you');
	assert.deepEqual(await alone, ['you']);
	for (const socket of sockets)
		socket.disconnect();
});

test('closes what names attachments that are not there', async () => {
	for (const num of [1, -1, '0', 0.5, null]) {
		const socket = await open(server, '/', { transports: ['websocket'] }).ready;
		const gone = once(socket, 'disconnect');
		const raw = socket.io.engine.transport.ws;
		raw.send(`451-["message",{"_placeholder":true,"num":${JSON.stringify(num)}}]`);
		raw.send(Buffer.from('x'));
		await gone;
	}
});

test('takes exactly the attachments that were announced, all together within the limit', async () => {
	const many = await raw();
	await many.join();
	const marks = Array.from({ length: 10 }, (_, num) => ({ _placeholder: true, num }));
	many.send(`4510-["message",${JSON.stringify(marks)}]`, ...marks.map((_, i) => Buffer.from([i])));
	assert.match(await many.next(), /^4510-\["message-back",/);
	for (let i = 0; i < 10; i++)
		assert.deepEqual([...await many.next()], [i]);
	// The same one twice, the other one not at all.
	many.send('452-["message",[{"_placeholder":true,"num":1},{"a":{"_placeholder":true,"num":1}}]]', Buffer.from('x'), Buffer.from('y'));
	const text = await many.next();
	assert.match(text, /^45[12]-\["message-back",\[\{"_placeholder":true,"num":(\d)\},\{"a":\{"_placeholder":true,"num":\1\}\}\]\]$/);
	const attachments = [];
	for (let i = 0; i < Number(text[2]); i++)
		attachments.push(String(await many.next()));
	assert.equal(attachments[Number(/"num":(\d)/.exec(text)[1])], 'y');
	many.close();
	const half = Buffer.alloc(600000);
	for (const wrong of [
		['450-["message"]'], ['4511-["message"]'], ['45["message"]'], ['452-["message"]', Buffer.from('x'), '42["message"]'],
		[Buffer.from('x')], ['451-["message"]', Buffer.from('x'), Buffer.from('y')], ['452-["message"]', half, half],
	]) {
		const client = await raw();
		await client.join();
		client.send(...wrong);
		await client.closed;
	}
});

test('acknowledges each id as it was written, once, and ignores acknowledgements of nothing', async () => {
	const client = await raw();
	await client.join();
	for (const id of ['0', '9007199254740992', '007']) {
		client.send(`42${id}["message-with-ack",1]`);
		assert.equal(await client.next(), `43${id}[1]`);
	}
	client.send('4399["nobody"]', '42["ask",1]');
	const [, asked] = /^42(\d+)\["question",1\]$/.exec(await client.next());
	client.send(`43${asked}["first"]`, `43${asked}["second"]`, '42["message","end"]');
	assert.equal(await client.next(), '42["answered","first"]');
	assert.equal(await client.next(), '42["message-back","end"]');
	client.send('42["ask",2]');
	const [, later] = /^42(\d+)\["question",2\]$/.exec(await client.next());
	assert.equal(Number(later), Number(asked) + 1);
	client.send('4290071992547409920["message-with-ack"]');
	await client.closed;
});

test('a connection outlives its namespaces, and ends with what the protocol does not know', async () => {
	const client = await raw();
	const [, id] = /^40\{"sid":"([A-Za-z0-9_-]{20})"\}$/.exec(await client.join());
	assert.notEqual(id, client.sid);
	const [, other] = /^40\/custom,\{"sid":"([A-Za-z0-9_-]{20})"\}$/.exec(await client.join('/custom,'));
	assert.equal(new Set([id, other, client.sid]).size, 3);
	client.send('40/unknown,{"a":1}');
	assert.equal(await client.next(), '44/unknown,{"message":"Invalid namespace"}');
	client.send('41/custom,', '41');
	const [, again] = /^40\{"sid":"([A-Za-z0-9_-]{20})"\}$/.exec(await client.join());
	assert.notEqual(again, id);
	client.send('421["message-with-ack"]');
	assert.equal(await client.next(), '431[]');
	client.close();
	for (const wrong of ['42["message"]', '431[]', '41', '42/custom,["message"]', '43/custom,1[]', '44{"message":"x"}', '40|40', '40|42/custom,["message"]', '40|41/custom,']) {
		const rude = await raw();
		rude.send(...wrong.split('|'));
		await rude.closed;
	}
});

test('ends a namespace, or the whole connection', async () => {
	const kicked = await open(server).ready;
	kicked.emit('kick');
	assert.deepEqual((await once(kicked, 'disconnect'))[0], 'io server disconnect');
	for (const transport of ['websocket', 'polling']) {
		const hard = await open(server, '/', { transports: [transport] }).ready;
		hard.emit('kick-hard');
		assert.ok(['io server disconnect', 'transport close'].includes((await once(hard, 'disconnect'))[0]), transport);
	}
});

test('modules are told why a socket has gone, in the words of the reference server', async () => {
	const watcher = await open(server, '/', { transports: ['websocket'] }).ready;
	await watcher.timeout(3000).emitWithAck('join', 'reasons');
	const engine = new Engine(server);
	const polls = (act) => async () => {
		const sid = await engine.open();
		await engine.post(sid, '40');
		const { text } = await engine.poll(sid);
		await act(sid);
		return JSON.parse(text.split('\x1e').find((packet) => packet.startsWith('40')).slice(2)).sid;
	};
	const socket = (act) => async () => {
		const raw = await engine.webSocket({});
		await raw.next();
		raw.send('40');
		const { sid } = JSON.parse((await raw.next()).slice(2));
		await act(raw);
		return sid;
	};
	const broken = async (sid) => {
		const client = new HttpClient(server.url);
		const lost = client.get(engine.path({ sid })).catch(() => {});
		await new Promise((resolve) => { setTimeout(resolve, 50); });
		client.close();
		await lost;
	};
	for (const [reason, name, end] of [
		['transport close', 'a close frame', socket((raw) => raw.socket.close())],
		['transport close', 'the connection ends', socket((raw) => raw.socket.terminate())],
		['transport close', 'a close packet', polls((sid) => engine.post(sid, '1'))],
		['transport close', 'a close packet', socket((raw) => raw.send('1'))],
		['transport error', 'a broken poll', polls(broken)],
		['transport error', 'two polls', polls(async (sid) => { await Promise.all([engine.poll(sid), engine.poll(sid), engine.poll(sid)]); })],
		['transport error', 'a type that nobody takes', polls((sid) => engine.post(sid, '40', { 'content-type': 'application/octet-stream' }))],
		['ping timeout', 'silence', socket(() => {})],
		['parse error', 'no packet', socket((raw) => raw.send('nonsense'))],
		['parse error', 'no packet', polls((sid) => engine.post(sid, '4x'))],
		['forced server close', 'CONNECT twice', socket((raw) => raw.send('40'))],
		['client namespace disconnect', 'DISCONNECT', socket((raw) => raw.send('41'))],
		['server namespace disconnect', 'a kick', socket((raw) => raw.send('42["kick"]'))],
	]) {
		const heard = [];
		let wake = () => {};
		watcher.on('gone', (id, why) => { heard.push([id, why]); wake(); });
		const id = await end();
		while (!heard.some((one) => one[0] === id))
			await new Promise((resolve) => { wake = resolve; });
		assert.deepEqual(heard.filter((one) => one[0] === id), [[id, reason]], name);
		watcher.off('gone');
	}
	watcher.disconnect();
});

test('echoes Engine.IO and WebSocket messages as they came', async () => {
	const echo = new WebSocket(`ws://127.0.0.1:${server.port}/ws-echo`);
	await once(echo, 'open');
	const large = Buffer.alloc(3 << 20, 'a');
	echo.send(large);
	assert.ok((await once(echo, 'message', 10000))[0].equals(large));
	echo.close();
	const engine = new WebSocket(`ws://127.0.0.1:${server.port}/engine.io/?EIO=4&transport=websocket`);
	const seen = [];
	engine.on('message', (data) => seen.push(data.toString()));
	await once(engine, 'open');
	engine.send('4hello');
	while (!seen.includes('4hello'))
		await once(engine, 'message');
	engine.close();
});

/** Loses the connection as a network does, and comes back. */
async function comeBack(socket) {
	const back = once(socket, 'connect', 10000);
	socket.io.engine.transport.ws.terminate();
	await once(socket, 'disconnect');
	await new Promise((resolve) => { setTimeout(resolve, 50); });
	return { back, connect: () => socket.connect() };
}

test('brings a socket back again and again, with its id, rooms and what it missed', async () => {
	const options = { transports: ['websocket'] };
	const [socket, other] = await Promise.all([open(recovering, '/', options).ready, open(recovering, '/', options).ready]);
	await socket.timeout(3000).emitWithAck('join', 'r');
	const { id } = socket;
	const seen = [];
	socket.on('pushed', (x) => seen.push(x));
	for (let round = 0; round < 3; round++) {
		const { back, connect } = await comeBack(socket);
		other.emit('push', 'r', `missed ${round}`);
		other.emit('push', 'elsewhere', 'not for it');
		await other.timeout(3000).emitWithAck('message-with-ack', 1);
		connect();
		await back;
		assert.deepEqual([socket.recovered, socket.id], [true, id]);
		await socket.timeout(3000).emitWithAck('message-with-ack', 1);
		const live = once(socket, 'pushed');
		other.emit('push', 'r', `live ${round}`);
		await live;
	}
	assert.deepEqual(seen, ['missed 0', 'live 0', 'missed 1', 'live 1', 'missed 2', 'live 2']);
	socket.disconnect();
	other.disconnect();
});

test('recovers nobody with a pid that is unknown, used or given up', async () => {
	const options = { transports: ['websocket'] };
	for (const pid of ['x', 'A'.repeat(20), 5, null]) {
		const socket = await open(recovering, '/', { ...options, auth: { pid, offset: '1' } }).ready;
		assert.equal(socket.recovered, false);
		socket.disconnect();
	}
	const socket = await open(recovering, '/', options).ready;
	const { id } = socket;
	socket.disconnect();
	socket.connect();
	await once(socket, 'connect');
	assert.deepEqual([socket.recovered, socket.id === id], [false, false]);
	socket.disconnect();
});
