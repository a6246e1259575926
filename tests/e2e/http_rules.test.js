// SPDX-License-Identifier: Apache-2.0
/*
 * Wire contract, section 1: what holds for every endpoint. Bytes and framing are in http_strict.test.js,
 * tokens in me.test.js, 429 in limits.test.js, base64 in binary_fields.test.js.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { register } from './kit/people.js';
import { QUICK, randomName } from './kit/contract.js';

const PUBLIC = ['POST /v1/auth/register', 'POST /v1/auth/login', 'POST /v1/auth/refresh'];
const POSTS = ['POST /v1/auth/logout', 'POST /v1/auth/devices/register', 'POST /v1/prekeys/upload', 'POST /v1/dm/sessions/open',
	'POST /v1/dm/sessions/accept', 'POST /v1/dm/messages/send', 'POST /v1/dm/messages/receipts', 'POST /v1/dm/receipts'];
const GETS = ['GET /v1/auth/me', 'GET /v1/auth/devices', 'GET /v1/users/resolve', 'GET /v1/prekeys/bundle', 'GET /v1/dm/sessions/incoming',
	'GET /v1/dm/messages/history', 'GET /v1/dm/messages/conversations', 'GET /v1/dm/conversations'];
const EMPTY_IS_OBJECT = ['POST /v1/auth/logout', 'POST /v1/auth/devices/register'];
const DELETES = ['DELETE /v1/auth/devices/0123456789abcdef'];
const PROTECTED = [...POSTS, ...GETS, ...DELETES];
const ALL = [...PUBLIC, ...PROTECTED];

let server;
let ala;
before(async () => {
	server = await startServer({ set: { ...QUICK, 'log.level': 'debug' } });
	ala = await register(server, { username: randomName() });
});
after(() => server?.stop());

const split = (route) => ({ method: route.split(' ')[0], path: route.split(' ')[1] });
const ask = (route, options) => server.http.request({ ...split(route), ...options });
const asAla = (route, options) => ala.request({ ...split(route), ...options });
/** Where reading a body can be watched without a token and without doing anything. */
const logIn = (body, headers) => server.http.request({ method: 'POST', path: '/v1/auth/login', body, headers });

test('every protected route wants a token, every public one does not', async () => {
	for (const route of PROTECTED)
		assertError(await ask(route, { body: route.startsWith('POST') ? {} : undefined }), 401, 'UNAUTHORIZED');
	for (const route of PUBLIC)
		assert.equal((await ask(route, { body: {} })).status, 400, route);
});

test('an unknown path is 404, without token, with any method and however near it is', async () => {
	for (const path of ['/nothing', '/v1', '/v1/', '/v1/auth', '/v1/auth/me/', '/v1/auth/mex', '/V1/auth/me', '/v1//auth/me', '/v1/auth/me/x',
		'/v1/auth/devices/0123456789abcdef/x', '/v2/auth/me', '/v1/auth/me;x', '/v1/dm/../auth/me']) {
		for (const method of ['GET', 'POST', 'DELETE', 'PUT'])
			assertError(await server.http.request({ method, path }), 404, 'NOT_FOUND');
	}
});

test('an escaped NUL does not end a path', async () => {
	for (const path of ['/v1/auth/me%00', '/v1/auth/me%00/x', '/%00'])
		assert.ok([400, 404].includes((await ala.get(path)).status), path);
});

test('another method is 405 with those that are allowed, before the token is asked for', async () => {
	for (const route of ALL) {
		const { method, path } = split(route);
		for (const other of ['PUT', 'PATCH', method === 'POST' ? 'GET' : 'POST']) {
			if (ALL.includes(`${other} ${path}`) || path === '/v1/auth/devices/0123456789abcdef' && other === 'GET')
				continue;
			const answer = assertError(await server.http.request({ method: other, path }), 405, 'METHOD_NOT_ALLOWED');
			assert.ok(answer.headers.allow.split(/, ?/).includes(method), `${other} ${path}: ${answer.headers.allow}`);
		}
	}
});

