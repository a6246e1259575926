// SPDX-License-Identifier: Apache-2.0
/*
 * A server of a module's own that looks at its clients before it lets them in, and what else the service "socketio.v1" has
 * for few: time limits of acknowledgements, volatile events; and "realtime.v1" as any module may use it.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import path from 'node:path';
import { io } from 'socket.io-client';
import { register } from './kit/people.js';
import { buildDir, startServer } from './kit/server.js';
import { connectSocket } from './kit/socket.js';
import { HttpClient } from './kit/http.js';

const module = path.join(buildDir, 'test-modules/conformance.so');
const start = (set) => startServer({
	modules: ['auth', 'prekeys', 'users', 'dm_sessions', 'dm_messages', 'socketio', module], workers: 2,
	set: { 'socketio.path': '/realtime', 'conformance.i_am_a_test': 'on', ...set },
});
let server;
let recovering;
before(async () => { [server, recovering] = await Promise.all([start({}), start({ 'conformance.recovery': 'on', 'socketio.recovery': 'on' })]); });
after(async () => { await server?.stop(); await recovering?.stop(); });

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const once = (emitter, event, ms = 5000) => new Promise((resolve, reject) => {
	const timer = setTimeout(() => reject(new Error(`no ${event} in ${ms} ms`)), ms);
	emitter.once(event, (...args) => { clearTimeout(timer); resolve(args); });
});
const transports = [['websocket'], ['polling'], ['polling', 'websocket']];

function open(from, auth, options = {}) {
	const socket = io(from.url, { path: '/guarded', forceNew: true, reconnection: false, auth, ...options });
	socket.ready = once(socket, 'connect', 10000).then(() => socket);
	socket.ready.catch(() => {});
	return socket;
}

const request = (socket, ...args) => socket.timeout(5000).emitWithAck(...args);

for (const transport of transports) {
	test(`over ${transport} lets in at once, later, or not at all, and says why`, async () => {
		for (const how of ['now', 'later']) {
			const socket = await open(server, { name: `ala ${how}`, how }, { transports: transport }).ready;
			assert.equal(await request(socket, 'who'), `ala ${how}`);
			socket.disconnect();
		}
		for (const auth of [{}, { name: 'x', how: 'never' }, { how: 'now' }]) {
			const socket = open(server, auth, { transports: transport });
			const [error] = await once(socket, 'connect_error');
			assert.deepEqual([error.message, error.data], ['not you', { code: 7 }]);
			socket.disconnect();
		}
	});
}

test('those who wait to be let in hear nothing, may leave, and may not speak', async () => {
	const speaker = await open(server, { name: 's', how: 'now' }).ready;
	const waiting = open(server, { name: 'w', how: 'later' }, { transports: ['websocket'] });
	waiting.on('said', (text) => assert.equal(text, 'heard'));
	while (!waiting.io.engine?.transport?.writable)
		await sleep(10);
	await sleep(50);
	await request(speaker, 'say-all', 'not heard');
	await waiting.ready;
	const heard = once(waiting, 'said');
	await request(speaker, 'say-all', 'heard');
	await heard;
	waiting.disconnect();
	const leaving = open(server, { name: 'l', how: 'later' }, { transports: ['websocket'] });
	await sleep(100);
	leaving.io.engine.close();
	const rude = open(server, { name: 'r', how: 'later' }, { transports: ['websocket'] });
	await sleep(100);
	rude.io.engine.transport.ws.send('42["say",1]');
	await once(rude.io, 'close');
	await sleep(300); // both are decided by now
	assert.equal(await request(speaker, 'who'), 's');
	speaker.disconnect();
});

test('a place is given back to nobody but who had it', async () => {
	const socket = await open(recovering, { name: 'ala', how: 'later' }).ready;
	const { id, _pid: pid } = socket;
	socket.io.engine.close();
	await sleep(100);
	const thief = await open(recovering, { name: 'eve', how: 'now', pid }).ready;
	assert.deepEqual([thief.recovered, thief.id === id], [false, false]);
	thief.disconnect();
	socket.connect();
	await once(socket, 'connect');
	assert.deepEqual([socket.recovered, socket.id], [true, id]);
	assert.equal(await request(socket, 'who'), 'ala');
	socket.disconnect();
});

test('a room is told but for who is left out and who has left, nobody twice', async () => {
	const sockets = await Promise.all(Array.from({ length: 6 }, (_, i) => open(server, { name: `${i}`, how: i % 2 ? 'now' : 'later' }, { transports: transports[i % 3] }).ready));
	const heard = sockets.map(() => []);
	sockets.forEach((socket, i) => socket.on('said', (text) => heard[i].push(text)));
	await request(sockets[0], 'say-all', 1);
	await request(sockets[2], 'leave');
	await request(sockets[1], 'say-all', 2);
	await request(sockets[2], 'say-all', 3);
	await sleep(300);
	assert.deepEqual(heard, [[2, 3], [1, 3], [1], [1, 2, 3], [1, 2, 3], [1, 2, 3]]);
	for (const socket of sockets)
		socket.disconnect();
});

test('an acknowledgement comes in time, or its time is over, once', async () => {
	const socket = await open(server, { name: 'x', how: 'now' }, { transports: ['websocket'] }).ready;
	const outcomes = [];
	socket.on('outcome', (text) => outcomes.push(text));
	socket.once('question', (answer) => answer('in time'));
	await request(socket, 'ask-within', 3000);
	await sleep(200);
	assert.deepEqual(outcomes, ['in time']);
	let answerLate;
	socket.once('question', (answer) => { answerLate = answer; });
	await request(socket, 'ask-within', 100);
	await sleep(600);
	answerLate('too late');
	assert.equal(await request(socket, 'who'), 'x');
	assert.deepEqual(outcomes, ['in time', 'late']);
	for (let i = 0; i < 5; i++)
		socket.emit('ask-within', i % 2 ? 0 : 3000);
	socket.disconnect(); // those who wait are told that nothing will come
	const other = await open(server, { name: 'y', how: 'now' }).ready;
	assert.equal(await request(other, 'who'), 'y');
	other.disconnect();
});

for (const from of ['plain', 'recovering']) {
	test(`volatile events are dropped where the client is not there to take them (${from})`, async () => {
		const client = new HttpClient((from === 'plain' ? server : recovering).url);
		const at = '/guarded/?EIO=4&transport=polling';
		const first = await client.get(at);
		const { sid } = JSON.parse(first.text.slice(1));
		const post = (body) => client.request({ method: 'POST', path: `${at}&sid=${sid}`, body, headers: { 'content-type': 'text/plain' } });
		const poll = async () => (await client.get(`${at}&sid=${sid}`)).text;
		await post('40{"name":"v","how":"now"}');
		assert.match(await poll(), /^40\{/);
		await post('42["whisper",1]');
		await post('42["say",2]');
		const [said, ...more] = (await poll()).split('\x1e');
		assert.match(said, from === 'plain' ? /^42\["said",2\]$/ : /^42\["said",2,"[^"]+"\]$/);
		assert.deepEqual(more, []);
		const waiting = poll();
		await sleep(100);
		const other = new HttpClient((from === 'plain' ? server : recovering).url);
		await other.request({ method: 'POST', path: `${at}&sid=${sid}`, body: '42["whisper",3]', headers: { 'content-type': 'text/plain' } });
		assert.equal(await waiting, '42["whisper",3]', 'without an offset');
		client.close();
		other.close();
	});
}

test('a volatile event to a room reaches who can take it, and is not kept for who is away', async () => {
	const [speaker, near, away] = await Promise.all(['s', 'n', 'a'].map((name) => open(recovering, { name, how: 'now' }, { transports: ['websocket'] }).ready));
	const heard = { n: [], a: [] };
	near.onAny((event, text) => heard.n.push(`${event} ${text}`));
	away.onAny((event, text) => heard.a.push(`${event} ${text}`));
	away.io.engine.close();
	await sleep(100);
	await request(speaker, 'whisper-all', 1);
	await request(speaker, 'say-all', 2);
	away.connect();
	await once(away, 'connect');
	assert.equal(away.recovered, true);
	await request(speaker, 'say-all', 3);
	await sleep(200);
	assert.deepEqual(heard, { n: ['whisper 1', 'said 2', 'said 3'], a: ['said 2', 'said 3'] });
	for (const socket of [speaker, near, away])
		socket.disconnect();
});

test('a text at the end of an event without an offset is not taken for one', async () => {
	const [speaker, away] = await Promise.all(['s', 'a'].map((name) => open(recovering, { name, how: 'now' }, { transports: ['websocket'] }).ready));
	const heard = [];
	away.onAny((event, text) => heard.push(`${event} ${text}`));
	await request(speaker, 'say-all', 1);
	await request(away, 'whisper', 'poison');
	for (let round = 0; round < 2; round++) {
		assert.equal(away._lastOffset, 'poison', `round ${round}`);
		away.io.engine.close();
		await sleep(100);
		await request(speaker, 'say-all', `missed ${round}`);
		away.connect();
		await once(away, 'connect');
		assert.equal(away.recovered, true);
		await sleep(100);
		await request(away, 'whisper', 'poison');
	}
	assert.deepEqual(heard, ['said 1', 'whisper poison', 'said missed 0', 'whisper poison', 'said missed 1', 'whisper poison']);
	speaker.disconnect();
	away.disconnect();
});

test('another module pushes to a room of clients, and asks whether anybody is in it', async () => {
	for (const at of [server, recovering]) {
		const ala = await register(at);
		const asking = await open(at, { name: 'm', how: 'now' }).ready;
		const room = `device:${ala.deviceId}`;
		assert.equal(await request(asking, 'members', room), false);
		const sockets = await Promise.all(transports.map((transport) => connectSocket({ url: at.url }, ala, { transports: transport, path: '/realtime' })));
		assert.equal(await request(asking, 'members', room), true);
		await request(asking, 'push-room', room, { note: 'x"y' });
		await request(asking, 'push-room', 'device:ffffffffffffffff', { note: 'for nobody' });
		for (const socket of sockets) {
			assert.deepEqual(await socket.waitFor('test.note'), { note: 'x"y' });
			assert.equal(socket.all('test.note').length, 1);
			socket.close();
		}
		for (let tries = 0; await request(asking, 'members', room); tries++) {
			assert.ok(tries < 50, 'the room is empty');
			await sleep(50);
		}
		asking.disconnect();
	}
});
