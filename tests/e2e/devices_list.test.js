// SPDX-License-Identifier: Apache-2.0
/* Wire contract: GET /v1/auth/devices. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { register } from './kit/people.js';
import { assertAnswer, assertShape, is, QUICK, randomHex } from './kit/contract.js';

let server;
before(async () => { server = await startServer({ set: QUICK }); });
after(() => server?.stop());

const shape = {
	deviceId: is.hex16, platform: is.oneOf('ios', 'android', 'desktop', 'web', 'unknown'), deviceLabel: is.orNull(is.text),
	createdAt: is.time, lastSeenAt: is.orNull(is.time), isActive: is.boolean, current: is.boolean,
};

async function list(person) {
	const { devices } = assertAnswer(await person.get('/v1/auth/devices'), 200, { devices: is.list });
	for (const device of devices)
		assertShape(device, shape);
	return devices;
}

test('lists the devices of the caller, oldest first, and says which one is asking', async () => {
	// ids that do not sort in the order of creation, neither as text nor as signed numbers
	const first = await register(server, { platform: 'ios', deviceLabel: 'telephone', deviceId: `4${randomHex(8).slice(1)}` });
	await register(server);
	const second = await first.login({ deviceId: `f${randomHex(8).slice(1)}` });
	const third = await first.login({ deviceId: `0${randomHex(8).slice(1)}` });
	const ids = [first, second, third].map((person) => person.deviceId);
	for (const [i, person] of [first, second, third].entries()) {
		const devices = await list(person);
		assert.deepEqual(devices.map((device) => device.deviceId), ids);
		assert.deepEqual(devices.map((device) => device.current), ids.map((_, at) => at === i));
		const times = devices.map((device) => device.createdAt);
		assert.deepEqual(times, [...times].sort());
	}
	const [telephone, unnamed] = await list(first);
	assert.deepEqual([telephone.platform, telephone.deviceLabel], ['ios', 'telephone']);
	assert.deepEqual([unnamed.platform, unnamed.deviceLabel], ['unknown', null]);
});

test('a device that was only registered has not been seen', async () => {
	const ala = await register(server);
	const { deviceId } = (await ala.post('/v1/auth/devices/register', {})).body;
	assert.equal((await list(ala)).find((device) => device.deviceId === deviceId).lastSeenAt, null);
});

test('a removed device is not active, a logged out one is', async () => {
	const ala = await register(server);
	const [removed, loggedOut] = [await ala.login(), await ala.login()];
	assert.equal((await ala.delete(`/v1/auth/devices/${removed.deviceId}`)).status, 200);
	assert.equal((await loggedOut.post('/v1/auth/logout')).status, 200);
	assert.deepEqual((await list(ala)).map((device) => [device.deviceId, device.isActive]),
		[[ala.deviceId, true], [removed.deviceId, false], [loggedOut.deviceId, true]]);
});

test('a token is needed', async () => {
	assertError(await server.http.get('/v1/auth/devices'), 401, 'UNAUTHORIZED');
});
