// SPDX-License-Identifier: Apache-2.0
/*
 * What the server tells: pushes to every socket of a device on whatever worker, what was missed, and
 * the switch from the one to the other without gap or double.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { accept, assertStatus, openOnly, openSession, register } from './kit/people.js';
import { startServer } from './kit/server.js';
import { connectSocket } from './kit/socket.js';

let server;
before(async () => { server = await startServer({ set: { 'ratelimit.send': 'off' } }); });
after(() => server?.stop());

const everyTransport = [['websocket'], ['polling'], ['polling', 'websocket']];
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function two(at = server) {
	const people = [await register(at), await register(at)];
	for (const person of people)
		await person.uploadPrekeys(30);
	return people;
}

async function waitForState(end, id, state) {
	for (let tries = 0; ; tries++) {
		const row = (await end.history({ direction: 'all' })).messages.find((message) => message.id === id);
		if (row?.deliveryState === state)
			return;
		assert.ok(tries < 100, `${id} is still ${row?.deliveryState}`);
		await sleep(50);
	}
}

test('every socket of the device hears, on both workers and all transports, and nobody else', async () => {
	const [ala, bob] = await two();
	const bobs = await Promise.all(Array.from({ length: 9 }, (_, i) => connectSocket(server, bob, { transports: everyTransport[i % 3] })));
	const alas = await connectSocket(server, ala);
	const opened = await openOnly(ala, bob);
	for (const socket of bobs) {
		const offered = await socket.waitFor('dm.session.offer');
		assert.equal(offered.type, 'dm.session.offer');
		assert.equal(offered.sessionDbId, opened.sessionDbId);
		assert.deepEqual(offered.handshakeOffer, opened.offer);
	}
	const bobsEnd = await accept(bob, await bobs[0].waitFor('dm.session.offer', () => true, 100).catch(() => ({ ...opened, handshakeOffer: opened.offer })));
	assert.deepEqual(await alas.waitFor('dm.session.accept'), { sessionDbId: opened.sessionDbId, sessionId: opened.sessionId, state: 'ACTIVE', responderUserId: bob.userId, responderDeviceId: bob.deviceId });
	await opened.initiator.send('hello');
	const rows = await Promise.all(bobs.map((socket) => socket.waitFor('dm.message')));
	assert.equal(bobsEnd.read(rows[0]), 'hello');
	for (const row of rows)
		assert.deepEqual(row, rows[0]);
	await sleep(200);
	for (const socket of bobs) {
		assert.equal(socket.all('dm.message').length, 1);
		assert.equal(socket.all('dm.session.offer').length, 1);
		socket.close();
	}
	assert.equal(alas.all('dm.message').length, 0);
	alas.close();
});

test('low keys are told on connect while they are low, and on the crossing', async () => {
	const ala = await register(server);
	const silent = await connectSocket(server, ala);
	await sleep(200);
	assert.equal(silent.all('prekeys.low').length, 0, 'not to a device that never uploaded keys');
	await ala.uploadPrekeys(20);
	const peer = await register(server);
	await peer.bundle(ala, { device_id: ala.deviceId });
	assert.deepEqual(await silent.waitFor('prekeys.low'), { oneTimeAvailable: 19 });
	silent.close();
	const socket = await connectSocket(server, ala);
	assert.deepEqual(await socket.waitFor('prekeys.low'), { oneTimeAvailable: 19 });
	socket.close();
});

for (const transports of everyTransport) {
	test(`tells over ${transports} what was missed while messages go on coming, without gap or double`, async () => {
		const [ala, bob] = await two();
		const { initiator } = await openSession(ala, bob);
		const pending = await openOnly(await register(server), bob);
		const ids = [];
		for (let i = 0; i < 30; i++)
			ids.push((await initiator.send(`missed ${i}`)).row.id);
		let going = true;
		const live = (async () => {
			for (let i = 0; going; i++)
				ids.push((await initiator.send(`live ${i}`)).row.id);
		})();
		const sockets = [];
		for (let i = 0; i < 8; i++) {
			const after = ids[i * 3];
			sockets.push([after, await connectSocket(server, bob, { transports, auth: { afterId: i % 2 ? String(after) : after } })]);
		}
		await sleep(300);
		going = false;
		await live;
		for (const [after, socket] of sockets) {
			const expected = ids.filter((id) => id > after);
			await socket.waitFor('dm.message', (row) => row.id === expected.at(-1));
			assert.deepEqual(socket.all('dm.message').map((row) => row.id), expected);
			assert.equal(socket.events[0].event, 'dm.session.offer', 'offers come first');
			assert.deepEqual(socket.all('dm.session.offer').map((offer) => offer.sessionDbId), [pending.sessionDbId]);
			socket.close();
		}
	});
}

test('a long catch-up comes whole over each transport, though it is more than the send limit', async () => {
	const own = await startServer({ set: { 'ratelimit.send': 'off', 'socketio.send_limit': '16k' } });
	try {
		const [ala, bob] = await two(own);
		const { initiator } = await openSession(ala, bob);
		const ids = [];
		for (let i = 0; i < 450; i++)
			ids.push((await initiator.send('x'.repeat(2000))).row.id);
		for (const transports of everyTransport) {
			const socket = await connectSocket(own, bob, { transports, auth: { afterId: 0 } });
			await socket.waitFor('dm.message', (row) => row.id === ids.at(-1), 20000);
			assert.deepEqual(socket.all('dm.message').map((row) => row.id), ids);
			const { row } = await initiator.send('live');
			await socket.waitFor('dm.message', (pushed) => pushed.id === row.id);
			ids.push(row.id);
			socket.close();
		}
	} finally {
		await own.stop();
	}
});

test('a client that does not read is closed, and resumes where it was', async () => {
	const own = await startServer({ set: { 'ratelimit.send': 'off', 'socketio.send_limit': '64k', 'log.level': 'debug' } });
	try {
		const [ala, bob] = await two(own);
		const { initiator } = await openSession(ala, bob);
		const socket = await connectSocket(own, bob, { transports: ['websocket'] });
		socket.raw.io.engine.transport.ws._socket.pause();
		const ids = [];
		while (!/session closed: overflow/.test(own.log())) {
			ids.push((await initiator.send('x'.repeat(40000))).row.id);
			assert.ok(ids.length < 500, 'never closed');
		}
		socket.raw.io.engine.transport.ws._socket.resume();
		assert.match(await socket.disconnected(), /^transport/);
		const seen = socket.all('dm.message').map((row) => row.id);
		const again = await connectSocket(own, bob, { auth: { afterId: seen.at(-1) ?? 0 } });
		await again.waitFor('dm.message', (row) => row.id === ids.at(-1), 20000);
		assert.deepEqual([...seen, ...again.all('dm.message').map((row) => row.id)], ids);
		again.close();

		const polling = await connectSocket(own, bob, { transports: ['polling'] });
		polling.raw.io.engine.transport.pause(() => {});
		const before = own.log().length;
		for (let tries = 0; !/session closed: overflow/.test(own.log().slice(before)); tries++) {
			await initiator.send('x'.repeat(40000));
			assert.ok(tries < 50, 'never closed');
		}
		polling.close();
	} finally {
		await own.stop();
	}
});

for (const transports of everyTransport) {
	test(`over ${transports} acknowledgements mark messages as delivered, where they were asked for`, async () => {
		const [ala, bob] = await two();
		const { initiator, responder } = await openSession(ala, bob);
		const { row: missed } = await initiator.send('missed');
		const alas = await connectSocket(server, ala);
		const quiet = await connectSocket(server, bob, { transports, auth: { afterId: 0 } });
		await quiet.waitFor('dm.message');
		const { row: unmarked } = await initiator.send('pushed');
		await quiet.waitFor('dm.message');
		await sleep(200);
		assert.deepEqual((await responder.history({ direction: 'all' })).messages.map((row) => row.deliveryState), ['PENDING', 'PENDING']);
		quiet.close();

		const socket = await connectSocket(server, bob, { transports, auth: { afterId: 0, acks: true } });
		const { row: live } = await initiator.send('live');
		for (const { id } of [missed, unmarked, live]) {
			await socket.waitFor('dm.message', (row) => row.id === id);
			const receipt = await alas.waitFor('dm.receipt', (at) => at.messageId === id);
			assert.equal(receipt.status, 'DELIVERED');
			await waitForState(responder, id, 'DELIVERED');
		}
		socket.close();
		alas.close();
	});
}

test('events can be renamed', async () => {
	const own = await startServer({ set: { 'socketio.event_names': 'dm.message=message dm.session.offer="offer"'.replaceAll('"', '') } });
	try {
		const [ala, bob] = await two(own);
		const socket = await connectSocket(own, bob, { auth: { acks: true } });
		const { initiator } = await openSession(ala, bob);
		await socket.waitFor('offer');
		const { row } = await initiator.send('hello');
		assert.equal((await socket.waitFor('message')).id, row.id);
		assert.equal(socket.all('dm.message').length, 0);
		await sleep(300);
		assert.equal((await initiator.history()).messages[0].deliveryState, 'DELIVERED');
		socket.close();
	} finally {
		await own.stop();
	}
});

test('a push in the order of sending reaches every socket in that order', async () => {
	const [ala, bob] = await two();
	const sessions = [await openSession(ala, bob), await openSession(await register(server), bob), await openSession(await register(server), bob)];
	const sockets = await Promise.all(Array.from({ length: 4 }, (_, i) => connectSocket(server, bob, { transports: everyTransport[i % 3] })));
	const ids = [];
	await Promise.all(sessions.map(async ({ initiator }) => {
		for (let i = 0; i < 60; i++)
			ids.push((await initiator.send(`${i}`)).row.id);
	}));
	ids.sort((a, b) => a - b);
	for (const socket of sockets) {
		await socket.waitFor('dm.message', (row) => row.id === ids.at(-1));
		assert.deepEqual(socket.all('dm.message').map((row) => row.id), ids);
		socket.close();
	}
	assertStatus(await bob.get('/v1/auth/me'), 200);
});
