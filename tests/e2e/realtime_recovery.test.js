// SPDX-License-Identifier: Apache-2.0
/*
 * Connection state recovery on our own server: a client that comes back has its place again, whoever it was told of
 * meanwhile, whichever worker it comes to; and only the same device with a good token.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { assertStatus, openSession, register } from './kit/people.js';
import { startServer } from './kit/server.js';
import { connectRefused, connectSocket } from './kit/socket.js';

const start = (set = {}) => startServer({ set: { 'ratelimit.send': 'off', 'socketio.recovery': 'on', ...set } });
let server;
before(async () => { server = await start(); });
after(() => server?.stop());

const everyTransport = [['websocket'], ['polling'], ['polling', 'websocket']];
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function two(at = server) {
	const people = [await register(at), await register(at)];
	for (const person of people)
		await person.uploadPrekeys(30);
	const { initiator, responder } = await openSession(...people);
	return { ala: people[0], bob: people[1], initiator, responder };
}

/** The connection breaks; the client stays away until it is told to come back. */
async function leave(socket) {
	const { raw } = socket;
	if (raw.io.engine.transport.ws)
		raw.io.engine.transport.ws.terminate?.();
	raw.io.engine.close();
	await socket.disconnected();
	await sleep(100);
}

async function comeBack(socket) {
	const { raw } = socket;
	/* What a poll still brought after the library had given up: it would be handed out at the next connect, though the
	 * library does not count it in its offset and so asks for it again. */
	raw.receiveBuffer.length = 0;
	const connected = new Promise((resolve, reject) => { raw.once('connect', resolve); raw.once('connect_error', reject); });
	raw.connect();
	await connected;
	return raw.recovered;
}

const ids = (socket) => socket.all('dm.message').map((row) => row.id);
const told = (socket, row) => socket.until(() => ids(socket).includes(row.id) || undefined, 5000, () => `no ${row.id} in ${ids(socket)}`);

for (const transports of everyTransport) {
	test(`over ${transports} a client comes back again and again, and is told what it missed, in order and once`, async () => {
		const { ala, bob, initiator, responder } = await two();
		const sent = [];
		const { row: own } = await responder.send('of bob');
		const socket = await connectSocket(server, bob, { transports });
		const { id } = socket.raw;
		const pid = socket.raw._pid;
		assert.match(pid, /^[A-Za-z0-9_-]{20}$/);
		assert.notEqual(pid, id);
		for (let round = 0; round < 4; round++) { // the first one before anything was heard
			await leave(socket);
			for (let i = 0; i < 3; i++) {
				sent.push((await initiator.send(`${round} ${i}`)).row.id);
				if (round === i)
					assertStatus(await ala.post('/v1/dm/receipts', { messageId: own.id, status: round === 0 ? 'DELIVERED' : 'READ' }), 200);
			}
			assert.equal(await comeBack(socket), true, `round ${round}`);
			assert.deepEqual([socket.raw.id, socket.raw._pid], [id, pid]);
			await told(socket, { id: sent.at(-1) });
			const live = (await initiator.send('live')).row;
			sent.push(live.id);
			await told(socket, live);
		}
		await sleep(200);
		assert.deepEqual(ids(socket), sent);
		assert.deepEqual(socket.all('dm.receipt').map(({ status }) => status), ['DELIVERED', 'READ'], 'what is not stored as an event');
		assert.deepEqual(socket.events.map(({ event }) => event).slice(0, 4), ['dm.message', 'dm.receipt', 'dm.message', 'dm.message']);
		for (const { args } of socket.events)
			assert.equal(typeof args.at(-1), 'string', 'every event has an offset');
		socket.close();
	});
}

test('nobody has the place of another one, or with a token that is not good', async () => {
	const { ala, bob, initiator } = await two();
	const socket = await connectSocket(server, bob);
	const { id, _pid: pid } = socket.raw;
	await initiator.send('x');
	const { args } = await socket.until(() => socket.events[0], 5000, () => 'no event');
	const offset = args.at(-1);
	const live = await connectSocket(server, bob, { auth: { pid, offset } });
	assert.deepEqual([live.raw.recovered, live.raw.id === id], [false, false], 'it is not away');
	live.close();
	await leave(socket);
	assert.equal((await connectRefused(server, { auth: { pid, offset } })).message, 'UNAUTHORIZED');
	assert.equal((await connectRefused(server, { auth: { pid, offset, token: 'x' } })).message, 'TOKEN_INVALID');
	const other = await bob.login({}); // another device of the same user
	for (const person of [ala, other]) {
		const thief = await connectSocket(server, person, { auth: { pid, offset } });
		assert.deepEqual([thief.raw.recovered, thief.raw.id === id], [false, false]);
		thief.close();
	}
	assert.equal(await comeBack(socket), true, 'those who tried have taken nothing');
	socket.close();
	const again = await connectSocket(server, bob, { auth: { pid, offset } });
	assert.equal(again.raw.recovered, false, 'it has said goodbye');
	again.close();
});

