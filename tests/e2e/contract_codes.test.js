// SPDX-License-Identifier: Apache-2.0
/*
 * No error code without a test: every code that the running server documents has to stand in one of these
 * files, and every code that the wire contract gives a route has to be documented for it.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startServer } from './kit/server.js';
import { QUICK } from './kit/contract.js';

/** What cannot be brought about from outside: only a test inside the server can. */
const OUT_OF_REACH = {
	INITIATOR_DEVICE_NOT_FOUND: "a removed device's token ends first",
	INTERNAL_ERROR: 'needs a defect',
};

/** Wire contract, section 2. */
const CONTRACT = {
	'POST /v1/auth/register': 'PASSWORD_TOO_SHORT PASSWORD_TOO_LONG INVALID_USERNAME INVALID_FULL_NAME INVALID_DEVICE_ID INVALID_PLATFORM'
		+ ' INVALID_DEVICE_LABEL USERNAME_TAKEN DEVICE_ID_TAKEN FAILED_TO_ALLOCATE_CONVRO_NUMBER RATE_LIMITED',
	'POST /v1/auth/login': 'MISSING_LOGIN_IDENTIFIER INVALID_DEVICE_ID INVALID_PLATFORM INVALID_DEVICE_LABEL INVALID_CREDENTIALS'
		+ ' DEVICE_OWNED_BY_OTHER_USER DEVICE_REMOVED DEVICE_LIMIT_REACHED RATE_LIMITED',
	'POST /v1/auth/refresh': 'INVALID_REFRESH_TOKEN REFRESH_NOT_FOUND REFRESH_INVALID REFRESH_REVOKED REFRESH_EXPIRED',
	'POST /v1/auth/logout': 'INVALID_REFRESH_TOKEN REFRESH_NOT_FOUND INVALID_BODY UNAUTHORIZED TOKEN_INVALID TOKEN_EXPIRED',
	'GET /v1/auth/me': 'UNAUTHORIZED TOKEN_INVALID TOKEN_EXPIRED',
	'POST /v1/auth/devices/register': 'DEVICE_OWNED_BY_OTHER_USER DEVICE_REMOVED DEVICE_LIMIT_REACHED INVALID_DEVICE_ID INVALID_PLATFORM'
		+ ' INVALID_DEVICE_LABEL',
	'GET /v1/auth/devices': 'UNAUTHORIZED',
	'DELETE /v1/auth/devices/{deviceId}': 'CURRENT_DEVICE DEVICE_NOT_FOUND INVALID_DEVICE_ID',
	'GET /v1/users/resolve': 'INVALID_QUERY USER_NOT_FOUND',
	'POST /v1/prekeys/upload': 'DEVICE_MISMATCH INVALID_SIGNATURE IDENTITY_KEY_MISMATCH KEY_ID_CONFLICT TOO_MANY_PREKEYS INVALID_IDENTITY_KEY'
		+ ' INVALID_SIGNED_PREKEY INVALID_ONE_TIME_PREKEY',
	'GET /v1/prekeys/bundle': 'INVALID_QUERY USER_NOT_FOUND DEVICE_NOT_FOUND PREKEYS_NOT_FOUND RATE_LIMITED',
	'POST /v1/dm/sessions/open': 'INVALID_HANDSHAKE_OFFER INVALID_PEER INITIATOR_DEVICE_MISMATCH INITIATOR_DEVICE_NOT_FOUND'
		+ ' RESPONDER_DEVICE_NOT_FOUND SESSION_ID_EXISTS HANDSHAKE_OFFER_TOO_LARGE TOO_MANY_PENDING_SESSIONS',
	'GET /v1/dm/sessions/incoming': 'INVALID_QUERY',
	'POST /v1/dm/sessions/accept': 'NOT_SESSION_RESPONDER SESSION_NOT_FOUND',
	'POST /v1/dm/messages/send': 'SESSION_NOT_ACTIVE RECIPIENT_MISMATCH PEER_GONE CLIENT_MESSAGE_ID_REUSED INVALID_SESSION_ID INVALID_CIPHERTEXT'
		+ ' INVALID_AUTH_TAG INVALID_CLIENT_MESSAGE_ID INVALID_CLIENT_TIMESTAMP SESSION_NOT_FOUND MESSAGE_TOO_LARGE'
		+ ' RATE_LIMITED',
	'GET /v1/dm/messages/history': 'INVALID_QUERY SESSION_NOT_FOUND',
	'GET /v1/dm/messages/conversations': 'INVALID_QUERY',
	'POST /v1/dm/messages/receipts': 'NOT_MESSAGE_RECIPIENT MESSAGE_NOT_FOUND INVALID_STATUS INVALID_MESSAGE_ID',
};

let server;
let documented; // route → Set of codes
before(async () => {
	server = await startServer({ set: QUICK });
	const { body } = await server.http.get('/openapi.json');
	documented = new Map();
	for (const [path, methods] of Object.entries(body.paths)) {
		for (const [method, { responses = {} }] of Object.entries(methods))
			documented.set(`${method.toUpperCase()} ${path}`, new Set(Object.values(responses).flatMap(codesOf)));
	}
});
after(() => server?.stop());

function codesOf(response) {
	const { schema } = response.content?.['application/json'] ?? {};
	return schema?.properties?.error?.enum ?? [];
}

const everyCode = () => [...new Set([...documented.values()].flatMap((codes) => [...codes]))].sort();

/** The test files beside this one, without the kit. */
function sources() {
	const dir = fileURLToPath(new URL('.', import.meta.url));
	const self = fileURLToPath(import.meta.url);
	return fs.readdirSync(dir).map((name) => dir + name)
		.filter((file) => file.endsWith('.test.js') && file !== self)
		.map((file) => fs.readFileSync(file, 'utf8')).join('\n');
}

test('every route of the contract documents its codes', () => {
	for (const [route, codes] of Object.entries(CONTRACT)) {
		assert.ok(documented.has(route), `${route} is not documented`);
		assert.deepEqual(codes.split(' ').filter((code) => !documented.get(route).has(code)), [], route);
	}
});

test('every documented code is hit by a test', () => {
	assert.ok(everyCode().length > 50, 'the codes were found');
	const text = sources();
	assert.deepEqual(everyCode().filter((code) => !text.includes(`'${code}'`) && !(code in OUT_OF_REACH)), []);
});

test('what is said to be out of reach is still documented', () => {
	assert.deepEqual(Object.keys(OUT_OF_REACH).filter((code) => !everyCode().includes(code)), []);
});
