// SPDX-License-Identifier: Apache-2.0
/*
 * Engine.IO v4 as bytes: handshake, errors and their order, payloads, the rules for polls, the upgrade
 * and the heartbeat, over two workers and a new connection for every request.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { WebSocket } from 'ws'; // comes with socket.io-client
import { inOrder } from './kit/engineio.js';
import { HttpClient, openRaw } from './kit/http.js';
import { connectSocket } from './kit/socket.js';
import { register } from './kit/people.js';
import { startServer } from './kit/server.js';

const PING_MS = 400, PONG_MS = 1200; // a busy machine with sanitizers has to keep up
let server, ala;
before(async () => {
	server = await startServer({
		set: { 'socketio.ping_interval': `${PING_MS}ms`, 'socketio.ping_timeout': `${PONG_MS}ms`, 'socketio.upgrade_timeout': '500ms', 'socketio.connect_timeout': '3s', 'socketio.max_payload': 2000 },
	});
	ala = await register(server);
});
after(() => server?.stop());

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const path = (query) => `/socket.io/?${new URLSearchParams(query)}`;

/** Every request on a connection of its own, so that it may arrive at any worker. */
async function ask(method, query, { body, headers } = {}) {
	const client = new HttpClient(server.url);
	try {
		return await client.request({
			method, path: typeof query === 'string' ? query : path(query), body,
			headers: { ...(body !== undefined && { 'content-type': 'text/plain;charset=UTF-8' }), ...headers },
		});
	} finally {
		client.close();
	}
}

async function open() {
	const answer = await ask('GET', { EIO: 4, transport: 'polling', t: 'abc' });
	assert.equal(answer.status, 200);
	assert.equal(answer.text[0], '0');
	return JSON.parse(answer.text.slice(1)).sid;
}

const poll = (sid) => ask('GET', { EIO: 4, transport: 'polling', sid });
const post = (sid, body, headers) => ask('POST', { EIO: 4, transport: 'polling', sid }, { body, headers });

function assertRefused(answer, code) {
	const messages = ['Transport unknown', 'Session ID unknown', 'Bad handshake method', 'Bad request', 'Forbidden', 'Unsupported protocol version'];
	assert.equal(answer.status, 400, answer.text);
	assert.match(answer.headers['content-type'], /^application\/json/);
	assert.deepEqual(JSON.parse(answer.text), { code, message: messages[code] });
}

/** A WebSocket with its messages in order. */
function webSocket(query) {
	const socket = new WebSocket(`${server.url.replace('http', 'ws')}${path(query)}`);
	const { messages, next } = inOrder(socket);
	return {
		socket, next,
		opened: new Promise((resolve, reject) => { socket.on('open', resolve); socket.on('error', reject); }),
		closed: new Promise((resolve) => socket.on('close', (code) => resolve(code))),
		send: (data) => socket.send(data),
		rest: () => messages,
	};
}

/** Over polling up to the answer of CONNECT. */
async function connected(auth = {}) {
	const sid = await open();
	assert.equal((await post(sid, `40${JSON.stringify({ token: ala.accessToken, ...auth })}`)).text, 'ok');
	const packets = await until(sid, (packet) => packet.startsWith('40'));
	assert.match(packets.at(-1), /^40\{"sid":"[A-Za-z0-9_-]{20}"\}/);
	return sid;
}

async function until(sid, isIt) {
	const seen = [];
	while (!seen.some(isIt)) {
		const answer = await poll(sid);
		assert.equal(answer.status, 200, answer.text);
		seen.push(...answer.text.split('\x1e'));
		if (answer.text.split('\x1e').includes('2'))
			await post(sid, '3');
	}
	return seen;
}

test('opens a session, with and without a slash behind the path', async () => {
	for (const at of ['/socket.io/', '/socket.io']) {
		const answer = await ask('GET', `${at}?EIO=4&transport=polling&__proto__=1`);
		assert.equal(answer.status, 200);
		assert.equal(answer.headers['content-type'], 'text/plain; charset=UTF-8');
		assert.equal(answer.headers['cache-control'], 'no-store');
		assert.equal(answer.headers['set-cookie'], undefined);
		const { sid, ...rest } = JSON.parse(answer.text.slice(1));
		assert.match(sid, /^[A-Za-z0-9_-]{20}$/);
		assert.deepEqual(rest, { upgrades: ['websocket'], pingInterval: PING_MS, pingTimeout: PONG_MS, maxPayload: 2000 });
	}
	const socket = webSocket({ EIO: 4, transport: 'websocket' });
	assert.deepEqual(JSON.parse((await socket.next()).slice(1)).upgrades, []);
	socket.socket.close();
});