test('a revocation ends the places of those who are away', async () => {
	const { bob } = await two();
	const socket = await connectSocket(server, bob);
	const { _pid: pid } = socket.raw;
	await leave(socket);
	assertStatus(await bob.post('/v1/auth/logout', {}), 200);
	assert.equal((await connectRefused(server, { auth: { pid, token: bob.accessToken } })).message, 'TOKEN_INVALID');
	const same = await bob.login({ deviceId: bob.deviceId });
	const fresh = await connectSocket(server, same, { auth: { pid } });
	assert.equal(fresh.raw.recovered, false);
	fresh.close();
});

test('an offset that is none of ours, or an old one, does no harm', async () => {
	const { bob, initiator } = await two();
	const socket = await connectSocket(server, bob);
	const sent = [];
	const first = (await initiator.send('first')).row;
	sent.push(first.id);
	await told(socket, first);
	for (const offset of ['poisoned', 'x'.repeat(300), '99999999', `${socket.events[0].args.at(-1)}0`, `${socket.events[0].args.at(-1)}.7x`]) {
		await leave(socket);
		socket.raw._lastOffset = offset;
		const { row } = await initiator.send('missed');
		sent.push(row.id);
		assert.equal(await comeBack(socket), true, offset);
		await told(socket, row);
	}
	await sleep(100);
	assert.deepEqual(ids(socket), sent);
	socket.close();
});

test('one that catches up by afterId is told nothing twice when it comes back, and nothing is left out', async () => {
	const { bob, initiator } = await two();
	const sent = [];
	for (let i = 0; i < 5; i++)
		sent.push((await initiator.send(`stored ${i}`)).row.id);
	let afterId = 0;
	const socket = await connectSocket(server, bob, { auth: { afterId } });
	await told(socket, { id: sent.at(-1) });
	for (const withId of [false, true]) { // a client that keeps its place itself, and one that says the same every time
		await leave(socket);
		afterId = withId ? sent.at(-1) : 0;
		socket.raw.auth = { token: bob.accessToken, afterId };
		for (let i = 0; i < 3; i++)
			sent.push((await initiator.send(`missed ${i}`)).row.id);
		assert.equal(await comeBack(socket), true);
		await told(socket, { id: sent.at(-1) });
	}
	// What it got of the catch-up is not all of it: so it is asked of the store.
	await sleep(100);
	assert.deepEqual(ids(socket), sent);
	await leave(socket);
	const second = await connectSocket(server, bob, { auth: { afterId: sent[1] } });
	await told(second, { id: sent.at(-1) });
	await leave(second);
	second.raw._lastOffset = second.events.at(-2).args.at(-1);
	second.raw.auth = { token: bob.accessToken, afterId: sent.at(-2) };
	assert.equal(await comeBack(second), false);
	await second.until(() => ids(second).length === sent.length - 1 || undefined, 5000, () => `${ids(second)}`);
	assert.deepEqual(ids(second), [...sent.slice(2), sent.at(-1)], 'the last one again, as it is above afterId');
	second.close();
});

test('what a client acknowledged is not told again', async () => {
	const { bob, initiator, responder } = await two();
	const socket = await connectSocket(server, bob, { auth: { acks: true } });
	const sent = [];
	for (let round = 0; round < 3; round++) {
		for (let i = 0; i < 3; i++)
			sent.push((await initiator.send(`${round} ${i}`)).row.id);
		await told(socket, { id: sent.at(-1) });
		await sleep(200); // the acknowledgements are on their way
		await leave(socket);
		sent.push((await initiator.send('missed')).row.id);
		assert.equal(await comeBack(socket), true);
		await told(socket, { id: sent.at(-1) });
	}
	await sleep(300);
	assert.deepEqual(ids(socket), sent);
	const { messages } = await responder.history({ direction: 'all' });
	assert.ok(messages.every((row) => row.deliveryState === 'DELIVERED'), 'also what was missed');
	socket.close();
});

