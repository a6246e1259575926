// SPDX-License-Identifier: Apache-2.0
/* Wire contract: POST /v1/auth/devices/register. The limit of devices is in limits.test.js. */
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

const post = (body, person = ala) => person.post('/v1/auth/devices/register', body);
const shape = {
	ok: is.exactly(true), userId: is.id, deviceId: is.hex16, platform: is.text,
	deviceLabel: is.orNull(is.text), createdAt: is.time,
};

test('a new device is 201, and without tokens', async () => {
	const deviceId = randomHex(8);
	const body = assertAnswer(await post({ deviceId, platform: 'web', deviceLabel: 'browser' }), 201, shape);
	assert.equal(body.userId, ala.userId);
	assert.equal(body.deviceId, deviceId);
	assert.equal(body.platform, 'web');
	assert.equal(body.deviceLabel, 'browser');
});

test('no body, an empty object and nulls make a device with an id of the server', async () => {
	const ids = new Set();
	for (const body of [undefined, {}, { deviceId: null, platform: null, deviceLabel: null }, { deviceLabel: '' }]) {
		const device = assertAnswer(await post(body), 201, shape);
		assert.equal(device.platform, 'unknown');
		assert.equal(device.deviceLabel, null);
		ids.add(device.deviceId);
	}
	assert.equal(ids.size, 4);
});

test('what is mine already is 200 with the same createdAt, in any case of letters', async () => {
	const deviceId = randomHex(8);
	const first = assertAnswer(await post({ deviceId }), 201, shape);
	for (const same of [deviceId, deviceId.toUpperCase()]) {
		const again = assertAnswer(await post({ deviceId: same }), 200, shape);
		assert.equal(again.deviceId, deviceId);
		assert.equal(again.createdAt, first.createdAt);
	}
	assert.equal(assertAnswer(await post({ deviceId: ala.deviceId }), 200, shape).deviceId, ala.deviceId);
});

test('the new device logs in with its id', async () => {
	const { deviceId } = assertAnswer(await post({}), 201, shape);
	const other = await ala.login({ deviceId });
	assert.equal(other.deviceId, deviceId);
	assert.equal((await other.get('/v1/auth/me')).body.deviceId, deviceId);
});

test("somebody else's device and a removed one are refused", async () => {
	const bob = await register(server);
	assertError(await post({ deviceId: bob.deviceId }), 403, 'DEVICE_OWNED_BY_OTHER_USER');
	const { deviceId } = assertAnswer(await post({}), 201, shape);
	assert.equal((await ala.delete(`/v1/auth/devices/${deviceId}`)).status, 200);
	assertError(await post({ deviceId }), 403, 'DEVICE_REMOVED');
});

test('malformed fields have their own codes', async () => {
	for (const deviceId of ['', 'xyz', '0123456789abcdef0'])
		assertError(await post({ deviceId }), 400, 'INVALID_DEVICE_ID', 'deviceId');
	assertError(await post({ platform: 'IOS' }), 400, 'INVALID_PLATFORM', 'platform');
	for (const deviceLabel of ['x'.repeat(129), 9])
		assertError(await post({ deviceLabel }), 400, 'INVALID_DEVICE_LABEL', 'deviceLabel');
});

test('a token is needed', async () => {
	assertError(await server.http.post('/v1/auth/devices/register', {}), 401, 'UNAUTHORIZED');
});
