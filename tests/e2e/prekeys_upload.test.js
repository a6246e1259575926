// SPDX-License-Identifier: Apache-2.0
/* Wire contract: POST /v1/prekeys/upload, in the canonical spelling and in those of the first clients. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { register } from './kit/people.js';
import { ed25519Pair, sign, x25519Pair } from './kit/keys.js';
import { prekeyMessage } from './kit/handshake99.js';
import { assertAnswer, base64url, is, QUICK, randomHex } from './kit/contract.js';

let server;
before(async () => { server = await startServer({ set: QUICK }); });
after(() => server?.stop());

const upload = (person, body) => person.post('/v1/prekeys/upload', body);
const base64 = (bytes) => Buffer.from(bytes).toString('base64');
const shape = {
	ok: is.exactly(true), accepted: is.exactly(true), deviceId: is.hex16, userDeviceId: is.id,
	storedOneTimePrekeys: is.count, acceptedOneTimePrekeyIds: is.list, oneTimeAvailable: is.count,
	serverTime: is.timeWithoutFraction,
};
const oneTimeKey = () => ({ keyId: randomHex(8), publicKeyX25519: base64(x25519Pair().publicKey) });
const oneTimeKeys = (count) => Array.from({ length: count }, oneTimeKey);
const idsOf = (keys) => keys.map((key) => key.keyId).sort();

/** A signed prekey of its own, signed over `message(publicKey, keyId)`. */
function signedPrekey(identity, message = (publicKey) => prekeyMessage(publicKey)) {
	const { publicKey } = x25519Pair();
	const keyId = randomHex(8);
	return { keyId, publicKeyX25519: base64(publicKey), signatureEd25519: base64(sign(identity, message(publicKey, keyId))) };
}

/** A new person with a valid body that was not sent yet. */
async function newcomer(oneTime = 0) {
	const person = await register(server);
	const body = person.prekeyBody(oneTime);
	return { person, body, identity: person.keys.identity };
}

async function assertStored(person, body, expected) {
	const answer = assertAnswer(await upload(person, body), 200, shape);
	assert.equal(answer.deviceId, person.deviceId);
	for (const [name, value] of Object.entries(expected))
		assert.deepEqual(answer[name], value, name);
	return answer;
}

test('stores keys and tells what is there now', async () => {
	const { person, body } = await newcomer(3);
	const first = await assertStored(person, body, { storedOneTimePrekeys: 3, oneTimeAvailable: 3 });
	assert.deepEqual(first.acceptedOneTimePrekeyIds.sort(), idsOf(body.oneTimePrekeys));
	const more = { ...body, oneTimePrekeys: oneTimeKeys(2) };
	const second = await assertStored(person, more, { storedOneTimePrekeys: 2, oneTimeAvailable: 5, userDeviceId: first.userDeviceId });
	assert.deepEqual(second.acceptedOneTimePrekeyIds.sort(), idsOf(more.oneTimePrekeys));
});

test('one-time keys are optional', async () => {
	for (const oneTimePrekeys of [undefined, null, []]) {
		const { person, body } = await newcomer();
		await assertStored(person, { ...body, oneTimePrekeys }, { storedOneTimePrekeys: 0, acceptedOneTimePrekeyIds: [], oneTimeAvailable: 0 });
	}
});

test('an identical repeat stores nothing and accepts the same ids', async () => {
	const { person, body } = await newcomer(2);
	await assertStored(person, body, { storedOneTimePrekeys: 2 });
	const again = await assertStored(person, body, { storedOneTimePrekeys: 0, oneTimeAvailable: 2 });
	assert.deepEqual(again.acceptedOneTimePrekeyIds.sort(), idsOf(body.oneTimePrekeys));
});