test('who is away too long, or misses too much, catches up from the store', async () => {
	const own = await start({ 'socketio.recovery_time': '1s', 'socketio.recovery_bytes': '64k' });
	try {
		const { bob, initiator } = await two(own);
		const socket = await connectSocket(own, bob, { auth: { afterId: 0 } });
		const sent = [(await initiator.send('first')).row.id];
		await told(socket, { id: sent[0] });
		const { id } = socket.raw;
		await leave(socket);
		sent.push((await initiator.send('missed')).row.id);
		await sleep(1500);
		socket.raw.auth = { token: bob.accessToken, afterId: sent[0] };
		assert.equal(await comeBack(socket), false);
		assert.notEqual(socket.raw.id, id);
		await told(socket, { id: sent.at(-1) });
		await leave(socket);
		const afterId = sent.at(-1);
		for (let i = 0; i < 10; i++)
			sent.push((await initiator.send('x'.repeat(20000))).row.id);
		socket.raw.auth = { token: bob.accessToken, afterId };
		assert.equal(await comeBack(socket), false);
		await told(socket, { id: sent.at(-1) });
		await sleep(100);
		assert.deepEqual(ids(socket), sent);
		socket.close();
	} finally {
		await own.stop();
	}
});

test('offsets of pushes from every worker ascend at each socket, and nothing is lost or doubled by those who come and go', { timeout: 120000 }, async () => {
	const own = await startServer({ workers: 4, set: { 'ratelimit.send': 'off', 'socketio.recovery': 'on' } });
	try {
		const { bob } = await two(own);
		const others = await Promise.all(Array.from({ length: 6 }, () => register(own)));
		const sessions = await Promise.all(others.map((person) => openSession(person, bob)));
		const sockets = await Promise.all(Array.from({ length: 6 }, (_, i) => connectSocket(own, bob, { transports: everyTransport[i % 3] })));
		const sent = [];
		let going = true;
		const sending = sessions.map(async ({ initiator }) => {
			for (let i = 0; going; i++)
				sent.push((await initiator.send(`${i}`)).row.id);
		});
		let moves = 0;
		const workerOf = (socket) => socket.raw.io.engine.id.slice(0, 2);
		for (let round = 0; round < 3; round++)
			await Promise.all(sockets.slice(1).map(async (socket) => {
				const worker = workerOf(socket);
				await leave(socket);
				assert.equal(await comeBack(socket), true);
				moves += workerOf(socket) !== worker;
				await sleep(100);
			}));
		assert.ok(moves > 0, 'some came back to another worker');
		going = false;
		await Promise.all(sending);
		sent.sort((a, b) => a - b);
		for (const socket of sockets) {
			await told(socket, { id: sent.at(-1) });
			assert.deepEqual(ids(socket), sent);
			const offsets = socket.events.map(({ args }) => Number(/^.{8}(\d+)$/.exec(args.at(-1))[1]));
			assert.ok(offsets.every((offset, i) => i === 0 || offset > offsets[i - 1]), `${offsets}`);
			socket.close();
		}
	} finally {
		await own.stop();
	}
});

test('a server that was started anew knows nobody, and its clients catch up from the store', async () => {
	const own = await start();
	try {
		const { bob, initiator } = await two(own);
		const socket = await connectSocket(own, bob, { auth: { afterId: 0 } });
		const { row: first } = await initiator.send('first');
		await told(socket, first);
		const { id } = socket.raw;
		await own.kill();
		own.http.close();
		await socket.disconnected();
		await own.start();
		const { row: missed } = await initiator.send('missed');
		socket.raw.auth = { token: bob.accessToken, afterId: first.id };
		assert.equal(await comeBack(socket), false);
		assert.notEqual(socket.raw.id, id);
		await told(socket, missed);
		assert.deepEqual(ids(socket), [first.id, missed.id]);
		await leave(socket);
		socket.raw.auth = { token: bob.accessToken, afterId: missed.id };
		const { row: last } = await initiator.send('last');
		assert.equal(await comeBack(socket), true, 'from then on it is known again');
		await told(socket, last);
		assert.deepEqual(ids(socket), [first.id, missed.id, last.id]);
		socket.close();
	} finally {
		await own.stop();
	}
});

test('without the option nothing of this is on the wire', async () => {
	const own = await startServer();
	try {
		const { bob, initiator } = await two(own);
		const socket = await connectSocket(own, bob);
		assert.equal(socket.raw._pid, undefined);
		const { row } = await initiator.send('x');
		await told(socket, row);
		assert.equal(socket.events[0].args.length, 1);
		socket.close();
	} finally {
		await own.stop();
	}
});