test('checks come in order: token, size, media type, body', async () => {
	const big = 'x'.repeat((1 << 20) + 1);
	const asText = { 'content-type': 'text/plain' };
	for (const route of POSTS) {
		assertError(await ask(route, { body: big, headers: asText }), 401, 'UNAUTHORIZED');
		assertError(await ask(route, { body: '{', headers: asText }), 401, 'UNAUTHORIZED');
		assertError(await asAla(route, { body: big, headers: asText }), 413, 'BODY_TOO_LARGE');
		assertError(await asAla(route, { body: '{', headers: asText }), 415, 'UNSUPPORTED_MEDIA_TYPE');
		assertError(await asAla(route, { body: '{' }), 400, 'INVALID_JSON');
	}
	for (const route of PUBLIC) {
		assertError(await ask(route, { body: big, headers: asText }), 413, 'BODY_TOO_LARGE');
		assertError(await ask(route, { body: '{', headers: asText }), 415, 'UNSUPPORTED_MEDIA_TYPE');
		assertError(await ask(route, { body: '{' }), 400, 'INVALID_JSON');
	}
});

test('a body is JSON in UTF-8, said or not said', async () => {
	for (const type of [null, 'application/json', 'APPLICATION/JSON', 'application/json; charset=utf-8',
		'application/json;charset=UTF-8', 'application/json; charset="utf-8"'])
		assertError(await logIn('{"password":"x"}', { 'content-type': type }), 400, 'MISSING_LOGIN_IDENTIFIER');
	for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx',
		'text/json', 'json', 'application/json; charset=latin1', 'application/json; charset=utf-16'])
		assertError(await logIn('{"password":"x"}', { 'content-type': type }), 415, 'UNSUPPORTED_MEDIA_TYPE');
});

test('what does not parse is INVALID_JSON', async () => {
	const texts = ['', ' ', '{', '}', '{"a"}', '{"a":}', '{"a":1,}', "{'a':1}", '{a:1}', '{"a":01}', '{"a":+1}',
		'{"a":.5}', '{"a":1.}', '{"a":NaN}', '{"a":1e}', '{"a":tru}', '{"a":"\t"}',
		'{"a":"\\x"}', '{"a":"\\u12"}', '{} x', '{}{}', '\ufeff{}', '{"a":"', '[', '{"a":1 "b":2}', '// x\n{}', '\0', '{"a":"\0"}', '{}\0'];
	for (const text of texts)
		assertError(await logIn(text), 400, 'INVALID_JSON');
	for (const hex of ['80', 'c0af', 'c3', 'eda080', 'edb080', 'f4908080', 'f8888080', 'e28c', 'ff', 'c081'])
		assertError(await logIn(Buffer.from(`7b2261223a22${hex}227d`, 'hex')), 400, 'INVALID_JSON');
});

test('a key given twice is INVALID_JSON, at any depth and in any spelling', async () => {
	for (const text of ['{"password":"x","password":"x"}', '{"a":1,"b":2,"a":3}', '{"x":{"a":1,"a":1}}', '{"x":[{"a":1,"a":1}]}', '{"a":1,"\\u0061":2}'])
		assertError(await logIn(text), 400, 'INVALID_JSON');
});

test('a lone surrogate is INVALID_JSON, a pair is a character', async () => {
	for (const text of ['\\ud800', '\\udc00', '\\ud800x', '\\ud800\\u0041', '\\udc00\\ud800', '\\ud83d\\ud83d\\ude00']) {
		assertError(await logIn(`{"unknown":"${text}"}`), 400, 'INVALID_JSON');
		assertError(await logIn(`{"${text}":1}`), 400, 'INVALID_JSON');
	}
	assertError(await logIn('{"password":"x","unknown":"\\ud83d\\ude00"}'), 400, 'MISSING_LOGIN_IDENTIFIER');
});

