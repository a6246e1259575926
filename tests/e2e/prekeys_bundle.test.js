// SPDX-License-Identifier: Apache-2.0
/* Wire contract: GET /v1/prekeys/bundle. Concurrency is in concurrency.test.js, limits in limits.test.js. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { register } from './kit/people.js';
import { assertAnswer, is, QUICK, randomHex } from './kit/contract.js';

let server;
let ala;
before(async () => {
	server = await startServer({ set: QUICK });
	ala = await register(server);
});
after(() => server?.stop());

const bundle = (query) => ala.get(`/v1/prekeys/bundle${query}`);
const shape = {
	responderDeviceId: is.hex16, identityPublicKeyEd25519: is.base64(32), signedPrekeyId: is.hex16,
	signedPrekeyPublicKeyX25519: is.base64(32), signedPrekeySignature: is.base64(64),
	oneTimePrekeyId: is.orNull(is.hex16), oneTimePrekeyPublicKeyX25519: is.orNull(is.base64(32)),
};

async function withKeys(count) {
	const person = await register(server);
	const body = person.prekeyBody(count);
	assert.equal((await person.post('/v1/prekeys/upload', body)).status, 200);
	return { person, body };
}

test('hands out what was uploaded, the oldest one-time key first and each once', async () => {
	const { person, body } = await withKeys(3);
	const more = { ...body, oneTimePrekeys: person.prekeyBody(2).oneTimePrekeys };
	assert.equal((await person.post('/v1/prekeys/upload', more)).status, 200);
	for (const key of [...body.oneTimePrekeys, ...more.oneTimePrekeys]) {
		assert.deepEqual(assertAnswer(await bundle(`?user_id=${person.userId}`), 200, shape), {
			responderDeviceId: person.deviceId,
			identityPublicKeyEd25519: body.identity.publicKeyEd25519,
			signedPrekeyId: body.signedPrekey.keyId,
			signedPrekeyPublicKeyX25519: body.signedPrekey.publicKeyX25519,
			signedPrekeySignature: body.signedPrekey.signatureEd25519,
			oneTimePrekeyId: key.keyId,
			oneTimePrekeyPublicKeyX25519: key.publicKeyX25519,
		});
	}
});

test('both one-time fields are null together when none is left', async () => {
	const { person } = await withKeys(0);
	const body = assertAnswer(await bundle(`?user_id=${person.userId}`), 200, shape);
	assert.equal(body.oneTimePrekeyId, null);
	assert.equal(body.oneTimePrekeyPublicKeyX25519, null);
});

test('every spelling of the query is taken', async () => {
	const { person } = await withKeys(0);
	const { userId, deviceId } = person;
	for (const query of [`user_id=${userId}&device_id=${deviceId}`, `userId=${userId}&deviceId=${deviceId}`, `user_id=${userId}&deviceId=${deviceId.toUpperCase()}`,
		`device_id=${deviceId}`, `deviceId=${deviceId}`, `userId=${userId}`, `userId=${userId}&user_id=${userId}`])
		assert.equal(assertAnswer(await bundle(`?${query}`), 200, shape).responderDeviceId, deviceId);
});

test('without a device the first active one that has a signed prekey is chosen', async () => {
	const first = await register(server);
	const second = await first.login();
	const third = await first.login();
	await third.uploadPrekeys();
	assert.equal(assertAnswer(await bundle(`?user_id=${first.userId}`), 200, shape).responderDeviceId, third.deviceId);
	await second.uploadPrekeys();
	assert.equal(assertAnswer(await bundle(`?user_id=${first.userId}`), 200, shape).responderDeviceId, second.deviceId);
	const asked = assertAnswer(await bundle(`?user_id=${first.userId}&device_id=${third.deviceId}`), 200, shape);
	assert.equal(asked.responderDeviceId, third.deviceId);
});

test("a device's logout does not take its keys away", async () => {
	const { person } = await withKeys(1);
	assert.equal((await person.post('/v1/auth/logout')).status, 200);
	assert.equal(assertAnswer(await bundle(`?user_id=${person.userId}`), 200, shape).responderDeviceId, person.deviceId);
});

test('neither user nor device, and malformed ones, are refused', async () => {
	const { person } = await withKeys(0);
	for (const query of ['', '?', '?user_id=', '?user_id=0', '?user_id=-1', '?user_id=1.5', '?user_id=abc', '?user_id=9007199254740993', `?user_id=${person.userId}x`,
		'?device_id=', '?device_id=xyz', `?user_id=${person.userId}&device_id=${person.deviceId}0`, `?user_id=${person.userId}&user_id=${person.userId}`,
		`?user_id=${person.userId}&userId=${ala.userId}`, `?user_id=%zz`])
		assertError(await bundle(query), 400, 'INVALID_QUERY');
});

test('unknown users, unknown devices and devices of others are not found', async () => {
	const { person } = await withKeys(1);
	const { userId, deviceId } = person;
	const unknown = userId === 1 ? 2 : userId - 1;
	assertError(await bundle(`?user_id=${unknown}`), 404, 'USER_NOT_FOUND');
	assertError(await bundle(`?user_id=${userId}&device_id=${randomHex(8)}`), 404, 'DEVICE_NOT_FOUND');
	assertError(await bundle(`?user_id=${userId}&device_id=${ala.deviceId}`), 404, 'DEVICE_NOT_FOUND');
	assertError(await bundle(`?device_id=${randomHex(8)}`), 404, 'DEVICE_NOT_FOUND');
	assert.notEqual((await bundle(`?user_id=${userId}&device_id=${deviceId}`)).body.oneTimePrekeyId, null, 'no key was lost to a refusal');
});

test('a user or device without keys has a code of its own', async () => {
	const person = await register(server);
	assertError(await bundle(`?user_id=${person.userId}`), 404, 'PREKEYS_NOT_FOUND');
	assertError(await bundle(`?user_id=${person.userId}&device_id=${person.deviceId}`), 404, 'PREKEYS_NOT_FOUND');
	const other = await person.login();
	await other.uploadPrekeys();
	assertError(await bundle(`?user_id=${person.userId}&device_id=${person.deviceId}`), 404, 'PREKEYS_NOT_FOUND');
});

test('HEAD is not allowed, and takes no key', async () => {
	const { person, body } = await withKeys(1);
	const query = `/v1/prekeys/bundle?user_id=${person.userId}`;
	const answer = await server.http.head(query, ala.accessToken);
	assert.equal(answer.status, 405);
	assert.equal(answer.text, '');
	assert.doesNotMatch(answer.headers.allow, /HEAD/);
	assert.match(answer.headers.allow, /\bGET\b/);
	assert.equal((await bundle(`?user_id=${person.userId}`)).body.oneTimePrekeyId, body.oneTimePrekeys[0].keyId);
});

test('a token is needed', async () => {
	assertError(await server.http.get(`/v1/prekeys/bundle?user_id=${ala.userId}`), 401, 'UNAUTHORIZED');
});