test('a consumed key is neither stored nor accepted nor handed out again, with other bytes either', async () => {
	const { person, body } = await newcomer(1);
	const [used] = body.oneTimePrekeys;
	await assertStored(person, body, { oneTimeAvailable: 1 });
	const caller = await register(server);
	assert.equal((await caller.bundle(person)).body.oneTimePrekeyId, used.keyId);
	for (const key of [used, { ...used, keyId: used.keyId.toUpperCase() }])
		await assertStored(person, { ...body, oneTimePrekeys: [key] }, { storedOneTimePrekeys: 0, acceptedOneTimePrekeyIds: [], oneTimeAvailable: 0 });
	assertError(await upload(person, { ...body, oneTimePrekeys: [{ ...oneTimeKey(), keyId: used.keyId }] }), 409, 'KEY_ID_CONFLICT');
	assert.equal((await caller.bundle(person)).body.oneTimePrekeyId, null);
});

test('the flat identity key of the first clients is taken', async () => {
	for (const name of ['identityPublicKeyEd25519', 'identityPublicKeyEd25519B64u']) {
		const { person, body } = await newcomer(1);
		const { identity, ...rest } = body;
		await assertStored(person, { ...rest, [name]: base64url(identity.publicKeyEd25519) }, { storedOneTimePrekeys: 1 });
		assert.equal((await person.bundle(person)).body.identityPublicKeyEd25519, identity.publicKeyEd25519);
	}
});

test('prekeyId for keyId, the suffix B64u and base64url are taken, and emitted canonically', async () => {
	const { person, body } = await newcomer(1);
	const [signed, oneTime] = [body.signedPrekey, body.oneTimePrekeys[0]];
	const spelled = {
		identity: { publicKeyEd25519B64u: base64url(body.identity.publicKeyEd25519), fingerprint: 'ab:cd' },
		signedPrekey: {
			prekeyId: signed.keyId.toUpperCase(),
			publicKeyX25519B64u: base64url(signed.publicKeyX25519),
			signatureEd25519B64u: base64url(signed.signatureEd25519),
		},
		oneTimePrekeys: [{ prekeyId: oneTime.keyId.toUpperCase(), publicKeyX25519B64u: base64url(oneTime.publicKeyX25519) }],
	};
	await assertStored(person, spelled, { acceptedOneTimePrekeyIds: [oneTime.keyId] });
	assert.deepEqual((await person.bundle(person)).body, {
		responderDeviceId: person.deviceId,
		identityPublicKeyEd25519: body.identity.publicKeyEd25519,
		signedPrekeyId: signed.keyId,
		signedPrekeyPublicKeyX25519: signed.publicKeyX25519,
		signedPrekeySignature: signed.signatureEd25519,
		oneTimePrekeyId: oneTime.keyId,
		oneTimePrekeyPublicKeyX25519: oneTime.publicKeyX25519,
	});
});

test('a missing id of the signed prekey is derived from its key', async () => {
	const { person, body } = await newcomer();
	const { keyId, ...signed } = body.signedPrekey;
	await assertStored(person, { ...body, signedPrekey: signed }, {});
	const derived = crypto.createHash('sha256').update(Buffer.from(signed.publicKeyX25519, 'base64')).digest('hex').slice(0, 16);
	assert.notEqual(derived, keyId);
	assert.equal((await person.bundle(person)).body.signedPrekeyId, derived);
});

test("deviceId and virtualNumber may be given and must be the caller's", async () => {
	const { person, body } = await newcomer();
	const { deviceId, convroNumber } = person;
	await assertStored(person, { ...body, deviceId: deviceId.toUpperCase(), virtualNumber: convroNumber }, {});
	await assertStored(person, { ...body, deviceId: null, virtualNumber: null }, {});
	assertError(await upload(person, { ...body, deviceId: randomHex(8) }), 403, 'DEVICE_MISMATCH');
	assertError(await upload(person, { ...body, virtualNumber: (await register(server)).convroNumber }), 403, 'DEVICE_MISMATCH');
});

test('the signature is good over 45, 53 or 32 bytes', async () => {
	const messages = { 45: (key) => prekeyMessage(key), 53: (key, keyId) => prekeyMessage(key, keyId), 32: (key) => key };
	for (const [bytes, message] of Object.entries(messages)) {
		const { person, body, identity } = await newcomer();
		assert.equal(message(Buffer.alloc(32), randomHex(8)).length, Number(bytes));
		await assertStored(person, { ...body, signedPrekey: signedPrekey(identity, message) }, {});
	}
});

