// SPDX-License-Identifier: Apache-2.0
/* Wire contract: GET /v1/users/resolve. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { register } from './kit/people.js';
import { assertAnswer, is, QUICK, randomHex, randomName } from './kit/contract.js';

let server;
let ala;
let bob;
before(async () => {
	server = await startServer({ set: QUICK });
	ala = await register(server);
	bob = await register(server, { username: `Bob.${randomHex(4)}`, fullName: 'Robert Żak' });
});
after(() => server?.stop());

/** The query as it stands, since its spelling is the point. */
const resolve = (query) => ala.get(`/v1/users/resolve?${query}`);
const shape = { userId: is.id, convroNumber: is.number, username: is.orNull(is.text), fullName: is.orNull(is.text) };

async function assertFinds(person, query) {
	const body = assertAnswer(await resolve(query), 200, shape);
	assert.deepEqual(body, { userId: person.userId, convroNumber: person.convroNumber, username: person.username, fullName: person.fullName });
}

test('a number is found however the plus arrives', async () => {
	const digits = bob.convroNumber.slice(1);
	const spaced = `${digits.slice(0, 2)}+${digits.slice(2, 5)}+${digits.slice(5)}`; // 99 241 772
	for (const value of [`%2B${digits}`, `+${digits}`, `%20${digits}`, digits, `%2B${spaced}`, `+${spaced.replaceAll('+', '%20')}`, spaced])
		await assertFinds(bob, `convroNumber=${value}`);
});

test('the snake_case spelling is taken', async () => {
	await assertFinds(bob, `convro_number=${bob.convroNumber.slice(1)}`);
});

test('a name is found in any case and with one leading @', async () => {
	const { username } = bob;
	for (const value of [username, username.toUpperCase(), username.toLowerCase(), `@${username}`, `%40${username}`, `%42${username.slice(1)}`])
		await assertFinds(bob, `username=${value}`);
});

test('who has neither name nor full name has null for both, and one finds oneself', async () => {
	await assertFinds(ala, `convroNumber=${ala.convroNumber.slice(1)}`);
	assert.equal(ala.username, null);
});

test('nobody is USER_NOT_FOUND', async () => {
	assertError(await resolve(`username=${randomName()}`), 404, 'USER_NOT_FOUND');
	assertError(await resolve(`convroNumber=99${bob.convroNumber.slice(3)}0`), 404, 'USER_NOT_FOUND'); // seven digits
	assertError(await resolve(`convroNumber=99${'1'.repeat(12)}`), 404, 'USER_NOT_FOUND');
});

test('exactly one of number and name is asked for', async () => {
	const number = `convroNumber=${bob.convroNumber.slice(1)}`;
	for (const query of ['', 'other=1', `${number}&username=${bob.username}`])
		assertError(await resolve(query), 400, 'INVALID_QUERY');
	assertError(await ala.get('/v1/users/resolve'), 400, 'INVALID_QUERY');
});

test('a malformed number is refused', async () => {
	const digits = bob.convroNumber.slice(3);
	for (const value of ['', '%2B', '9912345', `99${'1'.repeat(13)}`, `98${digits}`, `%2B99-${digits}`, `99.${digits}`,
		`99${digits}x`, `99%09${digits}`, `%2B%2B99${digits}`, digits])
		assertError(await resolve(`convroNumber=${value}`), 400, 'INVALID_QUERY', 'convroNumber');
});

test('a malformed name is refused', async () => {
	for (const value of ['', '@', 'ab', 'x'.repeat(65), 'with%20blank', '%C5%BCak', `@@${bob.username}`])
		assertError(await resolve(`username=${value}`), 400, 'INVALID_QUERY', 'username');
	assertError(await resolve(`username=${bob.username}%00`), 400, 'INVALID_QUERY');
});

test('a bad escape, a key twice and different spellings with different values are refused', async () => {
	const digits = bob.convroNumber.slice(1);
	for (const query of ['convroNumber=%zz', `convroNumber=%2`, 'username=%ff', `convroNumber=${digits}&convroNumber=${digits}`,
		`convroNumber=${digits}&convro_number=${ala.convroNumber.slice(1)}`])
		assertError(await resolve(query), 400, 'INVALID_QUERY');
});

test('a token is needed', async () => {
	assertError(await server.http.get(`/v1/users/resolve?username=${bob.username}`), 401, 'UNAUTHORIZED');
});
