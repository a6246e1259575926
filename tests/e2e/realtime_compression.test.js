// SPDX-License-Identifier: Apache-2.0
/*
 * Compression of polls and of WebSocket messages: off unless asked for, and then as the client accepts it.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import { WebSocket } from 'ws'; // comes with socket.io-client
import { assertStatus, register } from './kit/people.js';
import { startServer } from './kit/server.js';
import { connectSocket } from './kit/socket.js';

let plain, compressing, ala, bob;
before(async () => {
	[plain, compressing] = await Promise.all([startServer(), startServer({ set: { 'socketio.poll_compression': 'on', 'socketio.websocket_compression': 'on' } })]);
	[ala, bob] = await Promise.all([register(plain), register(compressing)]);
	for (const person of [ala, bob])
		for (let i = 0; i < 8; i++) // so that the list of devices is long
			assertStatus(await person.post('/v1/auth/devices/register', { deviceLabel: `device ${i} ${'x'.repeat(40)}` }), 201);
});
after(async () => { await plain?.stop(); await compressing?.stop(); });

/** The answer to a poll behind `pings` pings, each about 70 bytes with its acknowledgement. */
async function poll(server, person, accept, pings) {
	const path = `/socket.io/?EIO=4&transport=polling&sid=${JSON.parse((await server.http.get('/socket.io/?EIO=4&transport=polling')).text.slice(1)).sid}`;
	await server.http.post(path, `40${JSON.stringify({ token: person.accessToken })}`);
	assert.match((await server.http.get(path)).text, /^40/);
	await server.http.post(path, Array.from({ length: pings }, (_, i) => `42${i}["ping"]`).join('\x1e'));
	const answer = await server.http.request({ path, headers: { 'accept-encoding': accept } });
	assert.equal(answer.status, 200);
	assert.equal(answer.headers['content-type'], 'text/plain; charset=UTF-8');
	assert.equal(Number(answer.headers['content-length']), answer.bytes.length);
	return answer;
}

const packets = (bytes) => bytes.toString().split('\x1e').length;

test('polls are compressed when they are long and the client accepts it', async () => {
	for (const [accept, encoding, expand] of [
		['gzip', 'gzip', zlib.gunzipSync], ['deflate', 'deflate', zlib.inflateSync], ['gzip, deflate, br', 'gzip', zlib.gunzipSync],
		['deflate, gzip;q=0.5', 'deflate', zlib.inflateSync], ['gzip;q=0', undefined], ['br', undefined], [null, undefined],
	]) {
		const answer = await poll(compressing, bob, accept, 50);
		assert.equal(answer.headers['content-encoding'], encoding, accept);
		assert.equal(packets(expand ? expand(answer.bytes) : answer.bytes), 100, accept);
		if (expand)
			assert.ok(answer.bytes.length < 1024, accept);
	}
	assert.equal((await poll(compressing, bob, 'gzip', 5)).headers['content-encoding'], undefined);
	assert.equal((await poll(plain, ala, 'gzip', 50)).headers['content-encoding'], undefined);
	const socket = await connectSocket(compressing, bob, { transports: ['polling'], extraHeaders: { 'accept-encoding': 'gzip' } });
	socket.close();
});

for (const [what, offers] of [['offers nothing', false], ['offers permessage-deflate', true]]) {
	test(`WebSocket messages to who ${what}`, async () => {
		for (const [server, person, agreed] of [[plain, ala, false], [compressing, bob, offers]]) {
			const socket = new WebSocket(`${server.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, { perMessageDeflate: offers });
			const messages = [];
			const waiting = [];
			socket.on('message', (data) => { messages.push(data.toString()); waiting.splice(0).forEach((wake) => wake()); });
			const until = async (isIt) => {
				while (!messages.some(isIt))
					await new Promise((resolve) => { waiting.push(resolve); });
			};
			await new Promise((resolve, reject) => { socket.once('open', resolve); socket.once('error', reject); });
			assert.equal(/permessage-deflate/.test(socket.extensions), agreed);
			socket.send(`40${JSON.stringify({ token: person.accessToken })}`);
			await until((message) => message.startsWith('40'));
			const before = socket._socket.bytesRead;
			socket.send('421["request",{"method":"GET","path":"/v1/auth/devices"}]');
			await until((message) => message.startsWith('431'));
			const { length } = messages.find((message) => message.startsWith('431'));
			const read = socket._socket.bytesRead - before;
			assert.ok(length > 1024, `${length} bytes are no long message`);
			assert.equal(read < length, agreed, `${read} bytes for ${length}`);
			socket.close();
		}
	});
}