test('over a derived id the 53 bytes are good as well', async () => {
	const { person, body, identity } = await newcomer();
	const { publicKey } = x25519Pair();
	const keyId = crypto.createHash('sha256').update(publicKey).digest('hex').slice(0, 16);
	const signature = sign(identity, prekeyMessage(publicKey, keyId));
	await assertStored(person, { ...body, signedPrekey: { publicKeyX25519: base64(publicKey), signatureEd25519: base64(signature) } }, {});
});

test('any other signature is refused', async () => {
	const { person, body, identity } = await newcomer();
	const good = body.signedPrekey;
	const bytes = Buffer.from(good.signatureEd25519, 'base64');
	const flipped = Buffer.from(bytes);
	flipped[10] ^= 1;
	const bad = [base64(flipped), base64(bytes.subarray(1)), base64(Buffer.concat([bytes, bytes])), base64(Buffer.alloc(64)), '', '****', undefined, null, 5,
		signedPrekey(ed25519Pair()).signatureEd25519, signedPrekey(identity).signatureEd25519];
	for (const signatureEd25519 of bad)
		assertError(await upload(person, { ...body, signedPrekey: { ...good, signatureEd25519 } }), 400, 'INVALID_SIGNATURE');
	const overAnotherId = { ...signedPrekey(identity, (key, keyId) => prekeyMessage(key, keyId)), keyId: randomHex(8) };
	assertError(await upload(person, { ...body, signedPrekey: overAnotherId }), 400, 'INVALID_SIGNATURE');
});

test("a device's identity key never changes", async () => {
	const { person, body } = await newcomer();
	await assertStored(person, body, {});
	const other = ed25519Pair();
	const changed = { identity: { publicKeyEd25519: base64(other.publicKey) }, signedPrekey: signedPrekey(other), oneTimePrekeys: oneTimeKeys(1) };
	assertError(await upload(person, changed), 409, 'IDENTITY_KEY_MISMATCH');
	const { body: bundle } = await person.bundle(person);
	assert.equal(bundle.identityPublicKeyEd25519, body.identity.publicKeyEd25519);
	assert.equal(bundle.oneTimePrekeyId, null, 'nothing of a refused upload is stored');
});

test('two devices of a user have identity keys of their own', async () => {
	const { person, body } = await newcomer();
	await assertStored(person, body, {});
	const other = await person.login();
	await other.uploadPrekeys();
	assert.notEqual((await person.bundle(person, { device_id: other.deviceId })).body.identityPublicKeyEd25519, body.identity.publicKeyEd25519);
});

test('a known one-time id with other bytes is a conflict, and nothing of that upload is stored', async () => {
	const { person, body } = await newcomer(1);
	await assertStored(person, body, { oneTimeAvailable: 1 });
	const clash = { ...oneTimeKey(), keyId: body.oneTimePrekeys[0].keyId };
	assertError(await upload(person, { ...body, oneTimePrekeys: [...oneTimeKeys(3), clash] }), 409, 'KEY_ID_CONFLICT');
	await assertStored(person, { ...body, oneTimePrekeys: [] }, { oneTimeAvailable: 1 });
});

test('an id twice in a call is a conflict with other bytes, and one key with the same', async () => {
	const { person, body } = await newcomer();
	const key = oneTimeKey();
	const clash = { ...oneTimeKey(), keyId: key.keyId.toUpperCase() };
	assertError(await upload(person, { ...body, oneTimePrekeys: [key, clash] }), 409, 'KEY_ID_CONFLICT');
	await assertStored(person, { ...body, oneTimePrekeys: [key, key] }, { storedOneTimePrekeys: 1, oneTimeAvailable: 1 });
});

