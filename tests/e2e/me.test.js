// SPDX-License-Identifier: Apache-2.0
/* Wire contract: GET /v1/auth/me, and with it the rules for access tokens (section 1, auth). */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { register } from './kit/people.js';
import { assertAnswer, is, QUICK, randomName } from './kit/contract.js';

let server;
let ala;
before(async () => {
	server = await startServer({ set: QUICK });
	ala = await register(server, { username: randomName() });
});
after(() => server?.stop());

const me = (token) => server.http.get('/v1/auth/me', token);
const withHeader = (authorization) => server.http.request({ path: '/v1/auth/me', headers: { authorization } });
const shape = { userId: is.id, deviceId: is.hex16, convroNumber: is.number, username: is.orNull(is.text) };

const decode = (part) => JSON.parse(Buffer.from(part, 'base64url'));
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The person's token with other claims, signed with the server's own secret. */
function forge(person, { header = {}, claims = {}, hash = 'sha256', key } = {}) {
	const [head, body] = person.accessToken.split('.').slice(0, 2).map(decode);
	const signed = `${encode({ ...head, ...header })}.${encode({ ...body, ...claims })}`;
	const secret = key ?? fs.readFileSync(server.secretFile, 'utf8').trim();
	return `${signed}.${crypto.createHmac(hash, secret).update(signed).digest('base64url')}`;
}

const past = () => ({ iat: Math.floor(Date.now() / 1000) - 7200, exp: Math.floor(Date.now() / 1000) - 3600 });

test('tells who is asking', async () => {
	const body = assertAnswer(await me(ala.accessToken), 200, shape);
	for (const name of Object.keys(shape))
		assert.equal(body[name], ala[name]);
	const bob = await register(server);
	assert.equal(assertAnswer(await me(bob.accessToken), 200, shape).username, null);
});

test('no header, an empty one or another scheme is UNAUTHORIZED', async () => {
	assertError(await me(), 401, 'UNAUTHORIZED');
	for (const header of ['', 'Bearer', 'Bearer ', 'Basic YWxhOmtvdA==', ala.accessToken, `Token ${ala.accessToken}`])
		assertError(await withHeader(header), 401, 'UNAUTHORIZED');
});

test('the name of the scheme has no case', async () => {
	assertAnswer(await withHeader(`bearer ${ala.accessToken}`), 200, shape);
});

test('a token forged like a real one is taken, so that the refusals below mean something', async () => {
	assertAnswer(await me(forge(ala)), 200, shape);
});

test('what is no JWT is TOKEN_INVALID', async () => {
	for (const token of ['x', 'a.b.c', '..', ala.refreshToken, `${ala.accessToken}.`, ala.accessToken.slice(0, -5), 'x'.repeat(4000)])
		assertError(await me(token), 401, 'TOKEN_INVALID');
});

test('a bad signature, a changed claim or another key is TOKEN_INVALID', async () => {
	const bob = await register(server);
	const [head, , signature] = ala.accessToken.split('.');
	assertError(await me(`${head}.${bob.accessToken.split('.')[1]}.${signature}`), 401, 'TOKEN_INVALID');
	assertError(await me(forge(ala, { key: 'another secret of more than 32 bytes' })), 401, 'TOKEN_INVALID');
	assertError(await me(forge(ala, { key: '' })), 401, 'TOKEN_INVALID');
});

test('another algorithm is TOKEN_INVALID, with the right key too', async () => {
	assertError(await me(forge(ala, { header: { alg: 'HS512' }, hash: 'sha512' })), 401, 'TOKEN_INVALID');
	assertError(await me(forge(ala, { header: { alg: 'HS384' }, hash: 'sha384' })), 401, 'TOKEN_INVALID');
	assertError(await me(forge(ala, { header: { alg: 'RS256' } })), 401, 'TOKEN_INVALID');
	const [, claims] = ala.accessToken.split('.');
	for (const alg of ['none', 'None', 'NONE'])
		assertError(await me(`${encode({ alg, typ: 'JWT' })}.${claims}.`), 401, 'TOKEN_INVALID');
});

test('another issuer, audience, user, device or epoch is TOKEN_INVALID', async () => {
	const bob = await register(server);
	for (const claims of [{ iss: 'somebody' }, { aud: 'something' }, { userId: bob.userId }, { deviceId: bob.deviceId }, { epoch: 7 },
		{ deviceId: 'fedcba9876543210' }, { userId: String(ala.userId) }])
		assertError(await me(forge(ala, { claims })), 401, 'TOKEN_INVALID');
});

test('an expired token is TOKEN_EXPIRED, but when it is bad or revoked as well TOKEN_INVALID', async () => {
	const bob = await register(server);
	assertError(await me(forge(bob, { claims: past() })), 401, 'TOKEN_EXPIRED');
	assertError(await me(forge(bob, { claims: past(), key: 'another secret of more than 32 bytes' })), 401, 'TOKEN_INVALID');
	const expired = forge(bob, { claims: past() });
	assert.equal((await bob.post('/v1/auth/logout', { allForDevice: true })).status, 200);
	assertError(await me(expired), 401, 'TOKEN_INVALID');
});

test('the token is not taken from the query', async () => {
	const answer = await server.http.get(`/v1/auth/me?token=${ala.accessToken}&access_token=${ala.accessToken}`);
	assertError(answer, 401, 'UNAUTHORIZED');
});