test('refuses in the order of the reference server', async () => {
	const sid = await open();
	for (const [method, query, code, headers] of [
		['GET', {}, 0], ['GET', { transport: 'carrier-pigeon', EIO: 3 }, 0],
		['GET', { transport: 'polling', sid: 'x'.repeat(20), EIO: 4 }, 1],
		['GET', { transport: 'polling', sid: '__proto__', EIO: 4 }, 1],
		['GET', '/socket.io/?EIO=4&transport=polling&sid=%00', 1], ['GET', '/socket.io/?EIO=4&transport=polling&sid=%ff', 1],
		['GET', '/socket.io/?EIO=4&transport=%00', 0], ['GET', '/socket.io/?EIO=%004&transport=polling', 5],
		['POST', { transport: 'polling', EIO: 3 }, 2], ['GET', { transport: 'websocket', sid, EIO: 4 }, 3],
		['GET', { transport: 'websocket', EIO: 3 }, 3],
		['GET', { transport: 'polling', EIO: 3 }, 5], ['GET', { transport: 'polling' }, 5], ['GET', { transport: 'polling', EIO: 44 }, 5],
	])
		assertRefused(await ask(method, query, { headers, ...(method === 'POST' && { body: '2' }) }), code);
});

test('refuses EIO=3 over WebSocket before the upgrade', async () => {
	const socket = new WebSocket(`${server.url.replace('http', 'ws')}${path({ EIO: 3, transport: 'websocket' })}`);
	const response = await new Promise((resolve) => socket.on('unexpected-response', (_request, answer) => resolve(answer)));
	assert.equal(response.statusCode, 400);
	const body = await new Promise((resolve) => { let text = ''; response.on('data', (part) => { text += part; }); response.on('end', () => resolve(text)); });
	assert.deepEqual(JSON.parse(body), { code: 5, message: 'Unsupported protocol version' });
});

test('a second poll ends the session, and the first one is told', async () => {
	const sid = await open();
	const first = poll(sid);
	await sleep(100);
	assertRefused(await poll(sid), 3);
	assert.equal((await first).text, '1');
	assertRefused(await poll(sid), 1);
});

test('a post that is still arriving does not mix with another one', async () => {
	const sid = await connected();
	const slow = await openRaw(server);
	const body = '421["ping"]\x1e423["x"]';
	await slow.write(`POST ${path({ EIO: 4, transport: 'polling', sid })} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 7)}`);
	await sleep(100);
	assert.equal((await post(sid, '422["ping"]')).text, 'ok');
	await slow.write(body.slice(7));
	const seen = await until(sid, (packet) => packet.startsWith('433'));
	assert.deepEqual(seen.filter((packet) => /^43/.test(packet)).map((packet) => packet.slice(0, 3)), ['432', '431', '433']);
	slow.destroy();
});

test('a poll that breaks off ends the session', async () => {
	const sid = await open();
	const client = new HttpClient(server.url);
	const broken = client.get(path({ EIO: 4, transport: 'polling', sid }));
	await sleep(100);
	client.close();
	await assert.rejects(broken);
	await sleep(200);
	assertRefused(await poll(sid), 1);
});

test('what is posted: several packets, bad ones, too many bytes, another type', async () => {
	let sid = await open();
	const answer = await post(sid, `40${JSON.stringify({ token: ala.accessToken })}`);
	assert.deepEqual([answer.status, answer.text, answer.headers['content-type']], [200, 'ok', 'text/html']);
	await until(sid, (packet) => packet.startsWith('40'));
	await post(sid, '421["ping"]\x1e422["ping"]');
	const seen = await until(sid, (packet) => packet.startsWith('432'));
	assert.deepEqual(seen.filter((packet) => packet[0] === '4').map((packet) => packet.slice(0, 9)), ['42["pong"', '431[{"tim', '42["pong"', '432[{"tim']);

	assert.equal((await post(sid, 'x'.repeat(2001))).status, 413);
	assertRefused(await post(sid, '4', { 'content-type': 'application/octet-stream' }), 3);
	assertRefused(await poll(sid), 1);
	for (const bad of ['', 'abc', '2', '4x', '42["ping"]']) { // the last one without a CONNECT
		sid = await open();
		const waiting = poll(sid);
		await sleep(50);
		await post(sid, bad);
		assert.equal((await waiting).text, '1', bad);
		assertRefused(await poll(sid), 1);
	}
	sid = await open();
	const waiting = poll(sid);
	await sleep(50);
	await post(sid, '1');
	assert.equal((await waiting).text, '6'); // as the protocol's own test suite asks
});

