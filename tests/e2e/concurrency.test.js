// SPDX-License-Identifier: Apache-2.0
/* Wire contract: what holds however many ask at the same time. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { assertStatus, openSession, register } from './kit/people.js';
import { QUICK } from './kit/contract.js';

let server;
before(async () => { server = await startServer({ set: { ...QUICK, 'dm_sessions.pending_max': 1000 }, workers: 4 }); });
after(() => server?.stop());

const times = (count, work) => Promise.all(Array.from({ length: count }, (_, i) => work(i)));
const people = (count) => times(count, () => register(server));
const random = (bytes) => crypto.randomBytes(bytes).toString('base64');

async function sendRandom(person, sessionId, more = {}) {
	const body = { sessionId, ciphertext: random(40), authTag: random(16), clientMessageId: crypto.randomUUID(), ...more };
	return assertStatus(await person.post('/v1/dm/messages/send', body), 201).body;
}

test('50 bundles at once hand out every one-time key once and then none', async () => {
	const [bob, ...callers] = await people(6);
	await bob.uploadPrekeys(40);
	const bundles = await times(50, async (i) => assertStatus(await callers[i % 5].bundle(bob), 200).body);
	const ids = bundles.map((bundle) => bundle.oneTimePrekeyId).filter((id) => id !== null);
	assert.equal(ids.length, 40);
	assert.deepEqual([...new Set(ids)].sort(), [...bob.keys.oneTime.keys()].sort());
	for (const { oneTimePrekeyId: id, oneTimePrekeyPublicKeyX25519: key } of bundles)
		assert.equal(key, id && bob.keys.oneTime.get(id).publicKey.toString('base64'));
});

test('uploads and bundles at once neither lose nor double a key', async () => {
	const [bob, ala] = await people(2);
	await bob.uploadPrekeys(0);
	const bodies = Array.from({ length: 8 }, () => bob.prekeyBody(10));
	const uploads = times(8, async (i) => assertStatus(await bob.post('/v1/prekeys/upload', bodies[i]), 200).body);
	const early = await times(40, async () => assertStatus(await ala.bundle(bob), 200).body.oneTimePrekeyId);
	assert.equal((await uploads).reduce((sum, answer) => sum + answer.storedOneTimePrekeys, 0), 80);
	const late = await times(90, async () => assertStatus(await ala.bundle(bob), 200).body.oneTimePrekeyId);
	const ids = [...early, ...late].filter((id) => id !== null);
	assert.deepEqual(ids.sort(), [...bob.keys.oneTime.keys()].sort());
});

test('the same upload from many requests at once stores each key once', async () => {
	const [bob] = await people(1);
	const body = bob.prekeyBody(20);
	const answers = await times(8, async () => assertStatus(await bob.post('/v1/prekeys/upload', body), 200).body);
	assert.equal(answers.reduce((sum, answer) => sum + answer.storedOneTimePrekeys, 0), 20);
	assert.deepEqual(answers.map((answer) => answer.oneTimeAvailable), answers.map(() => 20));
});

/** Reads a session from the beginning, page by page, until `isOver()` was true before an empty page. */
async function follow(end, query, isOver) {
	const seen = [];
	for (let cursor = 0; ;) {
		const last = isOver();
		const page = await end.history({ ...query, afterId: cursor, limit: 7 });
		seen.push(...page.messages.map((row) => row.id));
		if (last && page.messages.length === 0)
			return seen;
		cursor = page.nextAfterId;
	}
}

test('a reader who pages by afterId through a session with 8 senders skips nothing and sees nothing twice', async () => {
	const { initiator, responder, sessionId } = await openSession(...await people(2));
	let isOver = false;
	const readers = [follow(responder, {}, () => isOver), follow(initiator, {}, () => isOver), follow(responder, { direction: 'all' }, () => isOver)];
	const sent = { initiator: [], responder: [] };
	await times(8, async (i) => {
		const [name, end] = i < 5 ? ['initiator', initiator] : ['responder', responder];
		for (let k = 0; k < 30; k++)
			sent[name].push((await sendRandom(end.person, sessionId)).id);
	});
	isOver = true;
	const ascending = (ids) => [...ids].sort((a, b) => a - b);
	const [toResponder, toInitiator, all] = await Promise.all(readers);
	assert.deepEqual(toResponder, ascending(sent.initiator));
	assert.deepEqual(toInitiator, ascending(sent.responder));
	assert.deepEqual(all, ascending([...sent.initiator, ...sent.responder]));
	assert.equal(new Set(all).size, 240);
});

