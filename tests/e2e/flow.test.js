// SPDX-License-Identifier: Apache-2.0
/*
 * The canonical seven-step Flow with real encryption, over push and over polling. A swapped, lost, doubled
 * or altered message makes decryption fail, as the counter of handshake99 is not on the wire.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './kit/server.js';
import { accept, assertStatus, openOnly, openSession, register } from './kit/people.js';
import { connectSocket } from './kit/socket.js';

let server;
before(async () => { server = await startServer(); });
after(() => server?.stop());

async function twoPeople() {
	const people = [await register(server), await register(server)];
	for (const person of people)
		await person.uploadPrekeys();
	return people;
}

async function resolve(person, peer) {
	const query = new URLSearchParams({ convroNumber: peer.convroNumber });
	return assertStatus(await person.get(`/v1/users/resolve?${query}`), 200).body;
}

/** Everything addressed to the end's device above the cursor, page by page. */
async function poll(end, cursor, limit = 3) {
	const rows = [];
	for (let page, afterId = cursor; !page || page.hasMore; afterId = page.nextAfterId) {
		page = await end.history({ afterId, limit });
		assert.ok(page.messages.length <= limit);
		rows.push(...page.messages);
	}
	return rows;
}

for (const transports of [['websocket'], ['polling']]) {
	test(`walks the Flow with one side on push over ${transports} and the other on polling`, async () => {
		const [ala, bob] = await twoPeople();
		assert.equal((await resolve(ala, bob)).userId, bob.userId);

		const socket = await connectSocket(server, bob, { transports });
		const opened = await openOnly(ala, bob, { anyDevice: true });
		assert.equal(opened.bundle.responderDeviceId, bob.deviceId);
		assert.notEqual(opened.bundle.oneTimePrekeyId, null);
		const offered = await socket.waitFor('dm.session.offer');
		assert.deepEqual(offered.handshakeOffer, opened.offer);

		const { sessions } = assertStatus(await bob.get('/v1/dm/sessions/incoming'), 200).body;
		assert.equal(sessions.length, 1);
		assert.deepEqual(sessions[0].handshakeOffer, opened.offer);
		const [alasEnd, bobsEnd] = [opened.initiator, await accept(bob, sessions[0])];

		const said = Array.from({ length: 8 }, (_, i) => `message ${i}: zażółć gęślą jaźń`);
		for (const text of said) {
			await alasEnd.send(text);
			await bobsEnd.send(`re: ${text}`);
		}
		const pushed = [];
		while (pushed.length < said.length)
			pushed.push(bobsEnd.read(await socket.waitFor('dm.message')));
		assert.deepEqual(pushed, said);
		const polled = (await poll(alasEnd, 0)).map((row) => alasEnd.read(row));
		assert.deepEqual(polled, said.map((text) => `re: ${text}`));
		assert.equal(socket.all('dm.message').length, said.length, 'nothing is pushed twice');
		socket.close();
	});
}

test('both sides on push, after the upgrade from polling to websocket', async () => {
	const [ala, bob] = await twoPeople();
	const { initiator, responder } = await openSession(ala, bob);
	const sockets = [await connectSocket(server, ala), await connectSocket(server, bob)];
	for (const socket of sockets)
		await socket.upgraded();
	for (let i = 0; i < 5; i++) {
		await initiator.send(`there ${i}`);
		await responder.send(`back ${i}`);
	}
	for (let i = 0; i < 5; i++) {
		assert.equal(responder.read(await sockets[1].waitFor('dm.message')), `there ${i}`);
		assert.equal(initiator.read(await sockets[0].waitFor('dm.message')), `back ${i}`);
	}
	for (const socket of sockets)
		socket.close();
});

test('a session without one-time key works as well', async () => {
	const [ala, bob] = [await register(server), await register(server)];
	const { initiator, responder, bundle } = await openSession(ala, bob, { oneTime: false });
	assert.equal(bundle.oneTimePrekeyId, null);
	assert.equal(bundle.oneTimePrekeyPublicKeyX25519, null);
	await initiator.send('without');
	assert.deepEqual((await poll(responder, 0)).map((row) => responder.read(row)), ['without']);
});

test('what was sent to a device that was away arrives by afterId, before anything live and in order', async () => {
	const [ala, bob] = await twoPeople();
	const { initiator, responder } = await openSession(ala, bob);
	const { row: first } = await initiator.send('seen already');
	responder.read(first);
	for (let i = 0; i < 10; i++)
		await initiator.send(`missed ${i}`);
	const socket = await connectSocket(server, bob, { auth: { afterId: first.id } });
	await initiator.send('live');
	const expected = [...Array.from({ length: 10 }, (_, i) => `missed ${i}`), 'live'];
	for (const text of expected)
		assert.equal(responder.read(await socket.waitFor('dm.message')), text);
	assert.equal(socket.all('dm.message').length, expected.length);
	socket.close();
});

test('the initiator may write before the session is accepted', async () => {
	const [ala, bob] = await twoPeople();
	const opened = await openOnly(ala, bob);
	await opened.initiator.send('early');
	const { sessions } = assertStatus(await bob.get('/v1/dm/sessions/incoming'), 200).body;
	const bobsEnd = await accept(bob, sessions.find((row) => row.sessionDbId === opened.sessionDbId));
	assert.deepEqual((await poll(bobsEnd, 0)).map((row) => bobsEnd.read(row)), ['early']);
});
