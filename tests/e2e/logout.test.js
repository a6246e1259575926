// SPDX-License-Identifier: Apache-2.0
/* Wire contract: POST /v1/auth/logout. That sockets are disconnected is in the realtime tests. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { register } from './kit/people.js';
import { assertAnswer, is, QUICK, randomHex } from './kit/contract.js';

let server;
before(async () => { server = await startServer({ set: QUICK }); });
after(() => server?.stop());

const refresh = (person) => server.http.post('/v1/auth/refresh', { refreshToken: person.refreshToken });
const logOut = (person, body) => person.post('/v1/auth/logout', body);
const shape = { ok: is.exactly(true), scope: is.text };

/** A user with two logins on one device and one on another. */
async function threeLogins() {
	const first = await register(server);
	return { first, second: await first.login({ deviceId: first.deviceId }), elsewhere: await first.login() };
}

async function assertAlive(...people) {
	for (const person of people) {
		assert.equal((await person.get('/v1/auth/me')).status, 200);
		assert.equal((await refresh(person)).status, 200);
	}
}

async function assertEnded(...people) {
	for (const person of people) {
		assertError(await person.get('/v1/auth/me'), 401, 'TOKEN_INVALID');
		assertError(await refresh(person), 401, 'REFRESH_REVOKED');
	}
}

test('a refresh token in the body ends this login alone, and the access tokens live on', async () => {
	const { first, second, elsewhere } = await threeLogins();
	const body = assertAnswer(await logOut(first, { refreshToken: second.refreshToken }), 200, shape);
	assert.equal(body.scope, 'single');
	assertError(await refresh(second), 401, 'REFRESH_REVOKED');
	assert.equal((await second.get('/v1/auth/me')).status, 200);
	await assertAlive(first, elsewhere);
});

test("a login on another device of the user's can be ended too", async () => {
	const { first, second, elsewhere } = await threeLogins();
	assert.equal(assertAnswer(await logOut(first, { refreshToken: elsewhere.refreshToken }), 200, shape).scope, 'single');
	assertError(await refresh(elsewhere), 401, 'REFRESH_REVOKED');
	await assertAlive(first, second);
});

for (const [how, body] of [['no body', undefined], ['an empty object', {}], ['allForDevice', { allForDevice: true }],
	['allForDevice off, which is absent', { allForDevice: false, allForUser: false }], ['nulls', { refreshToken: null, allForUser: null }]]) {
	test(`ends all of the device with ${how}`, async () => {
		const { first, second, elsewhere } = await threeLogins();
		assert.equal(assertAnswer(await logOut(first, body), 200, shape).scope, 'device');
		await assertEnded(first, second);
		await assertAlive(elsewhere);
	});
}

test('allForUser ends every device', async () => {
	const { first, second, elsewhere } = await threeLogins();
	const stranger = await register(server);
	assert.equal(assertAnswer(await logOut(first, { allForUser: true, allForDevice: false }), 200, shape).scope, 'user');
	await assertEnded(first, second, elsewhere);
	await assertAlive(stranger);
});

test('the device stays, and logs in again', async () => {
	const person = await register(server);
	assertAnswer(await logOut(person), 200, shape);
	const again = await person.login({ deviceId: person.deviceId });
	await assertAlive(again);
	const { devices } = (await again.get('/v1/auth/devices')).body;
	assert.deepEqual(devices.map((device) => [device.deviceId, device.isActive]), [[person.deviceId, true]]);
});

test('an already revoked token is no error', async () => {
	const { first, second } = await threeLogins();
	for (let i = 0; i < 2; i++)
		assertAnswer(await logOut(first, { refreshToken: second.refreshToken }), 200, shape);
});

test('a malformed refresh token is told by its form', async () => {
	const person = await register(server);
	for (const refreshToken of ['', 'rt_1_2', 5, {}, person.accessToken])
		assertError(await logOut(person, { refreshToken }), 400, 'INVALID_REFRESH_TOKEN', 'refreshToken');
	await assertAlive(person);
});

test("an unknown, wrong or foreign refresh token is not found, and ends nothing", async () => {
	const [ala, bob] = [await register(server), await register(server)];
	const [, jti, ...secret] = ala.refreshToken.split('_');
	const wrongSecret = bob.refreshToken.split('_').slice(2).join('_');
	for (const refreshToken of [`rt_${randomHex(16)}_${secret.join('_')}`, `rt_${jti}_${wrongSecret}`, bob.refreshToken])
		assertError(await logOut(ala, { refreshToken }), 404, 'REFRESH_NOT_FOUND');
	await assertAlive(ala, bob);
});

test('more than one option is refused and does nothing', async () => {
	const { first, second, elsewhere } = await threeLogins();
	const { refreshToken } = second;
	for (const body of [{ refreshToken, allForDevice: true }, { refreshToken, allForUser: true }, { allForDevice: true, allForUser: true }])
		assertError(await logOut(first, body), 400, 'INVALID_BODY');
	for (const body of [{ allForUser: 'true' }, { allForDevice: 1 }])
		assertError(await logOut(first, body), 400, 'INVALID_BODY', Object.keys(body)[0]);
	await assertAlive(first, second, elsewhere);
});

test('a token is needed', async () => {
	assertError(await server.http.post('/v1/auth/logout', {}), 401, 'UNAUTHORIZED');
});