test('a goodbye waits for the next poll, behind what is queued', async () => {
	let sid = await open();
	await post(sid, '42["ping"]'); // without a CONNECT
	assert.equal((await poll(sid)).text, '1');
	assertRefused(await poll(sid), 1);
	sid = await open();
	const person = await register(server);
	await post(sid, `40${JSON.stringify({ token: person.accessToken })}`);
	await until(sid, (packet) => packet.startsWith('40'));
	await person.post('/v1/auth/logout', {});
	assert.equal((await poll(sid)).text, '41');
	assert.equal((await poll(sid)).text, '1');
	assertRefused(await poll(sid), 1);
});

test('beats on both transports, and gives up on who does not answer', async () => {
	for (const answers of [3, 0]) {
		const socket = webSocket({ EIO: 4, transport: 'websocket' });
		await socket.next();
		for (let i = 0; i < answers; i++) {
			const began = Date.now();
			assert.equal(await socket.next(), '2');
			assert.ok(Date.now() - began > PING_MS / 2);
			socket.send('3');
		}
		if (answers === 0) {
			assert.equal(await socket.next(), '2');
			await socket.closed;
		}
		socket.socket.close();
	}
	const sid = await open();
	assert.equal((await poll(sid)).text, '2');
	await post(sid, '3');
	assert.equal((await poll(sid)).text, '2');
	assert.equal((await poll(sid)).text, '1');
	assertRefused(await poll(sid), 1);
});

test('ends who beats in the direction of version 3, and who never connects', async () => {
	const eager = webSocket({ EIO: 4, transport: 'websocket' });
	await eager.next();
	eager.send('2');
	await eager.closed;
	const silent = webSocket({ EIO: 4, transport: 'websocket' });
	silent.socket.on('message', () => silent.send('3'));
	await silent.closed;
});

test('upgrades: what is queued goes over in order, polls are refused then', async () => {
	const sid = await connected();
	const waiting = poll(sid);
	await sleep(50);
	const socket = webSocket({ EIO: 4, transport: 'websocket', sid });
	await socket.opened;
	socket.send('2probe');
	assert.equal(await socket.next(), '3probe');
	assert.match((await waiting).text, /^(6|2)$/);
	await post(sid, '421["ping"]');
	await post(sid, '422["ping"]');
	socket.send('5');
	const seen = [];
	while (!seen.includes('432'))
		seen.push((await socket.next()).slice(0, 3));
	assert.deepEqual(seen.filter((packet) => packet !== '2'), ['42[', '431', '42[', '432']);
	assertRefused(await poll(sid), 3);
	assertRefused(await post(sid, '3'), 3);

	const second = webSocket({ EIO: 4, transport: 'websocket', sid });
	await second.closed;
	socket.send('423["ping"]');
	while (!(await socket.next()).startsWith('433'));
	socket.send('1');
	await socket.closed;
});

test('a failed upgrade leaves the session alone', async () => {
	const sid = await connected();
	const keepAlive = async (rounds) => {
		for (let i = 0; i < rounds; i++)
			if ((await poll(sid)).text === '2')
				await post(sid, '3');
	};
	for (const wrong of ['2', '4', '5', null]) {
		const socket = webSocket({ EIO: 4, transport: 'websocket', sid });
		await socket.opened;
		if (wrong !== null)
			socket.send(wrong);
		const alive = wrong === null ? keepAlive(2) : undefined; // nothing is said until the time is over
		await socket.closed;
		await alive;
	}
	await post(sid, '427["ping"]');
	await until(sid, (packet) => packet.startsWith('437'));
});