test('over the 8 sessions of one device no row appears below an id that was seen', async () => {
	const [bob, ...senders] = await people(9);
	await bob.uploadPrekeys(10);
	const sessions = [];
	for (const person of senders)
		sessions.push(await openSession(person, bob));
	let isOver = false;
	const sent = [];
	const sending = times(8, async (i) => {
		for (let k = 0; k < 30; k++)
			sent.push((await sendRandom(senders[i], sessions[i].sessionId)).id);
	}).then(() => { isOver = true; });

	// What is above the cursor of a sweep's start was not there yet; all below it has been read when the sweep ends.
	const seen = [];
	const cursors = sessions.map(() => 0);
	for (let known = 0, isLast = false; !isLast;) {
		isLast = isOver;
		const highest = seen.reduce((max, id) => Math.max(max, id), 0);
		await Promise.all(sessions.map(async ({ responder }, i) => {
			for (let page; !page || page.hasMore;) {
				page = await responder.history({ afterId: cursors[i], limit: 200 });
				for (const { id } of page.messages) {
					assert.ok(id > known, `${id} appeared after everything up to ${known} had been read`);
					seen.push(id);
				}
				cursors[i] = page.nextAfterId;
			}
		}));
		known = highest;
	}
	await sending;
	assert.deepEqual([...seen].sort((a, b) => a - b), [...sent].sort((a, b) => a - b));
	assert.equal(seen.length, 240);
});

test('unread counts are exact after all of that', async () => {
	const { initiator, responder, sessionId } = await openSession(...await people(2));
	const unread = async () => (await responder.person.get('/v1/dm/messages/conversations')).body.conversations[0].unreadCount;
	const ids = (await times(40, () => sendRandom(initiator.person, sessionId))).map((row) => row.id);
	assert.equal(await unread(), 40);
	const mark = (messageIds) => responder.person.post('/v1/dm/messages/receipts', { messageIds, status: 'READ' });
	const answers = await times(12, (i) => mark(ids.slice(i, i + 20)));
	assert.equal(answers.reduce((sum, answer) => sum + assertStatus(answer, 200).body.updated, 0), 31);
	assert.equal(await unread(), 9);
});

test('16 times the same clientMessageId is one row', async () => {
	const { initiator, responder, sessionId } = await openSession(...await people(2));
	for (let round = 0; round < 5; round++) {
		const body = { sessionId, ciphertext: random(40), authTag: random(16), clientMessageId: crypto.randomUUID() };
		const answers = await times(16, () => initiator.person.post('/v1/dm/messages/send', body));
		assert.deepEqual(answers.map((answer) => answer.status).sort(), [...Array(15).fill(200), 201]);
		assert.equal(new Set(answers.map((answer) => answer.body.id)).size, 1);
		assert.deepEqual(answers.map((answer) => answer.body.deduped), answers.map((answer) => answer.status === 200));
	}
	assert.equal((await responder.history({})).messages.length, 5);
});

test('of 16 bodies under one clientMessageId one is stored and the others are refused', async () => {
	const { initiator, responder, sessionId } = await openSession(...await people(2));
	const clientMessageId = crypto.randomUUID();
	const answers = await times(16, () => initiator.person.post('/v1/dm/messages/send', { sessionId, clientMessageId, ciphertext: random(40), authTag: random(16) }));
	for (const answer of answers.filter((one) => one.status !== 201))
		assertError(answer, 409, 'CLIENT_MESSAGE_ID_REUSED');
	const rows = (await responder.history({})).messages;
	assert.deepEqual(rows.map((row) => row.id), answers.filter((one) => one.status === 201).map((one) => one.body.id));
	assert.equal(rows.length, 1);
});

test('of concurrent refreshes of one token exactly one succeeds, and the login lives on', async () => {
	for (const count of [2, 2, 2, 16]) {
		const [ala] = await people(1);
		const answers = await times(count, () => server.http.post('/v1/auth/refresh', { refreshToken: ala.refreshToken }));
		const good = answers.filter((answer) => answer.status === 200);
		assert.equal(good.length, 1);
		for (const answer of answers.filter((one) => one.status !== 200))
			assertError(answer, 401, 'REFRESH_REVOKED');
		assertStatus(await server.http.get('/v1/auth/me', good[0].body.accessToken), 200);
		assertStatus(await server.http.post('/v1/auth/refresh', { refreshToken: good[0].body.refreshToken }), 200);
	}
});

test('nothing of a refresh survives the logout of the device it ran against', async () => {
	for (let round = 0; round < 15; round++) {
		const [ala] = await people(1);
		const [refreshed, loggedOut] = await Promise.all([
			server.http.post('/v1/auth/refresh', { refreshToken: ala.refreshToken }),
			ala.post('/v1/auth/logout', { allForDevice: true }),
		]);
		assertStatus(loggedOut, 200);
		if (refreshed.status === 200)
			assertError(await server.http.post('/v1/auth/refresh', { refreshToken: refreshed.body.refreshToken }), 401, 'REFRESH_REVOKED');
	}
});

test('a token that was revoked is refused by every worker at once', async () => {
	for (let round = 0; round < 5; round++) {
		const [ala] = await people(1);
		await times(12, async () => assertStatus(await ala.get('/v1/auth/me'), 200)); // every worker has seen it
		assertStatus(await ala.post('/v1/auth/logout', { allForUser: true }), 200);
		await times(12, async () => assertError(await ala.get('/v1/auth/me'), 401, 'TOKEN_INVALID'));
	}
});