test('a known signed id with another key is a conflict', async () => {
	const { person, body, identity } = await newcomer();
	await assertStored(person, body, {});
	const { keyId } = body.signedPrekey;
	assertError(await upload(person, { ...body, signedPrekey: { ...signedPrekey(identity), keyId } }), 409, 'KEY_ID_CONFLICT');
});

test('signed and one-time ids are separate', async () => {
	const { person, body } = await newcomer();
	const key = { ...oneTimeKey(), keyId: body.signedPrekey.keyId };
	await assertStored(person, { ...body, oneTimePrekeys: [key] }, { storedOneTimePrekeys: 1 });
});

test('the last signed prekey uploaded is the current one, an older one too', async () => {
	const { person, body, identity } = await newcomer();
	const [older, newer] = [signedPrekey(identity), signedPrekey(identity)];
	for (const signed of [older, newer, older]) {
		await assertStored(person, { ...body, signedPrekey: signed }, {});
		assert.equal((await person.bundle(person)).body.signedPrekeyId, signed.keyId);
	}
});

test('expiresAt is kept and has no effect', async () => {
	const { person, body } = await newcomer();
	await assertStored(person, { ...body, signedPrekey: { ...body.signedPrekey, expiresAt: '2001-01-01T00:00:00.000Z' } }, {});
	assert.equal((await person.bundle(person)).body.signedPrekeyId, body.signedPrekey.keyId);
});

test('at most 256 one-time keys a call', async () => {
	const { person, body } = await newcomer();
	assertError(await upload(person, { ...body, oneTimePrekeys: oneTimeKeys(257) }), 400, 'TOO_MANY_PREKEYS');
	await assertStored(person, { ...body, oneTimePrekeys: oneTimeKeys(256) }, { storedOneTimePrekeys: 256, oneTimeAvailable: 256 });
});

test('at most 1000 one-time keys stored unused, and all or nothing', async () => {
	const { person, body } = await newcomer();
	for (let stored = 250; stored <= 1000; stored += 250)
		await assertStored(person, { ...body, oneTimePrekeys: oneTimeKeys(250) }, { oneTimeAvailable: stored });
	assertError(await upload(person, { ...body, oneTimePrekeys: oneTimeKeys(1) }), 400, 'TOO_MANY_PREKEYS');
	const { oneTimePrekeyId } = (await (await register(server)).bundle(person)).body;
	assert.notEqual(oneTimePrekeyId, null);
	assertError(await upload(person, { ...body, oneTimePrekeys: oneTimeKeys(2) }), 400, 'TOO_MANY_PREKEYS');
	await assertStored(person, { ...body, oneTimePrekeys: oneTimeKeys(1) }, { oneTimeAvailable: 1000 });
});

test('a malformed identity key has its own code', async () => {
	const { person, body } = await newcomer();
	for (const publicKeyEd25519 of [undefined, null, '', 5, base64(Buffer.alloc(31, 7)), base64(Buffer.alloc(33, 7)), 'not base64 at all!'])
		assertError(await upload(person, { ...body, identity: { publicKeyEd25519 } }), 400, 'INVALID_IDENTITY_KEY');
	for (const identity of [undefined, null, 'x', []])
		assertError(await upload(person, { ...body, identity }), 400, 'INVALID_IDENTITY_KEY');
});

test('a malformed signed prekey has its own code', async () => {
	const { person, body } = await newcomer();
	const good = body.signedPrekey;
	for (const publicKeyX25519 of [undefined, null, '', 5, base64(Buffer.alloc(31, 7)), base64(Buffer.alloc(33, 7)), '****'])
		assertError(await upload(person, { ...body, signedPrekey: { ...good, publicKeyX25519 } }), 400, 'INVALID_SIGNED_PREKEY');
	for (const keyId of ['', 'xyz', good.keyId.slice(1), `${good.keyId}0`, 5.5, {}])
		assertError(await upload(person, { ...body, signedPrekey: { ...good, keyId } }), 400, 'INVALID_SIGNED_PREKEY');
	for (const signedPrekeyValue of [undefined, null, 'x', []])
		assertError(await upload(person, { ...body, signedPrekey: signedPrekeyValue }), 400, 'INVALID_SIGNED_PREKEY');
});

