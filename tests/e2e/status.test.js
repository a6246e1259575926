// SPDX-License-Identifier: Apache-2.0
/* GET /health, and GET /openapi.json against what the server really does. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { Validator } from '@seriousme/openapi-schema-validator';
import { startServer, database } from './kit/server.js';
import { assertError } from './kit/http.js';
import { assertStatus } from './kit/people.js';

let server;
let openapi;
before(async () => {
	server = await startServer();
	openapi = assertStatus(await server.http.get('/openapi.json'), 200).body;
});
after(() => server?.stop());

function* operations(document = openapi) {
	for (const [path, methods] of Object.entries(document.paths)) {
		for (const [method, operation] of Object.entries(methods))
			yield { path, method: method.toUpperCase(), operation };
	}
}

const names = (document) => [...operations(document)].map(({ method, path }) => `${method} ${path}`);

function assertHealth(answer, status, words) {
	assertStatus(answer, status);
	assert.deepEqual(Object.keys(answer.body), ['status', 'db', 'timestamp', 'version', 'uptimeSeconds']);
	assert.deepEqual([answer.body.status, answer.body.db], words);
	assert.match(answer.body.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
	assert.ok(Math.abs(Date.parse(answer.body.timestamp) - Date.now()) < 60000);
	assert.match(answer.body.version, /^\d+\.\d+\.\d+/);
	assert.ok(Number.isSafeInteger(answer.body.uptimeSeconds) && answer.body.uptimeSeconds >= 0);
	assert.equal(answer.headers['cache-control'], 'no-store');
}

test('health says that all is well', async () => {
	assertHealth(await server.http.get('/health'), 200, ['ok', 'ok']);
});

test('health looks at no token', async () => {
	assertHealth(await server.http.get('/health', 'not.a.token'), 200, ['ok', 'ok']);
});

test('health answers HEAD without a body, and no other method', async () => {
	const head = assertStatus(await server.http.head('/health'), 200);
	assert.equal(head.text, '');
	assertError(await server.http.post('/health', {}), 405, 'METHOD_NOT_ALLOWED');
});

test('health is 503 of the same shape while the store does not answer, and well again after it', async (t) => {
	if (server.engine !== 'postgresql')
		return t.skip('only a database in another process can be halted');
	const { query } = await database(server);
	const pids = (await query('SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()'))
		.map(([pid]) => Number(pid));
	assert.notEqual(pids.length, 0);
	pids.forEach((pid) => process.kill(pid, 'SIGSTOP'));
	try {
		const started = Date.now();
		assertHealth(await server.http.get('/health'), 503, ['degraded', 'down']);
		assert.ok(Date.now() - started < 10000, 'it answers although the store does not');
	} finally {
		pids.forEach((pid) => process.kill(pid, 'SIGCONT'));
	}
	let answer;
	for (let i = 0; i < 100 && answer?.status !== 200; i++) {
		answer = await server.http.get('/health');
		await new Promise((resolve) => setTimeout(resolve, 100));
	}
	assertHealth(answer, 200, ['ok', 'ok']);
});

test('OpenAPI is a valid 3.1 document', async () => {
	const { valid, errors } = await new Validator().validate(structuredClone(openapi));
	assert.ok(valid, JSON.stringify(errors, null, '\t'));
	assert.match(openapi.openapi, /^3\.1\./);
	assert.equal(openapi.info.version, (await server.http.get('/health')).body.version);
	const ids = [...operations()].map(({ operation }) => operation.operationId);
	assert.equal(new Set(ids).size, ids.length, 'an operationId is there twice');
});

test('OpenAPI lists every canonical endpoint', () => {
	const canonical = ['GET /health', 'POST /v1/auth/register', 'POST /v1/auth/login', 'POST /v1/auth/refresh',
		'POST /v1/auth/logout', 'GET /v1/auth/me', 'POST /v1/auth/devices/register', 'GET /v1/auth/devices',
		'GET /v1/users/resolve', 'POST /v1/prekeys/upload', 'GET /v1/prekeys/bundle', 'POST /v1/dm/sessions/open',
		'GET /v1/dm/sessions/incoming', 'POST /v1/dm/sessions/accept', 'POST /v1/dm/messages/send',
		'GET /v1/dm/messages/history', 'GET /v1/dm/messages/conversations', 'POST /v1/dm/messages/receipts'];
	const listed = names();
	for (const name of canonical)
		assert.ok(listed.includes(name), `${name} is missing`);
});

test('what OpenAPI calls bearer takes a token, and what it calls public does not', async () => {
	for (const { method, path, operation } of operations()) {
		const answer = await server.http.request({ method, path: path.replace(/\{\w+\}/g, '0011223344556677'), body: method === 'GET' ? undefined : '[' });
		if (operation.security.length > 0)
			assertError(answer, 401, 'UNAUTHORIZED');
		else
			assert.notEqual(answer.status, 401, `${method} ${path}`);
		const codes = operation.responses[answer.status]?.content?.['application/json']?.schema?.properties?.error?.enum;
		if (answer.status >= 400)
			assert.ok(codes?.includes(answer.body.error), `${method} ${path}: ${answer.status} ${answer.body.error} is not documented`);
		else
			assert.ok(operation.responses[answer.status], `${method} ${path}: ${answer.status} is not documented`);
	}
});

test('OpenAPI tells types, bounds and codes of nested fields', () => {
	const { schema } = openapi.paths['/v1/prekeys/upload'].post.requestBody.content['application/json'];
	assert.deepEqual(schema.required, ['identity', 'signedPrekey']);
	const { identity, signedPrekey, oneTimePrekeys } = schema.properties;
	assert.deepEqual(identity.required, ['publicKeyEd25519']);
	assert.equal(identity.properties.publicKeyEd25519.minLength, 43);
	assert.equal(identity.properties.publicKeyEd25519.maxLength, 44);
	assert.equal(signedPrekey.properties.signatureEd25519['x-convro-error'], 'INVALID_SIGNATURE');
	assert.equal(oneTimePrekeys.maxItems, 256);
	assert.deepEqual(oneTimePrekeys.items.required, ['keyId', 'publicKeyX25519']);
	const { password, username, platform } = openapi.paths['/v1/auth/register'].post.requestBody.content['application/json'].schema.properties;
	assert.deepEqual([password.type, password.minLength], ['string', 8]);
	assert.deepEqual([username.type, username.minLength, username.maxLength, username.pattern], [['string', 'null'], 3, 64, '^[a-zA-Z0-9_.]*$']);
	assert.ok(platform.enum.includes('desktop') && platform.enum.includes(null));
	const limit = openapi.paths['/v1/dm/messages/history'].get.parameters.find(({ name }) => name === 'limit');
	assert.equal(limit.schema.minimum, 1);
	assert.equal(limit.schema.maximum, undefined, 'a larger one is no error');
});

test('a document that is known already is not sent again', async () => {
	for (const path of ['/', '/openapi.json']) {
		const { headers, text } = assertStatus(await server.http.get(path), 200);
		assert.match(headers.etag, /^"[0-9a-f]{16}"$/);
		const again = await server.http.request({ path, headers: { 'If-None-Match': headers.etag } });
		assert.deepEqual([again.status, again.text, again.headers.etag], [304, '', headers.etag]);
		const other = await server.http.request({ path, headers: { 'If-None-Match': '"0"' } });
		assert.deepEqual([other.status, other.text === text], [200, true]);
	}
});

test('every worker gives the same documents', async () => {
	const texts = await Promise.all(Array.from({ length: 16 }, () => server.http.get('/openapi.json')));
	assert.equal(new Set(texts.map(({ text }) => text)).size, 1);
});

test('a module that is not loaded has no endpoints here', async () => {
	const small = await startServer({ modules: ['status', 'auth'] });
	try {
		const document = assertStatus(await small.http.get('/openapi.json'), 200).body;
		assert.ok(names(document).includes('GET /v1/auth/me'));
		assert.ok(!names(document).some((name) => /\/(users|prekeys|dm)\//.test(name)));
		assertHealth(await small.http.get('/health'), 200, ['ok', 'ok']);
	} finally {
		await small.stop();
	}
});

test('page and OpenAPI can be switched off, and health stays', async () => {
	const quiet = await startServer({ modules: ['status', 'auth'], set: { 'status.page': 'off', 'status.openapi': 'off' } });
	try {
		assertError(await quiet.http.get('/'), 404, 'NOT_FOUND');
		assertError(await quiet.http.get('/openapi.json'), 404, 'NOT_FOUND');
		assertHealth(await quiet.http.get('/health'), 200, ['ok', 'ok']);
		await quiet.restart({ set: { 'status.page': 'off', 'status.openapi': 'on', 'status.title': 'Convro <two>' } });
		const document = assertStatus(await quiet.http.get('/openapi.json'), 200).body;
		assert.deepEqual(names(document).filter((name) => !name.includes('/v1/')), ['GET /health', 'GET /openapi.json']);
		assert.equal(document.info.title, 'Convro <two>');
	} finally {
		await quiet.stop();
	}
});
