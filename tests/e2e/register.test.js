// SPDX-License-Identifier: Apache-2.0
/* Wire contract: POST /v1/auth/register. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { register } from './kit/people.js';
import { assertAnswer, is, QUICK, randomHex, randomName } from './kit/contract.js';

const password = 'correct horse';
let server;
before(async () => { server = await startServer({ set: QUICK }); });
after(() => server?.stop());

const post = (body) => server.http.post('/v1/auth/register', body);
const shape = {
	userId: is.id, convroNumber: is.number, username: is.orNull(is.text), fullName: is.orNull(is.text),
	deviceId: is.hex16, platform: is.text, accessToken: is.jwt, refreshToken: is.refreshToken,
};

test('a password alone makes a user with a number and a device', async () => {
	const body = assertAnswer(await post({ password }), 201, shape);
	assert.equal(body.username, null);
	assert.equal(body.fullName, null);
	assert.equal(body.platform, 'unknown');
	const me = await server.http.get('/v1/auth/me', body.accessToken);
	assert.equal(me.body.userId, body.userId);
});

test('what is given comes back', async () => {
	const given = { username: `Sigma.${randomHex(4)}_X`, fullName: 'Zażółć Gęślą', deviceId: randomHex(8), platform: 'ios' };
	const body = assertAnswer(await post({ ...given, password, deviceLabel: 'Alas telephone' }), 201, shape);
	for (const [name, value] of Object.entries(given))
		assert.equal(body[name], value);
	const list = await server.http.get('/v1/auth/devices', body.accessToken);
	assert.equal(list.body.devices[0].deviceLabel, 'Alas telephone');
});

test('null is absent in every optional field', async () => {
	const nothing = { username: null, fullName: null, deviceId: null, platform: null, deviceLabel: null };
	const body = assertAnswer(await post({ password, ...nothing }), 201, shape);
	assert.equal(body.username, null);
	assert.equal(body.platform, 'unknown');
});

test('an empty full name or device label is absent', async () => {
	const body = assertAnswer(await post({ password, fullName: '', deviceLabel: '' }), 201, shape);
	assert.equal(body.fullName, null);
	const list = await server.http.get('/v1/auth/devices', body.accessToken);
	assert.equal(list.body.devices[0].deviceLabel, null);
});

test('each platform of the contract is taken', async () => {
	for (const platform of ['ios', 'android', 'desktop', 'web', 'unknown'])
		assert.equal(assertAnswer(await post({ password, platform }), 201, shape).platform, platform);
});

test('a device id is accepted in upper case and lowered', async () => {
	const deviceId = `ABCDEF${randomHex(5).toUpperCase()}`;
	assert.equal(assertAnswer(await post({ password, deviceId }), 201, shape).deviceId, deviceId.toLowerCase());
	assertError(await post({ password, deviceId: deviceId.toLowerCase() }), 409, 'DEVICE_ID_TAKEN');
});

test('a password has at least 8 characters, counted as code points', async () => {
	for (const tooShort of ['', '1234567', '😀'.repeat(7), undefined, null])
		assertError(await post({ password: tooShort }), 400, 'PASSWORD_TOO_SHORT', 'password');
	for (const enough of ['12345678', '😀'.repeat(8)])
		assertAnswer(await post({ password: enough }), 201, shape);
});

test('a password that is no string is refused', async () => {
	for (const wrong of [12345678, true, ['12345678'], {}])
		assertError(await post({ password: wrong }), 400, 'PASSWORD_TOO_SHORT');
});

test('a password has at most 1024 bytes', async () => {
	assertAnswer(await post({ password: 'x'.repeat(1024) }), 201, shape);
	for (const tooLong of ['x'.repeat(1025), '😀'.repeat(257)])
		assertError(await post({ password: tooLong }), 400, 'PASSWORD_TOO_LONG', 'password');
});

test('a username has 3 to 64 characters of letters, digits, underscore and full stop', async () => {
	const bad = ['', 'ab', 'x'.repeat(65), 'with blank', 'da-sh', 'zażółć', '@sigmabo', 'a/b', 'name\n', 123, {}, []];
	for (const username of bad)
		assertError(await post({ password, username }), 400, 'INVALID_USERNAME', 'username');
	const longest = randomName().padEnd(64, 'Z');
	assert.equal(assertAnswer(await post({ password, username: longest }), 201, shape).username, longest);
	assertAnswer(await post({ password, username: '_.9' }), 201, shape);
});

test('usernames keep their case and are compared without it', async () => {
	const username = `Case_${randomHex(6)}`;
	assert.equal((await register(server, { username })).username, username);
	for (const same of [username, username.toUpperCase(), username.toLowerCase()])
		assertError(await post({ password, username: same }), 409, 'USERNAME_TAKEN');
});

test('a full name has at most 128 code points', async () => {
	const longest = '😀'.repeat(128);
	assert.equal(assertAnswer(await post({ password, fullName: longest }), 201, shape).fullName, longest);
	for (const fullName of [`${longest}x`, 5, {}])
		assertError(await post({ password, fullName }), 400, 'INVALID_FULL_NAME', 'fullName');
});

test('a device label has at most 128 code points', async () => {
	assertAnswer(await post({ password, deviceLabel: 'ż'.repeat(128) }), 201, shape);
	for (const deviceLabel of ['ż'.repeat(129), 5, []])
		assertError(await post({ password, deviceLabel }), 400, 'INVALID_DEVICE_LABEL', 'deviceLabel');
});

test('a device id is 16 hex digits', async () => {
	for (const deviceId of ['', '0123456789abcde', '0123456789abcdef0', '0123456789abcdeg', ' 123456789abcdef', {}])
		assertError(await post({ password, deviceId }), 400, 'INVALID_DEVICE_ID', 'deviceId');
});

test('a platform is one of the five', async () => {
	for (const platform of ['iOS', 'windows', '', 7])
		assertError(await post({ password, platform }), 400, 'INVALID_PLATFORM', 'platform');
});

test('a registration that fails keeps nothing', async () => {
	const { deviceId } = await register(server);
	const username = randomName();
	assertError(await post({ password, username, deviceId }), 409, 'DEVICE_ID_TAKEN');
	await register(server, { username });
	const fresh = randomHex(8);
	assertError(await post({ password, username, deviceId: fresh }), 409, 'USERNAME_TAKEN');
	await register(server, { deviceId: fresh });
});

test('numbers and user ids are unique and do not tell the order of registration', async () => {
	const people = [];
	for (let i = 0; i < 24; i++)
		people.push(await register(server));
	const inOrder = (values) => values.every((value, i) => i === 0 || value > values[i - 1])
		|| values.every((value, i) => i === 0 || value < values[i - 1]);
	for (const values of [people.map((one) => one.userId), people.map((one) => Number(one.convroNumber))]) {
		assert.equal(new Set(values).size, values.length);
		assert.equal(inOrder(values), false, String(values));
		const steps = values.slice(1).map((value, i) => value - values[i]);
		assert.equal(new Set(steps).size > 1, true, 'the next one follows from the last two');
	}
});

test('the access token says who, where and until when', async () => {
	const person = await register(server);
	const [header, claims] = person.accessToken.split('.').slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url')));
	assert.equal(header.alg, 'HS256');
	assert.equal(typeof header.kid, 'string');
	assert.equal(claims.sub, String(person.userId));
	assert.equal(claims.userId, person.userId);
	assert.equal(claims.deviceId, person.deviceId);
	assert.equal(Number.isInteger(claims.epoch), true);
	assert.equal(claims.exp - claims.iat, 3600);
	for (const name of ['jti', 'iss', 'aud'])
		assert.equal(typeof claims[name], 'string', name);
	const other = JSON.parse(Buffer.from((await register(server)).accessToken.split('.')[1], 'base64url'));
	assert.notEqual(other.jti, claims.jti);
});

test('of several registrations of one name at once exactly one succeeds, and of one device id too', async () => {
	for (const same of [{ username: randomName() }, { deviceId: randomHex(8) }]) {
		const answers = await Promise.all(Array.from({ length: 8 }, () => post({ password, ...same })));
		assert.equal(answers.filter((answer) => answer.status === 201).length, 1);
		for (const answer of answers.filter((one) => one.status !== 201))
			assertError(answer, 409, same.username ? 'USERNAME_TAKEN' : 'DEVICE_ID_TAKEN');
	}
});