test('a body that is no object is INVALID_BODY, on every route that takes one', async () => {
	for (const text of ['[]', '[{}]', '"x"', '5', 'null', 'true', ' [] ']) {
		for (const route of [...PUBLIC, ...POSTS])
			assertError(await asAla(route, { body: text }), 400, 'INVALID_BODY');
	}
});

test('a NUL in any string or key is INVALID_BODY', async () => {
	for (const text of ['{"password":"a\\u0000b"}', '{"unknown":"\\u0000"}', '{"a\\u0000":1}', '{"x":[{"y":"z\\u0000"}]}', '{"x":{"y\\u0000":1}}'])
		assertError(await logIn(text), 400, 'INVALID_BODY');
});

test('an empty body is an object for logout and devices/register alone', async () => {
	for (const route of [...PUBLIC, ...POSTS]) {
		const person = EMPTY_IS_OBJECT.includes(route) ? await register(server) : ala;
		for (const headers of [{}, { 'content-type': 'application/json' }]) {
			const answer = await person.request({ ...split(route), headers });
			if (!EMPTY_IS_OBJECT.includes(route))
				assertError(answer, 400, 'INVALID_JSON');
			else
				assert.ok([200, 201].includes(answer.status), `${route}: ${answer.text}`);
			if (route.endsWith('logout'))
				break; // the token is gone
		}
	}
});

test('unknown fields are ignored', async () => {
	const answer = await server.http.post('/v1/auth/register', { password: 'correct horse', Password: 5, admin: true, nested: { userId: [1, { a: null }] } });
	assert.equal(answer.status, 201, answer.text);
});

test('deep nesting is answered, whatever the answer', async () => {
	for (const text of ['['.repeat(100000), '{"a":'.repeat(50000), `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`])
		assert.equal((await logIn(text)).status, 400);
	assert.equal((await ala.get('/v1/auth/me')).status, 200);
});

test('a request id is echoed when it is well-formed', async () => {
	for (const id of ['x', 'A-z_0.9', '.'.repeat(64)]) {
		const good = await ala.request({ path: '/v1/auth/me', headers: { 'x-request-id': id } });
		assert.equal(good.headers['x-request-id'], id);
		const bad = assertError(await server.http.request({ path: '/v1/auth/me', headers: { 'x-request-id': id } }), 401, 'UNAUTHORIZED');
		assert.equal(bad.body.requestId, id);
	}
	await server.http.request({ path: '/v1/auth/me', headers: { 'x-request-id': 'look-for-me' } });
	await server.waitForLog(/look-for-me/);
});

test('else one is made, another every time', async () => {
	const seen = new Set();
	for (const id of [undefined, '', 'x'.repeat(65), 'a b', 'a/b', '\u00fc', 'a,b', '<x>']) {
		const headers = id === undefined ? {} : { 'x-request-id': id };
		for (const path of ['/v1/auth/me', '/v1/nothing']) {
			const { headers: given, body } = await server.http.request({ path, headers });
			assert.match(given['x-request-id'], /^[A-Za-z0-9._-]{1,64}$/);
			assert.notEqual(given['x-request-id'], id);
			assert.equal(body.requestId, given['x-request-id']);
			seen.add(given['x-request-id']);
		}
	}
	assert.equal(seen.size, 16);
});

test('an error body has four members, and the field where one is at fault', async () => {
	assert.deepEqual(Object.keys((await server.http.get('/v1/nothing')).body).sort(), ['error', 'message', 'ok', 'requestId']);
	const { body } = await server.http.post('/v1/auth/register', { password: 'short' });
	assert.deepEqual(Object.keys(body).sort(), ['error', 'field', 'message', 'ok', 'requestId']);
	assert.equal(body.field, 'password');
});

