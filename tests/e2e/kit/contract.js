// SPDX-License-Identifier: Apache-2.0
/*
 * The wire contract's forms as checks, so that a test says what an answer is made of in one line:
 * assertAnswer(answer, 200, { userId: is.id, username: is.orNull(is.text) }).
 */
import assert from 'node:assert/strict';
import crypto from 'node:crypto';

/** Settings for tests that are not about limits or password hashing: cheap hashes, no limit in the way. */
export const QUICK = {
	'auth.password_memory': '16k',
	'auth.password_passes': 1,
	'ratelimit.login': 'off',
	'ratelimit.bundle': 'off',
	'ratelimit.one_time': 'off',
	'ratelimit.send': 'off',
};

const matching = (pattern) => (value) => typeof value === 'string' && pattern.test(value);

export const is = {
	id: (value) => Number.isSafeInteger(value) && value > 0,
	count: (value) => Number.isSafeInteger(value) && value >= 0,
	text: (value) => typeof value === 'string',
	boolean: (value) => typeof value === 'boolean',
	idText: matching(/^[1-9][0-9]*$/),
	hex16: matching(/^[0-9a-f]{16}$/),
	hex8: matching(/^[0-9a-f]{8}$/),
	number: matching(/^\+99[0-9]{6}$/),
	jwt: matching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
	refreshToken: matching(/^rt_[0-9a-f]{32}_[\w-]{43,}$/),
	time: matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
	timeWithoutFraction: matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
	null: (value) => value === null,
	exactly: (expected) => (value) => value === expected,
	oneOf: (...expected) => (value) => expected.includes(value),
	orNull: (check) => (value) => value === null || check(value),
	/** Padded standard base64 of so many bytes. */
	base64: (bytes) => (value) => typeof value === 'string' && Buffer.from(value, 'base64').length === bytes
		&& Buffer.from(value, 'base64').toString('base64') === value,
	object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
	list: Array.isArray,
};

/** Wire contract: the message row. */
export const messageRow = {
	id: is.id,
	messageId: is.id,
	serverMessageId: is.idText,
	c6pVersion: is.id,
	sessionId: is.hex8,
	senderUserId: is.idText,
	recipientUserId: is.idText,
	senderDeviceId: is.hex16,
	recipientDeviceId: is.hex16,
	clientMessageId: is.orNull(is.text),
	clientTimestamp: is.orNull(is.time),
	serverTimestamp: is.time,
	deliveryState: is.oneOf('PENDING', 'DELIVERED', 'READ'),
	ciphertext: is.text,
	authTag: is.base64(16),
};

/** Exactly these members, each of its form. */
export function assertShape(value, shape) {
	assert.ok(is.object(value), `no object: ${JSON.stringify(value)}`);
	assert.deepEqual(Object.keys(value).sort(), Object.keys(shape).sort());
	for (const [name, check] of Object.entries(shape))
		assert.ok(check(value[name]), `${name} is ${JSON.stringify(value[name])}`);
}

export function assertAnswer(answer, status, shape) {
	assert.equal(answer.status, status, answer.text);
	assert.match(answer.headers['content-type'] ?? '', /^application\/json\b/);
	assert.equal(answer.headers['cache-control'], 'no-store');
	// "integer" is a matter of spelling too: decoders in other languages refuse 1.0 and 1e3
	assert.doesNotMatch(answer.text.replace(/"(?:[^"\\]|\\.)*"/g, '""'), /\d[.eE]/);
	assertShape(answer.body, shape);
	return answer.body;
}

export const randomHex = (bytes) => crypto.randomBytes(bytes).toString('hex');
export const randomName = () => `u_${randomHex(8)}`;

/** The same bytes in another spelling. */
export const base64url = (base64) => base64.replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

/** Every page of a list whose pages are asked for by `ask(cursor)`; `next` answers undefined after the last. */
export async function allPages(ask, next, first) {
	const pages = [];
	for (let cursor = first; cursor !== undefined; cursor = next(pages.at(-1)))
		pages.push(await ask(cursor));
	return pages;
}
