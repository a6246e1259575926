// SPDX-License-Identifier: Apache-2.0
/* Wire contract: POST /v1/auth/refresh. Rotation, and what happens to a token that comes back. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultEngine, startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { register } from './kit/people.js';
import { assertAnswer, is, QUICK, randomHex, randomName } from './kit/contract.js';

let server;
before(async () => { server = await startServer({ set: QUICK }); });
after(() => server?.stop());

const refresh = (refreshToken) => server.http.post('/v1/auth/refresh', { refreshToken });
const me = (token) => server.http.get('/v1/auth/me', token);
const shape = {
	userId: is.id, deviceId: is.hex16, convroNumber: is.number, username: is.orNull(is.text),
	accessToken: is.jwt, refreshToken: is.refreshToken,
};

async function rotate(token) {
	return assertAnswer(await refresh(token), 200, shape);
}

function withSecret(token, secret) {
	return [...token.split('_').slice(0, 2), secret].join('_');
}

const secretOf = (token) => token.split('_').slice(2).join('_');

test('gives new tokens of the same device', async () => {
	const person = await register(server, { username: randomName() });
	const body = await rotate(person.refreshToken);
	for (const name of ['userId', 'deviceId', 'convroNumber', 'username'])
		assert.equal(body[name], person[name]);
	assert.notEqual(body.refreshToken, person.refreshToken);
	assert.notEqual(body.accessToken, person.accessToken);
	assert.equal((await me(body.accessToken)).status, 200);
});

test('a user without name has null for it', async () => {
	assert.equal((await rotate((await register(server)).refreshToken)).username, null);
});

test('a chain of rotations goes on, whatever characters the secrets have', async () => {
	let { refreshToken } = await register(server);
	for (let i = 0, hasUnderscore = false; i < 3 || !hasUnderscore; i++) {
		hasUnderscore ||= secretOf(refreshToken).includes('_');
		({ refreshToken } = await rotate(refreshToken));
	}
});

test('what is no refresh token is refused by its form', async () => {
	const { refreshToken, accessToken } = await register(server);
	const jti = refreshToken.split('_')[1];
	const secret = secretOf(refreshToken);
	const bad = [undefined, null, '', 5, {}, 'rt_', 'rt__', accessToken, `RT_${jti}_${secret}`, `rt_${jti}`, `rt_${jti}_`,
		`rt_${jti.slice(1)}_${secret}`, `rt_g${jti.slice(1)}_${secret}`, `rt_${jti}_${secret.slice(0, 20)}`,
		`rt_${jti}_${secret.slice(0, -1)}*`, ` ${refreshToken}`, `${refreshToken}\n`];
	for (const token of bad)
		assertError(await refresh(token), 400, 'INVALID_REFRESH_TOKEN', 'refreshToken');
	await rotate(refreshToken);
});

test('an unknown token is not found, a wrong secret is invalid', async () => {
	const { refreshToken } = await register(server);
	const otherSecret = secretOf((await register(server)).refreshToken);
	assertError(await refresh(`rt_${randomHex(16)}_${secretOf(refreshToken)}`), 401, 'REFRESH_NOT_FOUND');
	assertError(await refresh(withSecret(refreshToken, otherSecret)), 401, 'REFRESH_INVALID');
	await rotate(refreshToken);
});

test('the secret is tested before the revocation, so that nobody learns of one without it', async () => {
	const { refreshToken } = await register(server);
	const otherSecret = secretOf((await register(server)).refreshToken);
	const next = await rotate(refreshToken);
	assertError(await refresh(withSecret(refreshToken, otherSecret)), 401, 'REFRESH_INVALID');
	assert.equal((await me(next.accessToken)).status, 200);
});

test('a rotated token that comes back within the grace is refused and nothing else happens', async () => {
	const { refreshToken, accessToken } = await register(server);
	const next = await rotate(refreshToken);
	for (let i = 0; i < 3; i++)
		assertError(await refresh(refreshToken), 401, 'REFRESH_REVOKED');
	for (const token of [accessToken, next.accessToken])
		assert.equal((await me(token)).status, 200);
	await rotate(next.refreshToken);
});

test('once its successor was presented, a token that comes back ends the whole login', async () => {
	const person = await register(server);
	const otherLogin = await person.login({ deviceId: person.deviceId });
	const otherDevice = await person.login();
	const second = await rotate(person.refreshToken);
	const third = await rotate(second.refreshToken);
	assertError(await refresh(person.refreshToken), 401, 'REFRESH_REVOKED');
	assertError(await refresh(third.refreshToken), 401, 'REFRESH_REVOKED');
	assertError(await me(third.accessToken), 401, 'TOKEN_INVALID');
	assertError(await me(otherLogin.accessToken), 401, 'TOKEN_INVALID');
	assert.equal((await me(otherDevice.accessToken)).status, 200, "another device's tokens are not concerned");
	const again = await rotate(otherLogin.refreshToken); // another family
	assert.equal((await me(again.accessToken)).status, 200);
});

test('only a hash of the secret is stored', { skip: defaultEngine !== 'sqlite' && 'looks into the files of SQLite' }, async () => {
	const secret = secretOf((await register(server)).refreshToken);
	let bytes = 0;
	for (const name of fs.readdirSync(server.dir)) {
		const content = fs.readFileSync(path.join(server.dir, name));
		bytes += content.length;
		for (const form of [Buffer.from(secret), Buffer.from(secret, 'base64url')])
			assert.equal(content.includes(form), false, `the secret is in ${name}`);
	}
	assert.ok(bytes > 10000, 'the store was looked at');
});

test('the times of the configuration are kept', async (t) => {
	const short = await startServer({ set: { ...QUICK, 'auth.refresh_reuse_grace': 0, 'auth.refresh_token_ttl': '4s', 'auth.access_token_ttl': '1s' } });
	t.after(() => short.stop());
	const ask = (refreshToken) => short.http.post('/v1/auth/refresh', { refreshToken });

	await t.test('later than the grace a token that comes back ends the login', async () => {
		const { refreshToken } = await register(short);
		const next = (await ask(refreshToken)).body;
		await sleep(5);
		assertError(await ask(refreshToken), 401, 'REFRESH_REVOKED');
		assertError(await ask(next.refreshToken), 401, 'REFRESH_REVOKED');
		assertError(await short.http.get('/v1/auth/me', next.accessToken), 401, 'TOKEN_INVALID');
	});

	await t.test('tokens expire, and revoked is said before expired', async () => {
		const [kept, rotated] = [await register(short), await register(short)];
		const next = (await ask(rotated.refreshToken)).body;
		await sleep(4100);
		assertError(await ask(kept.refreshToken), 401, 'REFRESH_EXPIRED');
		assertError(await ask(next.refreshToken), 401, 'REFRESH_EXPIRED');
		assertError(await ask(rotated.refreshToken), 401, 'REFRESH_REVOKED');
		assertError(await kept.get('/v1/auth/me'), 401, 'TOKEN_EXPIRED');
	});
});
