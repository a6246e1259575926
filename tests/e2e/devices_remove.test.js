// SPDX-License-Identifier: Apache-2.0
/* Wire contract: DELETE /v1/auth/devices/<deviceId>, and what a removal means everywhere else. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { openOnly, openSession, register } from './kit/people.js';
import { assertAnswer, is, QUICK, randomHex } from './kit/contract.js';

let server;
before(async () => { server = await startServer({ set: QUICK }); });
after(() => server?.stop());

const remove = (person, deviceId) => person.delete(`/v1/auth/devices/${deviceId}`);

async function removed(person, other) {
	assertAnswer(await remove(person, other.deviceId), 200, { ok: is.exactly(true) });
	return other;
}

test("the device's tokens end", async () => {
	const ala = await register(server);
	const other = await removed(ala, await ala.login());
	assertError(await other.get('/v1/auth/me'), 401, 'TOKEN_INVALID');
	assertError(await server.http.post('/v1/auth/refresh', { refreshToken: other.refreshToken }), 401, 'REFRESH_REVOKED');
	assert.equal((await ala.get('/v1/auth/me')).status, 200);
});

test('an upper-case id means the same device', async () => {
	const ala = await register(server);
	const other = await ala.login({ deviceId: `abcdef${randomHex(5)}` });
	assertAnswer(await remove(ala, other.deviceId.toUpperCase()), 200, { ok: is.exactly(true) });
	assertError(await other.get('/v1/auth/me'), 401, 'TOKEN_INVALID');
});

test('its id never comes back to life, for nobody', async () => {
	const ala = await register(server);
	const { deviceId } = await removed(ala, await ala.login());
	const { convroNumber, password } = ala;
	assertError(await server.http.post('/v1/auth/login', { convroNumber, password, deviceId }), 403, 'DEVICE_REMOVED');
	assertError(await ala.post('/v1/auth/devices/register', { deviceId }), 403, 'DEVICE_REMOVED');
	assertError(await server.http.post('/v1/auth/register', { password, deviceId }), 409, 'DEVICE_ID_TAKEN');
});

test("the caller's own device is refused", async () => {
	const ala = await register(server);
	assertError(await remove(ala, ala.deviceId), 409, 'CURRENT_DEVICE');
	assert.equal((await ala.get('/v1/auth/me')).status, 200);
});

test('an unknown, foreign or removed device is not found', async () => {
	const [ala, bob] = [await register(server), await register(server)];
	const other = await removed(ala, await ala.login());
	for (const deviceId of [randomHex(8), bob.deviceId, other.deviceId])
		assertError(await remove(ala, deviceId), 404, 'DEVICE_NOT_FOUND');
	assert.equal((await bob.get('/v1/auth/me')).status, 200);
});

test('a malformed id has its own code', async () => {
	const ala = await register(server);
	for (const deviceId of ['xyz', '0123456789abcde', '0123456789abcdef0', '0123456789abcde%20'])
		assertError(await remove(ala, deviceId), 400, 'INVALID_DEVICE_ID');
});

test('its keys are no longer handed out and no session is opened to it', async () => {
	const [ala, bob] = [await register(server), await register(server)];
	const other = await bob.login();
	await bob.uploadPrekeys();
	await other.uploadPrekeys();
	const { bundle, offer } = await openOnly(ala, other);
	assert.equal(bundle.responderDeviceId, other.deviceId);
	await removed(bob, other);

	assertError(await ala.bundle(bob, { device_id: other.deviceId }), 404, 'DEVICE_NOT_FOUND');
	assert.equal((await ala.bundle(bob)).body.responderDeviceId, bob.deviceId);
	const body = { peerUserId: bob.userId, handshakeOffer: { ...offer, sessionId: randomHex(4) } };
	assertError(await ala.post('/v1/dm/sessions/open', body), 404, 'RESPONDER_DEVICE_NOT_FOUND');
});

test('the first active device is asked for keys, not the removed first one', async () => {
	const [ala, first] = [await register(server), await register(server)];
	const second = await first.login();
	await first.uploadPrekeys();
	await second.uploadPrekeys();
	assert.equal((await ala.bundle(first)).body.responderDeviceId, first.deviceId);
	await removed(second, first);
	assert.equal((await ala.bundle(first)).body.responderDeviceId, second.deviceId);
});

test('nobody can write to it, and its history stays readable to the peer', async () => {
	const [ala, bob] = [await register(server), await register(server)];
	const other = await bob.login();
	const { initiator, responder } = await openSession(ala, other);
	await responder.send('my last words');
	await initiator.send('heard');
	await removed(bob, other);

	assertError(await ala.post('/v1/dm/messages/send', initiator.seal('too late')), 409, 'PEER_GONE');
	const { messages } = await initiator.history({ direction: 'all' });
	assert.equal(messages.length, 2);
	assert.equal(initiator.read(messages[0]), 'my last words');
	const { conversations } = (await ala.get('/v1/dm/messages/conversations')).body;
	assert.deepEqual(conversations.map((row) => row.peerDeviceId), [other.deviceId]);
});

test('of two removals at once one finds nothing', async () => {
	const ala = await register(server);
	const other = await ala.login();
	const answers = await Promise.all([remove(ala, other.deviceId), remove(ala, other.deviceId)]);
	assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 404]);
});

test('a token is needed', async () => {
	assertError(await server.http.delete(`/v1/auth/devices/${randomHex(8)}`), 401, 'UNAUTHORIZED');
});