test('nothing under /v1 is to be cached, whatever the answer', async () => {
	const answers = [await ala.get('/v1/auth/me'), await server.http.get('/v1/auth/me'), await server.http.get('/v1/nothing'), await server.http.get('/v1/auth/login'),
		await logIn('{'), await logIn('{}', { 'content-type': 'text/plain' }), await ala.request({ method: 'HEAD', path: '/v1/auth/me' }), await logIn('x'.repeat(2 << 20))];
	assert.deepEqual(answers.map((answer) => answer.headers['cache-control']), answers.map(() => 'no-store'));
});

test('HEAD is GET without the body', async () => {
	const queries = { '/v1/users/resolve': `?username=${ala.username}`, '/v1/dm/messages/history': '?sessionId=00000000' };
	for (const route of GETS.filter((one) => !one.endsWith('bundle'))) {
		const path = split(route).path + (queries[split(route).path] ?? '');
		const [head, get] = [await ala.request({ method: 'HEAD', path }), await ala.get(path)];
		assert.equal(head.status, get.status, path);
		assert.equal(head.text, '');
		for (const name of ['content-length', 'content-type', 'cache-control'])
			assert.equal(head.headers[name], get.headers[name], `${path} ${name}`);
	}
	const refused = await server.http.head('/v1/auth/me');
	assert.deepEqual([refused.status, refused.text], [401, '']);
	assert.match(refused.headers['www-authenticate'], /^Bearer\b/);
});

test('a bad query is INVALID_QUERY on every route that has one', async () => {
	for (const route of GETS.slice(2)) {
		for (const query of ['limit=%', 'sessionId=%f', 'user_id=%zz', 'username=%80'])
			assertError(await asAla(`${route}?${query}`), 400, 'INVALID_QUERY');
	}
});

const preflight = (to, origin, path = '/v1/auth/login') => to.http.options(path, {
	origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type',
});

test('without configured origins no origin is allowed', async () => {
	for (const answer of [await preflight(server, 'https://app.example.org'), await server.http.request({ path: '/v1/auth/me', headers: { origin: 'https://app.example.org' } })]) {
		assert.equal(answer.headers['access-control-allow-origin'], undefined);
		assert.equal(answer.headers['access-control-allow-credentials'], undefined);
	}
});

test('a configured origin may call, also with an error for an answer, and no other', async (t) => {
	const origins = ['https://app.example.org', 'http://localhost:5173'];
	const open = await startServer({ set: { ...QUICK, 'server.cors_origins': origins.join(' ') } });
	t.after(() => open.stop());
	for (const origin of origins) {
		const answer = await preflight(open, origin);
		assert.ok([200, 204].includes(answer.status), answer.text);
		assert.equal(answer.headers['access-control-allow-origin'], origin);
		assert.match(answer.headers['access-control-allow-methods'], /\bPOST\b/);
		const allowed = answer.headers['access-control-allow-headers'].toLowerCase().split(/, ?/);
		for (const name of ['authorization', 'content-type'])
			assert.ok(allowed.includes(name), String(allowed));
		const actual = await open.http.request({ path: '/v1/auth/me', headers: { origin } });
		assert.equal(actual.status, 401);
		assert.equal(actual.headers['access-control-allow-origin'], origin);
		assert.match(actual.headers.vary, /\borigin\b/i);
	}
	for (const origin of ['https://evil.example.org', 'https://app.example.org.evil.org', 'http://app.example.org', 'https://app.example.org:444', 'null'])
		assert.equal((await preflight(open, origin)).headers['access-control-allow-origin'], undefined, origin);
});

test('every origin may be allowed, but never with credentials', async (t) => {
	const open = await startServer({ set: { ...QUICK, 'server.cors_origins': '*' } });
	t.after(() => open.stop());
	for (const answer of [await preflight(open, 'https://anything.example'), await open.http.request({ path: '/v1/auth/me', headers: { origin: 'https://anything.example' } })]) {
		assert.equal(answer.headers['access-control-allow-origin'], '*');
		assert.equal(answer.headers['access-control-allow-credentials'], undefined);
	}
});
