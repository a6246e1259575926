// SPDX-License-Identifier: Apache-2.0
/* Wire contract: POST /v1/auth/login. The limit of failed logins is in limits.test.js. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { register } from './kit/people.js';
import { assertAnswer, is, QUICK, randomHex, randomName } from './kit/contract.js';

let server;
let ala;
before(async () => {
	server = await startServer({ set: QUICK });
	ala = await register(server, { username: `Ala.${randomHex(4)}`, fullName: 'Ala Kot' });
});
after(() => server?.stop());

const post = (body) => server.http.post('/v1/auth/login', body);
const logIn = (person, fields) => post({ convroNumber: person.convroNumber, password: person.password, ...fields });
const devices = async (person) => (await person.get('/v1/auth/devices')).body.devices;
const shape = {
	userId: is.id, convroNumber: is.number, username: is.orNull(is.text), fullName: is.orNull(is.text),
	deviceId: is.hex16, platform: is.text, accessToken: is.jwt, refreshToken: is.refreshToken,
};

test('a number or a name with the password logs in, with the shape of register', async () => {
	const { password, convroNumber, username } = ala;
	for (const identifier of [{ convroNumber }, { username }, { username, convroNumber }, { username, convroNumber: null }]) {
		const body = assertAnswer(await post({ ...identifier, password }), 200, shape);
		assert.equal(body.userId, ala.userId);
		assert.equal(body.convroNumber, convroNumber);
		assert.equal(body.username, username);
		assert.equal(body.fullName, 'Ala Kot');
	}
});

test('a user without name and full name has null for both', async () => {
	const body = assertAnswer(await logIn(await register(server)), 200, shape);
	assert.equal(body.username, null);
	assert.equal(body.fullName, null);
});

test('the name is found in any case and with one leading @', async () => {
	for (const username of [ala.username.toUpperCase(), ala.username.toLowerCase(), `@${ala.username}`])
		assert.equal(assertAnswer(await post({ username, password: ala.password }), 200, shape).username, ala.username);
	assertError(await post({ username: `@@${ala.username}`, password: ala.password }), 401, 'INVALID_CREDENTIALS');
});

test('name and number of different users are refused', async () => {
	const bob = await register(server, { password: ala.password });
	const answer = await post({ username: ala.username, convroNumber: bob.convroNumber, password: ala.password });
	assertError(answer, 401, 'INVALID_CREDENTIALS');
});

test('an own known device is reused, and its label and platform change only when given', async () => {
	const bob = await register(server, { platform: 'ios', deviceLabel: 'first' });
	const { deviceId } = bob;
	assert.equal(assertAnswer(await logIn(bob, { deviceId: deviceId.toUpperCase() }), 200, shape).platform, 'ios');
	let [device, ...others] = await devices(bob);
	assert.deepEqual(others, []);
	assert.equal(device.deviceLabel, 'first');
	assert.equal(assertAnswer(await logIn(bob, { deviceId, platform: 'web', deviceLabel: 'second' }), 200, shape).platform, 'web');
	[device, ...others] = await devices(bob);
	assert.deepEqual(others, []);
	assert.equal(device.deviceLabel, 'second');
	assert.equal(device.platform, 'web');
});

test('an unknown device id becomes a new device of the user', async () => {
	const bob = await register(server);
	const deviceId = randomHex(8);
	const body = assertAnswer(await logIn(bob, { deviceId, platform: 'android', deviceLabel: 'tablet' }), 200, shape);
	assert.equal(body.deviceId, deviceId);
	const list = await devices(bob);
	assert.deepEqual(list.map((device) => device.deviceId), [bob.deviceId, deviceId]);
	assert.equal(list[1].deviceLabel, 'tablet');
	assert.equal(list[1].platform, 'android');
});

test('without device id the server makes a new one', async () => {
	const bob = await register(server);
	const made = new Set([bob.deviceId]);
	for (let i = 0; i < 3; i++)
		made.add(assertAnswer(await logIn(bob), 200, shape).deviceId);
	assert.equal(made.size, 4);
});

test('neither name nor number is an error of its own', async () => {
	const { password } = ala;
	for (const body of [{}, { username: null, convroNumber: null }, { username: '' }, { convroNumber: '' }, { username: '', convroNumber: '' }])
		assertError(await post({ ...body, password }), 400, 'MISSING_LOGIN_IDENTIFIER');
});

test('wrong, empty and over-long passwords, unknown users and malformed identifiers look the same', async () => {
	const { username, convroNumber, password } = ala;
	const answers = [];
	for (const body of [
		{ convroNumber, password: 'wrong password' },
		{ username, password: 'wrong password' },
		{ convroNumber, password: '' },
		{ convroNumber, password: 'short' },
		{ convroNumber, password: 'x'.repeat(1025) },
		{ username: randomName(), password },
		{ convroNumber: '+99000000', password: `${password}!` },
		{ username: 'no such name!', password },
		{ username: 'x'.repeat(5000), password },
		{ convroNumber: '12', password },
		{ convroNumber: 'x'.repeat(5000), password },
	])
		answers.push(assertError(await post(body), 401, 'INVALID_CREDENTIALS'));
	const bodies = answers.map(({ body }) => JSON.stringify({ ...body, requestId: '' }));
	assert.deepEqual([...new Set(bodies)], [bodies[0]]);
});

test('a missing password is a malformed body', async () => {
	for (const password of [undefined, null, 12345678])
		assertError(await post({ convroNumber: ala.convroNumber, password }), 400, 'INVALID_BODY', 'password');
});

test('malformed device id, platform and label have their own codes', async () => {
	assertError(await logIn(ala, { deviceId: 'xyz' }), 400, 'INVALID_DEVICE_ID', 'deviceId');
	assertError(await logIn(ala, { platform: 'amiga' }), 400, 'INVALID_PLATFORM', 'platform');
	assertError(await logIn(ala, { deviceLabel: 'x'.repeat(129) }), 400, 'INVALID_DEVICE_LABEL', 'deviceLabel');
});

test("somebody else's device is refused, but only to who knows the password", async () => {
	const bob = await register(server);
	assertError(await logIn(ala, { deviceId: bob.deviceId }), 403, 'DEVICE_OWNED_BY_OTHER_USER');
	assertError(await logIn(ala, { deviceId: bob.deviceId, password: 'wrong password' }), 401, 'INVALID_CREDENTIALS');
});

test('a removed device never comes back', async () => {
	const bob = await register(server);
	const other = await bob.login();
	assert.equal((await bob.delete(`/v1/auth/devices/${other.deviceId}`)).status, 200);
	assertError(await logIn(bob, { deviceId: other.deviceId }), 403, 'DEVICE_REMOVED');
});

test('a device keeps eight live logins, and one more ends the oldest', async () => {
	const bob = await register(server);
	const { deviceId } = bob;
	const tokens = [bob.refreshToken];
	for (let i = 0; i < 8; i++)
		tokens.push(assertAnswer(await logIn(bob, { deviceId }), 200, shape).refreshToken);
	const refresh = (refreshToken) => server.http.post('/v1/auth/refresh', { refreshToken });
	assertError(await refresh(tokens[0]), 401, 'REFRESH_REVOKED');
	for (const token of tokens.slice(1))
		assert.equal((await refresh(token)).status, 200);
});