test('messages over WebSocket: too large, binary, split', async () => {
	const socket = webSocket({ EIO: 4, transport: 'websocket' });
	await socket.next();
	socket.send(`40${JSON.stringify({ token: ala.accessToken })}`);
	assert.match(await socket.next(), /^40/);
	socket.send('451-9["upload",{"_placeholder":true,"num":0}]');
	socket.send(Buffer.from([1, 2, 3]));
	let answer;
	do
		answer = await socket.next();
	while (answer === '2' || answer.startsWith('42'));
	assert.equal(answer, '439[{"ok":false,"error":"UNKNOWN_EVENT"}]');
	socket.send('451-["upload",{"_placeholder":true,"num":0}]');
	socket.send('42["ping"]'); // where an attachment should be
	await socket.closed;

	const large = webSocket({ EIO: 4, transport: 'websocket' });
	await large.next();
	large.send('4'.repeat(2001));
	assert.equal(await large.closed, 1009);
	const lone = webSocket({ EIO: 4, transport: 'websocket' });
	await lone.next();
	lone.send(Buffer.from([1]));
	await lone.closed;
});

test('other namespaces and states the protocol does not know', async () => {
	const socket = webSocket({ EIO: 4, transport: 'websocket' });
	await socket.next();
	socket.send('40/admin,{}');
	assert.equal(await socket.next(), '44/admin,{"message":"Invalid namespace"}');
	socket.send(`40${JSON.stringify({ token: ala.accessToken })}`);
	assert.match(await socket.next(), /^40\{/);
	socket.send('41');
	socket.send(`40${JSON.stringify({ token: ala.accessToken })}`);
	let answer;
	do
		answer = await socket.next();
	while (!answer.startsWith('40'));
	socket.send('40');
	await socket.closed;
	for (const wrong of ['41', '42["ping"]', '431[]', '44{}', '47', '40{', '40{"a":1,"a":2}']) {
		const other = webSocket({ EIO: 4, transport: 'websocket' });
		await other.next();
		other.send(wrong);
		await other.closed;
	}
	for (const wrong of ['42[]', '42{}', '42["connect"]', '42[null]', '42["ping"']) {
		const other = webSocket({ EIO: 4, transport: 'websocket' });
		await other.next();
		other.send(`40${JSON.stringify({ token: ala.accessToken })}`);
		assert.match(await other.next(), /^40/);
		other.send(wrong);
		await other.closed;
	}
});

test('twenty polling clients over two workers keep their sessions', async () => {
	const sockets = await Promise.all(Array.from({ length: 20 }, () => connectSocket(server, ala, { transports: ['polling'] })));
	await Promise.all(sockets.map(async (socket) => {
		for (let i = 0; i < 5; i++)
			assert.ok((await socket.request('ping')).timestamp);
		await sleep(2 * (PING_MS + PONG_MS));
		assert.ok(socket.connected);
		socket.close();
	}));
});

test('says goodbye when the server stops', async () => {
	const own = await startServer();
	const bob = await register(own);
	const sockets = [await connectSocket(own, bob, { transports: ['websocket'] }), await connectSocket(own, bob, { transports: ['polling'] })];
	const ends = sockets.map((socket) => socket.disconnected());
	await own.stop();
	for (const reason of await Promise.all(ends))
		assert.match(reason, /^transport/); // so clients come back
});

test('sets a cookie and looks at the origin of WebSockets when it is told to', async () => {
	const other = await startServer({ set: { 'socketio.cookie': 'io', 'socketio.origins': 'https://a.example https://b.example' } });
	const answer = await other.http.get('/socket.io/?EIO=4&transport=polling');
	const { sid } = JSON.parse(answer.text.slice(1));
	assert.equal(String(answer.headers['set-cookie']), `io=${sid}; Path=/; HttpOnly; SameSite=Lax`);
	await other.http.post(`/socket.io/?EIO=4&transport=polling&sid=${sid}`, '40');
	assert.equal((await other.http.get(`/socket.io/?EIO=4&transport=polling&sid=${sid}`)).headers['set-cookie'], undefined);
	for (const [origin, expected] of [['https://a.example', 'open'], ['https://b.example', 'open'], [undefined, 'open'],
		['https://a.example.org', 'error'], ['null', 'error'], ['http://a.example', 'error']]) {
		const socket = new WebSocket(`ws://127.0.0.1:${other.port}/socket.io/?EIO=4&transport=websocket`, origin && { origin });
		const outcome = await new Promise((resolve) => {
			socket.once('open', () => resolve('open'));
			socket.once('error', (error) => resolve(/403/.test(error.message) ? 'error' : error.message));
		});
		assert.equal(outcome, expected, origin);
		socket.terminate();
	}
	await other.stop();
});
