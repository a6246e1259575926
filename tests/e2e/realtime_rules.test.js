// SPDX-License-Identifier: Apache-2.0
/*
 * More rules of Engine.IO and Socket.IO that no real client breaks: methods, bodies, a second WebSocket, traffic instead of pongs,
 * JSON that is too much, and what must never be in a log.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { Engine } from './kit/engineio.js';
import { openRaw } from './kit/http.js';
import { register } from './kit/people.js';
import { startServer } from './kit/server.js';

let server, engine, ala, auth;
before(async () => {
	server = await startServer({ set: { 'log.level': 'debug', 'socketio.ping_interval': '400ms', 'socketio.ping_timeout': '1200ms', 'socketio.max_payload': 20000 } });
	engine = new Engine(server);
	ala = await register(server);
	auth = { token: ala.accessToken };
});
after(() => server?.stop());

const sleep = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
const codeOf = (answer) => [answer.status, JSON.parse(answer.text).code];

test('a poll waits until there is a packet, and is never cached', async () => {
	const sid = await engine.connected(auth);
	let answered = false;
	const waiting = engine.poll(sid).finally(() => { answered = true; });
	await sleep(100);
	assert.equal(answered, false);
	const posted = await engine.post(sid, '427["x"]');
	const answer = await waiting;
	assert.match(answer.text, /^(437\[|2$)/);
	assert.deepEqual([answer.status, answer.headers['content-type'], answer.headers['cache-control']], [200, 'text/plain; charset=UTF-8', 'no-store']);
	assert.deepEqual([posted.status, posted.text, posted.headers['content-type'], posted.headers['content-length']], [200, 'ok', 'text/html', '2']);
});

test('other methods: an error of the protocol, and the session goes on', async () => {
	const sid = await engine.connected(auth);
	for (const method of ['PUT', 'DELETE', 'PATCH']) {
		assert.deepEqual(codeOf(await engine.ask(method, {})), [400, 2], method);
		assert.deepEqual(codeOf(await engine.ask(method, { sid })), [400, 3], method);
		assert.deepEqual(codeOf(await engine.ask(method, { sid: 'x'.repeat(20) })), [400, 1], method);
	}
	assert.deepEqual(codeOf(await engine.ask('POST', {}, { body: '40' })), [400, 2]);
	assert.equal((await engine.ask('HEAD', { sid })).status, 405); // it would take the packets
	await engine.post(sid, '421["x"]');
	assert.match((await engine.poll(sid)).text, /431\[|^2$/);
});

test('max_payload counts the bytes of what is posted, however it is sent', async () => {
	const sid = await engine.connected(auth);
	const event = (text) => `421["xx","${text}"]`;
	const chunked = { 'content-length': null, 'transfer-encoding': 'chunked' };
	const letters = (20000 - event('').length) / 2; // of two bytes each
	assert.equal((await engine.post(sid, event('é'.repeat(letters)))).status, 200);
	assert.equal((await engine.post(sid, event(`${'é'.repeat(letters)}x`))).status, 413);
	assert.equal((await engine.post(sid, event('é'.repeat(letters)), chunked)).status, 200);
	assert.equal((await engine.post(sid, event(`${'é'.repeat(letters)}x`), chunked)).status, 413);
});

test('a second WebSocket is turned away, before and after the 5, and the first goes on', async () => {
	const sid = await engine.connected(auth);
	const first = await engine.webSocket({ sid });
	const early = await engine.webSocket({ sid });
	assert.equal((await early.ended).code, 1000);
	first.send('2probe');
	assert.equal(await first.next(), '3probe');
	const late = await engine.webSocket({ sid });
	late.send('5'); // a word of a stranger
	assert.equal((await late.ended).code, 1000);
	first.send('5');
	first.send('421["x"]');
	let message;
	do
		message = await first.next();
	while (!message.startsWith('431'));
	const last = await engine.webSocket({ sid });
	assert.equal((await last.ended).code, 1000);
	first.send('422["x"]');
	do
		message = await first.next();
	while (!message.startsWith('432'));
	assert.deepEqual([...early.messages, ...late.messages, ...last.messages], []);
	first.send('1');
	await first.ended;
});

test('only pongs count as pongs', async () => {
	const from = server.log().length;
	const socket = await engine.connectedSocket(auth);
	const talking = setInterval(() => socket.send('421["x"]'), 50);
	socket.socket.on('message', () => {}); // and it reads
	await socket.ended;
	clearInterval(talking);
	await server.waitForLog(/session closed: ping timeout/, 5000, from);
});

test('the next ping is counted from the pong', async () => {
	const socket = await engine.connectedSocket(auth);
	assert.equal(await socket.next(), '2');
	const pinged = Date.now();
	await sleep(500); // longer than from ping to ping
	assert.deepEqual(socket.messages, []);
	socket.send('3');
	assert.equal(await socket.next(), '2');
	assert.ok(Date.now() - pinged >= 500 + 400 - 100);
	socket.send('1');
	await socket.ended;
});

test('JSON beyond its bounds is a parse error on either transport', async () => {
	const nested = (depth) => `42["x",${'['.repeat(depth)}${']'.repeat(depth)}]`;
	for (const good of [nested(40), '42["x",{"a":1,"b":1}]', '42["x","\u{1F600}"]']) {
		const sid = await engine.connected(auth);
		await engine.post(sid, `${good}\x1e427["x"]`);
		assert.match((await engine.poll(sid)).text, /437\[|^2$/, good);
	}
	const broken = (before, byte, behind) => Buffer.concat([Buffer.from(before), Buffer.from([byte]), Buffer.from(behind)]);
	for (const bad of [nested(100), '42["x",{"a":1,"a":2}]', '42["x",{"a":1,"\\u0061":2}]', '42["x",01]', '42["x"]]', '42["x",'])
		for (const transport of ['polling', 'websocket']) {
			const from = server.log().length;
			if (transport === 'polling') {
				const sid = await engine.connected(auth);
				await engine.post(sid, bad);
				assert.deepEqual(codeOf(await engine.poll(sid)), [400, 1], bad);
			} else {
				const socket = await engine.connectedSocket(auth);
				socket.send(bad);
				await socket.ended;
			}
			await server.waitForLog(/session closed: parse error/, 5000, from);
		}
	for (const bad of [broken('42["x","', 0xff, '"]'), broken('42["', 0xc0, '"]'), broken('40/', 0xff, ',')]) {
		const sid = await engine.connected(auth);
		await engine.post(sid, bad);
		assert.deepEqual(codeOf(await engine.poll(sid)), [400, 1], bad.toString('latin1'));
	}
	const socket = await engine.connectedSocket(auth);
	socket.send(broken('42["x","', 0xff, '"]'), { binary: false });
	assert.equal((await socket.ended).code, 1007);
});

test('neither tokens nor session ids are in the log, whatever it tells', async () => {
	const from = server.log().length;
	const query = { token: ala.accessToken };
	const { sid } = JSON.parse((await engine.ask('GET', query)).text.slice(1));
	const ids = [sid];
	await engine.ask('POST', { ...query, sid }, { body: '40' });
	assert.match((await engine.ask('GET', { ...query, sid })).text, /^40/);
	await engine.ask('PUT', { ...query, sid });
	await engine.ask('GET', { ...query, sid: 'unknown' });
	await engine.ask('GET', { ...query, EIO: 3 });
	await engine.ask('GET', { ...query, transport: 'pigeon' });
	const upgrade = await engine.webSocket({ ...query, sid });
	upgrade.send('nonsense');
	await upgrade.ended;
	const socket = await engine.webSocket(query);
	ids.push(JSON.parse((await socket.next()).slice(1)).sid);
	socket.send('40');
	assert.match(await socket.next(), /^40/);
	socket.send(`421["auth.refresh",{"token":"${ala.accessToken}"}]`);
	assert.match(await socket.next(), /^431|^2$/);
	socket.send(`42["x","${ala.accessToken}"`); // malformed
	await socket.ended;
	await server.waitForLog(/session closed: parse error/, 5000, from);
	const log = server.log();
	assert.match(log.slice(from), /GET \/socket\.io/, 'requests are in this log');
	assert.match(log.slice(from), /\[WS\] Connected/);
	for (const secret of [ala.accessToken, ala.accessToken.split('.')[1], ala.accessToken.split('.')[2], ala.refreshToken, ...ids])
		assert.ok(!log.includes(secret), 'a secret is in the log');
});

test('CORS is for errors, too, and off unless asked for', async () => {
	const origin = 'https://chat.example';
	const own = await startServer({ set: { 'server.cors_origins': origin } });
	try {
		const allowing = new Engine(own);
		for (const [method, query, status] of [['GET', {}, 200], ['GET', { sid: 'unknown' }, 400], ['POST', {}, 400], ['GET', { EIO: 3 }, 400], ['GET', { transport: 'pigeon' }, 400], ['OPTIONS', {}, 204]]) {
			const request = method === 'OPTIONS' ? { 'access-control-request-method': 'POST' } : {};
			const answer = await allowing.ask(method, query, { headers: { origin, ...request } });
			assert.equal(answer.status, status, `${method} ${JSON.stringify(query)}`);
			assert.equal(answer.headers['access-control-allow-origin'], origin, `${method} ${JSON.stringify(query)}`);
			assert.match(answer.headers.vary, /\bOrigin\b/i);
			const other = await allowing.ask(method, query, { headers: { origin: 'https://other.example', ...request } });
			assert.equal(other.headers['access-control-allow-origin'], undefined);
		}
		const answer = await engine.ask('GET', { sid: 'unknown' }, { headers: { origin } });
		assert.equal(answer.headers['access-control-allow-origin'], undefined);
	} finally {
		await own.stop();
	}
});

test('a WebSocket handshake with field names of any case, more words and a subprotocol', async () => {
	const raw = await openRaw(server);
	await raw.write(['GET /socket.io/?EIO=4&transport=websocket HTTP/1.1', 'host: x', 'UPGRADE: WebSocket', 'connection: keep-alive, UPGRADE',
		'sec-websocket-VERSION: 13', 'Sec-Websocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Protocol: chat, superchat', '', ''].join('\r\n'));
	const text = await raw.readUntil(/\r\n\r\n[^]*"maxPayload":20000\}/);
	assert.match(text, /^HTTP\/1\.1 101 /);
	assert.match(text, /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
	assert.doesNotMatch(text, /sec-websocket-(protocol|extensions)/i);
	raw.destroy();
});