test('a malformed one-time key has its own code, and nothing of that upload is stored', async () => {
	const { person, body } = await newcomer();
	await assertStored(person, body, {});
	const good = oneTimeKey();
	const bad = [null, 'x', [], {}, { keyId: good.keyId }, { publicKeyX25519: good.publicKeyX25519 }, { ...good, keyId: 'xyz' },
		{ ...good, publicKeyX25519: base64(Buffer.alloc(31, 7)) }, { ...good, publicKeyX25519: 5 }];
	for (const key of bad)
		assertError(await upload(person, { ...body, oneTimePrekeys: [oneTimeKey(), key] }), 400, 'INVALID_ONE_TIME_PREKEY');
	for (const oneTimePrekeys of ['x', {}, 5])
		assertError(await upload(person, { ...body, oneTimePrekeys }), 400, 'INVALID_ONE_TIME_PREKEY');
	await assertStored(person, { ...body, oneTimePrekeys: [] }, { oneTimeAvailable: 0 });
});

// RFC 7748, section 7: u-coordinates whose shared secret is zero for every private key.
const LOW_ORDER_X25519 = [
	'0000000000000000000000000000000000000000000000000000000000000000',
	'0100000000000000000000000000000000000000000000000000000000000000',
	'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
	'5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
	'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
	'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
	'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];
// The small subgroup of edwards25519: order 1, 2, 4, 4, 8, 8.
const LOW_ORDER_ED25519 = [
	'0100000000000000000000000000000000000000000000000000000000000000',
	'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
	'0000000000000000000000000000000000000000000000000000000000000000',
	'0000000000000000000000000000000000000000000000000000000000000080',
	'26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
	'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
];

test('low-order points are refused in all three places', async () => {
	const { person, body, identity } = await newcomer();
	for (const point of LOW_ORDER_X25519.map((hex) => Buffer.from(hex, 'hex'))) {
		const signed = { ...body.signedPrekey, publicKeyX25519: base64(point), signatureEd25519: base64(sign(identity, prekeyMessage(point))) };
		assertError(await upload(person, { ...body, signedPrekey: signed }), 400, 'INVALID_SIGNED_PREKEY');
		const oneTimePrekeys = [{ keyId: randomHex(8), publicKeyX25519: base64(point) }];
		assertError(await upload(person, { ...body, oneTimePrekeys }), 400, 'INVALID_ONE_TIME_PREKEY');
	}
	for (const point of LOW_ORDER_ED25519.map((hex) => Buffer.from(hex, 'hex')))
		assertError(await upload(person, { ...body, identity: { publicKeyEd25519: base64(point) } }), 400, 'INVALID_IDENTITY_KEY');
});

test('a fingerprint has at most 256 code points, and an empty one is absent', async () => {
	const { person, body } = await newcomer();
	for (const fingerprint of ['', null, 'ż'.repeat(256)])
		await assertStored(person, { ...body, identity: { ...body.identity, fingerprint } }, {});
	for (const fingerprint of ['ż'.repeat(257), 5])
		assertError(await upload(person, { ...body, identity: { ...body.identity, fingerprint } }), 400, 'INVALID_BODY');
});

test('the check of signatures can be switched off', async (t) => {
	const lenient = await startServer({ set: { ...QUICK, 'prekeys.prekey_signature': 'off' } });
	t.after(() => lenient.stop());
	const person = await register(lenient);
	const body = person.prekeyBody(0);
	body.signedPrekey.signatureEd25519 = base64(Buffer.alloc(64, 9));
	assertAnswer(await upload(person, body), 200, shape);
	body.signedPrekey.signatureEd25519 = base64(Buffer.alloc(63, 9));
	assertError(await upload(person, body), 400, 'INVALID_SIGNATURE');
});

test('a token is needed', async () => {
	assertError(await server.http.post('/v1/prekeys/upload', {}), 401, 'UNAUTHORIZED');
});
