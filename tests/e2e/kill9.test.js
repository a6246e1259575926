// SPDX-License-Identifier: Apache-2.0
/* Wire contract: what was answered survives kill -9. Several rounds on the same data, under load. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { assertStatus, openSession, register } from './kit/people.js';
import { QUICK } from './kit/contract.js';

const SENDERS = 8;
let server;
let sessions;
before(async () => {
	server = await startServer({ set: QUICK });
	sessions = [];
	for (let i = 0; i < 4; i++)
		sessions.push(await openSession(await register(server), await register(server)));
});
after(() => server?.stop());

const random = (bytes) => crypto.randomBytes(bytes).toString('base64');

/** Works until the server is gone; the request that got no answer is what `lost` is told. */
async function untilGone(work, lost = () => {}) {
	for (;;) {
		const body = work.next();
		let answer;
		try {
			answer = await body.post();
		} catch {
			lost(body);
			return;
		}
		body.acknowledged(answer);
	}
}

async function killAndStart() {
	await server.kill();
	server.http.close(); // its connections are dead
	await server.start();
}

test('every acknowledged message is in the history exactly once, and every other one at most once', async () => {
	const acknowledged = new Map(); // clientMessageId → row
	const unanswered = [];
	for (let round = 1; round <= 3; round++) {
		const sender = (i) => ({
			next() {
				const session = sessions[i % sessions.length];
				const { person } = i < SENDERS / 2 ? session.initiator : session.responder;
				const body = { sessionId: session.sessionId, clientMessageId: crypto.randomUUID(), ciphertext: random(100), authTag: random(16) };
				return {
					body,
					person,
					post: () => person.post('/v1/dm/messages/send', body),
					acknowledged: (answer) => acknowledged.set(body.clientMessageId, assertStatus(answer, 201).body),
				};
			},
		});
		const senders = Array.from({ length: SENDERS }, (_, i) => untilGone(sender(i), (lost) => unanswered.push(lost)));
		const enough = round * 150 + crypto.randomInt(100);
		while (acknowledged.size < enough)
			await new Promise((resolve) => setTimeout(resolve, 5));
		await Promise.all([killAndStart(), ...senders]);

		const stored = new Map();
		for (const { initiator, responder } of sessions) {
			const rows = await responder.allRows();
			assert.deepEqual(await initiator.allRows(), rows);
			const ids = rows.map((row) => row.id);
			assert.deepEqual(ids, [...new Set(ids)].sort((a, b) => a - b));
			for (const row of rows) {
				assert.equal(stored.has(row.clientMessageId), false, 'stored twice');
				stored.set(row.clientMessageId, row);
			}
		}
		for (const [clientMessageId, { ok, deduped, ...row }] of acknowledged)
			assert.deepEqual(stored.get(clientMessageId), row);
	}

	// a client sends again what was not answered, and that settles it
	assert.ok(unanswered.length > 0);
	for (const { body, person } of unanswered)
		assert.ok([200, 201].includes((await person.post('/v1/dm/messages/send', body)).status));
	let total = 0;
	for (const { responder } of sessions)
		total += (await responder.allRows()).length;
	assert.equal(total, acknowledged.size + unanswered.length);
});

test('no one-time key is handed out twice, before or after', async () => {
	const [ala, bob] = [await register(server), await register(server)];
	await bob.uploadPrekeys(256);
	const handedOut = [];
	const caller = {
		next: () => ({
			post: () => ala.bundle(bob),
			acknowledged: (answer) => handedOut.push(assertStatus(answer, 200).body.oneTimePrekeyId),
		}),
	};
	const callers = Array.from({ length: 4 }, () => untilGone(caller));
	while (handedOut.length < 40)
		await new Promise((resolve) => setTimeout(resolve, 2));
	await Promise.all([killAndStart(), ...callers]);
	for (let key; key !== null;) {
		({ oneTimePrekeyId: key } = assertStatus(await ala.bundle(bob), 200).body);
		handedOut.push(key);
	}
	const ids = handedOut.filter((id) => id !== null);
	assert.equal(new Set(ids).size, ids.length);
	assert.ok(ids.length >= 256 - 4 && ids.length <= 256, `${ids.length} of 256 handed out`); // an unanswered one is burnt
});

test('accounts, tokens, receipts and revocations survive', async () => {
	const ala = await register(server, { username: `k_${crypto.randomBytes(6).toString('hex')}` });
	const loggedOut = await ala.login();
	assertStatus(await loggedOut.post('/v1/auth/logout'), 200);
	const { refreshToken: old } = ala;
	await ala.refresh();
	const { initiator, responder } = sessions[0];
	const { row } = await initiator.send('read before the end');
	assertStatus(await responder.person.post('/v1/dm/messages/receipts', { messageId: row.id, status: 'READ' }), 200);
	await killAndStart();

	assertStatus(await ala.get('/v1/auth/me'), 200);
	await ala.refresh();
	assertError(await server.http.post('/v1/auth/refresh', { refreshToken: old }), 401, 'REFRESH_REVOKED');
	assertError(await loggedOut.get('/v1/auth/me'), 401, 'TOKEN_INVALID');
	const { messages } = await initiator.history({ afterId: row.id - 1, direction: 'all' });
	assert.equal(messages[0].deliveryState, 'READ');
	assertError(await server.http.post('/v1/auth/register', { password: 'correct horse', username: ala.username }), 409, 'USERNAME_TAKEN');
	const numbers = new Set([ala.convroNumber]);
	for (let i = 0; i < 20; i++)
		numbers.add((await register(server)).convroNumber);
	assert.equal(numbers.size, 21);
});
