// SPDX-License-Identifier: Apache-2.0
/* Wire contract, section 4: limits, what counts against them and what they spare. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { assertStatus, openOnly, register } from './kit/people.js';
import { QUICK, randomHex, randomName } from './kit/contract.js';

const PROXY = { 'auth.password_memory': '16k', 'auth.password_passes': 1, 'server.trusted_proxies': '127.0.0.1', 'ratelimit.register': '3/h', 'ratelimit.socket': '1/h burst 3' };
let server; // buckets that are small and do not refill while a test runs
let proxied; // believes X-Forwarded-For from loopback
before(async () => {
	server = await startServer({ set: {
		'auth.password_memory': '16k', 'auth.password_passes': 1, 'auth.device_limit': 3,
		'ratelimit.register': '3/h', 'ratelimit.bundle': '1/h burst 5', 'ratelimit.one_time': '1/h burst 3', 'ratelimit.send': '1/h burst 5',
	} });
	proxied = await startServer({ set: PROXY });
});
after(async () => {
	await server?.stop();
	await proxied?.stop();
});

const logIn = (body, to = server, headers = {}) => to.http.request({ method: 'POST', path: '/v1/auth/login', body, headers });
const from = (address) => ({ 'x-forwarded-for': address });
const registerFrom = (address, body = { password: 'correct horse' }) => proxied.http.request({ method: 'POST', path: '/v1/auth/register', body, headers: from(address) });
const wrong = (person) => ({ convroNumber: person.convroNumber, password: 'wrong password' });
const right = (person) => ({ convroNumber: person.convroNumber, password: person.password });

test('ten failed logins of an identifier, then 429, with the right password as well', async () => {
	const [ala, bob] = [await register(server), await register(server)];
	for (let i = 0; i < 10; i++)
		assertError(await logIn(wrong(ala)), 401, 'INVALID_CREDENTIALS');
	for (const body of [wrong(ala), right(ala)]) {
		const { headers } = assertError(await logIn(body), 429, 'RATE_LIMITED');
		assert.ok(Number(headers['retry-after']) >= 1 && Number(headers['retry-after']) <= 900, headers['retry-after']);
	}
	assertError(await logIn({ ...right(ala), platform: 'amiga' }), 400, 'INVALID_PLATFORM'); // the body comes before the identifier
	assertStatus(await logIn(right(bob)), 200);
	assertStatus(await ala.get('/v1/auth/me'), 200);
});

test('unknown identifiers count as well', async () => {
	const username = randomName();
	for (let i = 0; i < 10; i++)
		assertError(await logIn({ username, password: 'wrong password' }), 401, 'INVALID_CREDENTIALS');
	assertError(await logIn({ username, password: 'wrong password' }), 429, 'RATE_LIMITED');
});

test('another spelling of a name or number is no other identifier', async () => {
	const ala = await register(server, { username: `Ala_${randomHex(4)}` });
	const { username, convroNumber } = ala;
	for (const spellings of [[username, username.toUpperCase(), username.toLowerCase(), `@${username}`].map((name) => ({ username: name })),
		[convroNumber, convroNumber.slice(1), ` ${convroNumber.slice(1)}`].map((number) => ({ convroNumber: number }))]) {
		for (let i = 0; i < 10; i++)
			assertError(await logIn({ ...spellings[i % spellings.length], password: 'wrong password' }), 401, 'INVALID_CREDENTIALS');
		for (const spelling of spellings)
			assertError(await logIn({ ...spelling, password: ala.password }), 429, 'RATE_LIMITED');
	}
});

test('successful logins do not count', async () => {
	const ala = await register(server);
	for (let i = 0; i < 12; i++)
		assertStatus(await logIn({ ...right(ala), deviceId: ala.deviceId }), 200);
});

test('failures that come all at once are limited too', async () => {
	const ala = await register(server);
	const answers = await Promise.all(Array.from({ length: 30 }, () => logIn(wrong(ala))));
	assert.ok(answers.filter((answer) => answer.status === 401).length <= 10);
	assertError(await logIn(right(ala)), 429, 'RATE_LIMITED');
});

test('registrations are not limited on loopback', async () => {
	for (let i = 0; i < 6; i++)
		await register(server);
});

test('registrations of an address are limited, before the body is read', async () => {
	for (let i = 0; i < 3; i++)
		assertStatus(await registerFrom('203.0.113.1'), 201);
	const { headers } = assertError(await registerFrom('203.0.113.1'), 429, 'RATE_LIMITED');
	assert.ok(Number(headers['retry-after']) <= 3600);
	assertError(await registerFrom('203.0.113.1', '{'), 429, 'RATE_LIMITED');
	assertStatus(await registerFrom('203.0.113.2'), 201);
});

test('the address is the rightmost untrusted one of X-Forwarded-For', async () => {
	for (let i = 0; i < 3; i++)
		assertStatus(await registerFrom(`198.51.100.${i}, 203.0.113.3`), 201); // what stands before is anybody's word
	for (const list of ['203.0.113.3', '1.2.3.4, 203.0.113.3', '203.0.113.3, 127.0.0.1', '9.9.9.9,203.0.113.3 , 127.0.0.1'])
		assertError(await registerFrom(list), 429, 'RATE_LIMITED');
	assertStatus(await registerFrom('203.0.113.3, 203.0.113.4'), 201);
});

test('X-Forwarded-For of an untrusted sender is ignored', async () => {
	for (let i = 0; i < 5; i++) {
		const answer = await server.http.request({ method: 'POST', path: '/v1/auth/register', body: { password: 'correct horse' }, headers: from('203.0.113.5') });
		assertStatus(answer, 201);
	}
	const ala = await register(server);
	for (let i = 0; i < 10; i++)
		assertError(await logIn(wrong(ala), server, from(`203.0.113.${100 + i}`)), 401, 'INVALID_CREDENTIALS');
	assertError(await logIn(wrong(ala), server, from('203.0.113.200')), 429, 'RATE_LIMITED');
});

test('failed logins are counted for each address', async () => {
	const ala = await register(proxied);
	for (let i = 0; i < 10; i++)
		assertError(await logIn(wrong(ala), proxied, from('203.0.113.6')), 401, 'INVALID_CREDENTIALS');
	assertError(await logIn(right(ala), proxied, from('203.0.113.6')), 429, 'RATE_LIMITED');
	assertStatus(await logIn(right(ala), proxied, from('203.0.113.7')), 200);
});

test('bundles of a device are limited, before the query is looked at', async () => {
	const [ala, bob] = [await register(server), await register(server)];
	await bob.uploadPrekeys(0);
	for (let i = 0; i < 5; i++)
		assertStatus(await ala.bundle(bob), 200);
	assertError(await ala.bundle(bob), 429, 'RATE_LIMITED');
	assertError(await ala.get('/v1/prekeys/bundle'), 429, 'RATE_LIMITED');
	assertStatus(await (await ala.login()).bundle(bob), 200);
});

test('a user gets so many one-time keys of a device, then bundles without', async () => {
	const [ala, bob, carol] = [await register(server), await register(server), await register(server)];
	const bobsOther = await bob.login();
	const alasOther = await ala.login();
	await bob.uploadPrekeys(10);
	await bobsOther.uploadPrekeys(10);
	const hasKey = async (person, target) => assertStatus(await person.bundle(target, { device_id: target.deviceId }), 200).body.oneTimePrekeyId !== null;
	for (const person of [ala, alasOther, ala])
		assert.equal(await hasKey(person, bob), true);
	for (const person of [ala, alasOther])
		assert.equal(await hasKey(person, bob), false, 'the bucket is of the user, not of the device');
	assert.equal(await hasKey(ala, bobsOther), true, 'it is of one target device');
	assert.equal(await hasKey(carol, bob), true, 'nobody else is concerned');
	const { body } = await bob.post('/v1/prekeys/upload', bob.prekeyBody(0));
	assert.equal(body.oneTimeAvailable, 6, 'a bundle without key takes none');
});

test('messages of a device are limited, before the body is read', async () => {
	const [ala, bob] = [await register(server), await register(server)];
	const { initiator } = await openOnly(ala, bob);
	for (let i = 0; i < 5; i++)
		await initiator.send(`message ${i}`);
	assertError(await ala.post('/v1/dm/messages/send', initiator.seal('one too many')), 429, 'RATE_LIMITED');
	assertError(await ala.post('/v1/dm/messages/send', '{'), 429, 'RATE_LIMITED');
	assertError(await ala.request({ method: 'POST', path: '/v1/dm/messages/send', body: '{}', headers: { 'content-type': 'text/plain' } }), 429, 'RATE_LIMITED');
	assertError(await server.http.post('/v1/dm/messages/send', {}), 401, 'UNAUTHORIZED');
	assertError(await (await ala.login()).post('/v1/dm/messages/send', {}), 400, 'INVALID_SESSION_ID');
});

async function pendingOffers(initiator, responder) {
	await responder.uploadPrekeys(0);
	const { bundle, offer, sessionDbId } = await openOnly(initiator, responder);
	assert.equal(bundle.responderDeviceId, responder.deviceId);
	const open = (person = initiator, to = responder) => person.post('/v1/dm/sessions/open', { peerUserId: to.userId,
		handshakeOffer: { ...offer, sessionId: randomHex(4), initiatorDeviceId: person.deviceId, responderDeviceId: to.deviceId } });
	return { open, offer, sessionDbId };
}

test('sixteen sessions from one device to another may wait, also when all are opened at once', async () => {
	const [ala, bob] = [await register(server), await register(server)];
	const { open, offer, sessionDbId } = await pendingOffers(ala, bob);
	const answers = await Promise.all(Array.from({ length: 30 }, () => open()));
	assert.equal(answers.filter((answer) => answer.status === 201).length, 15);
	for (const answer of answers.filter((one) => one.status !== 201))
		assertError(answer, 429, 'TOO_MANY_PENDING_SESSIONS');

	const again = await ala.post('/v1/dm/sessions/open', { peerUserId: bob.userId, handshakeOffer: offer });
	assert.equal(assertError(again, 409, 'SESSION_ID_EXISTS').body.identical, true, 'a repeat needs no place');
	assertStatus(await open(bob, ala), 201);
	assertStatus(await open(await ala.login(), bob), 201);
	assertStatus(await open(ala, await bob.login()), 201);
	assertStatus(await bob.post('/v1/dm/sessions/accept', { sessionDbId }), 200);
	assertStatus(await open(), 201);
	assertError(await open(), 429, 'TOO_MANY_PENDING_SESSIONS');
});

test('a user has at most so many devices, and a removal frees a place', async () => {
	const ala = await register(server);
	const second = await ala.login();
	assertStatus(await ala.post('/v1/auth/devices/register', {}), 201);
	for (const deviceId of [undefined, randomHex(8)]) {
		assertError(await logIn({ ...right(ala), deviceId }), 403, 'DEVICE_LIMIT_REACHED');
		assertError(await ala.post('/v1/auth/devices/register', { deviceId }), 403, 'DEVICE_LIMIT_REACHED');
	}
	assertStatus(await logIn({ ...right(ala), deviceId: second.deviceId }), 200);
	assertStatus(await ala.post('/v1/auth/devices/register', { deviceId: second.deviceId }), 200);
	assertStatus(await ala.delete(`/v1/auth/devices/${second.deviceId}`), 200);
	assertStatus(await logIn(right(ala)), 200);
	assertError(await logIn(right(ala)), 403, 'DEVICE_LIMIT_REACHED');
});

test('devices that are registered all at once do not pass the limit', async () => {
	const ala = await register(server);
	const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => (i % 2 ? logIn(right(ala)) : ala.post('/v1/auth/devices/register', {}))));
	assert.equal(answers.filter((answer) => answer.status < 300).length, 2);
	for (const answer of answers.filter((one) => one.status >= 300))
		assertError(answer, 403, 'DEVICE_LIMIT_REACHED');
	assert.equal((await ala.get('/v1/auth/devices')).body.devices.length, 3);
});

test('every limit can be switched off', async (t) => {
	const open = await startServer({ set: { ...QUICK, 'ratelimit.register': 'off', 'server.trusted_proxies': '127.0.0.1' } });
	t.after(() => open.stop());
	const [ala, bob] = [await register(open), await register(open)];
	for (let i = 0; i < 12; i++)
		assertError(await logIn(wrong(ala), open), 401, 'INVALID_CREDENTIALS');
	for (let i = 0; i < 65; i++)
		assertStatus(await open.http.request({ method: 'POST', path: '/v1/auth/register', body: { password: 'correct horse' }, headers: from('203.0.113.9') }), 201);
	await bob.uploadPrekeys(130);
	for (let i = 0; i < 125; i++)
		assert.notEqual(assertStatus(await ala.bundle(bob), 200).body.oneTimePrekeyId, null);
});

test('more password hashes than the server can queue are OVERLOADED, and the others succeed', async (t) => {
	const small = await startServer({ set: { ...QUICK, 'auth.password_memory': '64m', 'server.offload_threads': 1, 'server.offload_queue': 1 } });
	t.after(() => small.stop());
	const answers = await Promise.all(Array.from({ length: 20 }, () => small.http.post('/v1/auth/register', { password: 'correct horse' })));
	const refused = answers.filter((answer) => answer.status !== 201);
	assert.ok(refused.length > 0 && refused.length < 20, `${refused.length} of 20 were refused`);
	for (const answer of refused)
		assertError(answer, 503, 'OVERLOADED');
});

test('realtime sessions of an address, and none of their further requests', async () => {
	const ask = (address, query) => proxied.http.request({ path: `/socket.io/?EIO=4&transport=polling${query ?? ''}`, headers: from(address) });
	const sids = [];
	for (let i = 0; i < 3; i++)
		sids.push(JSON.parse((await ask('192.0.2.50')).text.slice(1)).sid);
	const refused = await ask('192.0.2.50');
	assert.deepEqual([refused.status, refused.body], [403, { code: 4, message: 'Forbidden' }]);
	assert.ok(Number(refused.headers['retry-after']) > 3000, refused.headers['retry-after']);
	assert.equal((await ask('192.0.2.51')).status, 200);
	for (const sid of sids) {
		assert.equal((await proxied.http.request({ method: 'POST', path: `/socket.io/?EIO=4&transport=polling&sid=${sid}`, body: '40', headers: from('192.0.2.50') })).status, 200);
		assert.match((await ask('192.0.2.50', `&sid=${sid}`)).text, /^44.*UNAUTHORIZED/);
	}
	for (let i = 0; i < 10; i++)
		assert.equal((await proxied.http.get('/socket.io/?EIO=4&transport=polling')).status, 200, 'loopback is spared');
});
