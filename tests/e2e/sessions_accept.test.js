// SPDX-License-Identifier: Apache-2.0
/* Wire contract: POST /v1/dm/sessions/accept. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { openOnly, register } from './kit/people.js';
import { assertAnswer, is, QUICK } from './kit/contract.js';

let server;
let ala;
let bob;
before(async () => {
	server = await startServer({ set: QUICK });
	ala = await register(server);
	bob = await register(server);
});
after(() => server?.stop());

const accept = (person, sessionDbId) => person.post('/v1/dm/sessions/accept', { sessionDbId });
const shape = { ok: is.exactly(true), sessionDbId: is.id, sessionId: is.hex8, state: is.exactly('ACTIVE') };

test('the responder makes the session active, and a repeat is the same answer', async () => {
	const { sessionDbId, sessionId } = await openOnly(ala, bob);
	for (const id of [sessionDbId, sessionDbId, String(sessionDbId)]) {
		const body = assertAnswer(await accept(bob, id), 200, shape);
		assert.equal(body.sessionDbId, sessionDbId);
		assert.equal(body.sessionId, sessionId);
	}
});

test('several accepts at once are all 200', async () => {
	const { sessionDbId } = await openOnly(ala, bob);
	for (const answer of await Promise.all(Array.from({ length: 8 }, () => accept(bob, sessionDbId))))
		assertAnswer(answer, 200, shape);
});

test('only the responder device may accept', async () => {
	const { sessionDbId } = await openOnly(ala, bob);
	const [otherDevice, stranger] = [await bob.login(), await register(server)];
	for (const person of [ala, otherDevice, stranger])
		assertError(await accept(person, sessionDbId), 403, 'NOT_SESSION_RESPONDER');
	const { sessions } = (await bob.get('/v1/dm/sessions/incoming')).body;
	assert.equal(sessions.some((row) => row.sessionDbId === sessionDbId), true, 'it still waits');
});

test('an unknown session is not found', async () => {
	assertError(await accept(bob, Number.MAX_SAFE_INTEGER), 404, 'SESSION_NOT_FOUND');
});

test('a malformed id is a malformed body', async () => {
	for (const sessionDbId of [undefined, null, '', 'x', -1, 1.5, {}, [], true, 9007199254740992, '9007199254740992', '1.0', ' 1', '+1'])
		assertError(await accept(bob, sessionDbId), 400, 'INVALID_BODY', 'sessionDbId');
});

test('a token is needed', async () => {
	assertError(await server.http.post('/v1/dm/sessions/accept', {}), 401, 'UNAUTHORIZED');
});
