// SPDX-License-Identifier: Apache-2.0
/* Wire contract, section 1, HTTP: strict RFC 9112 over raw sockets; no bytes make a second request out of one. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from './kit/server.js';
import { openRaw, rawExchange } from './kit/http.js';
import { register } from './kit/people.js';
import { QUICK, randomName } from './kit/contract.js';

let server;
let ala;
before(async () => {
	server = await startServer({ set: QUICK });
	ala = await register(server, { username: randomName() });
});
after(() => server?.stop());

/** Where the server closes; a busy machine may take its time. */
const exchange = (bytes, options) => rawExchange(server, bytes, { timeoutMs: 10000, ...options });
const lines = (...all) => `${all.join('\r\n')}\r\n`;
const get = (path, ...headers) => lines(`GET ${path} HTTP/1.1`, 'Host: convro', ...headers, '');
const bearer = () => `Authorization: Bearer ${ala.accessToken}`;
const UNKNOWN = JSON.stringify({ messageId: 9007199254740991, status: 'READ' }); // answered 404 MESSAGE_NOT_FOUND
const receipts = (...headers) => lines('POST /v1/dm/messages/receipts HTTP/1.1', 'Host: convro', bearer(), ...headers, '');
const smuggled = get('/v1/auth/me', 'X-Request-Id: smuggled');
const chunk = (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

async function assertRefused(bytes, ...statuses) {
	const { text, closed, responses } = await exchange(Buffer.concat([Buffer.from(bytes, 'latin1'), Buffer.from(smuggled)]));
	const told = JSON.stringify(bytes.slice(0, 200));
	assert.equal(responses.length, 1, `${told}: ${text}`);
	assert.ok(statuses.includes(responses[0].status), `${told}: ${text}`);
	assert.equal(responses[0].body?.ok, false, told);
	assert.equal(typeof responses[0].body.error, 'string');
	assert.doesNotMatch(text, /smuggled/, told);
	assert.equal(closed, true, `${told}: not closed`);
}

const header = (...all) => get('/v1/auth/me', ...all);
const body = (...headers) => lines('POST /v1/auth/login HTTP/1.1', 'Host: convro', 'Content-Type: application/json', ...headers, '');
const chunkedBody = body('Transfer-Encoding: chunked');

const malformed = {
	'a folded header': [header('X-A: 1\r\n folded'), header('X-A: 1\r\n\tfolded')],
	'a bare line feed': [
		'GET /health HTTP/1.1\nHost: convro\n\n', 'GET /health HTTP/1.1\r\nHost: convro\nX-A: 1\r\n\r\n',
		'GET /health HTTP/1.1\r\nHost: convro\r\n\n'],
	'a bare carriage return': [header('X-A: 1\rX-B: 2'), 'GET /health HTTP/1.1\rHost: convro\r\n\r\n'],
	'a blank before the colon': [header('X-A : 1'), header('Content-Length : 5'), header('X-A\t: 1')],
	'two Hosts, or none': [header('Host: convro'), header('host: other'), lines('GET /health HTTP/1.1', '')],
	'Content-Length with Transfer-Encoding': [
		`${body('Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
		`${body('Transfer-Encoding: chunked', 'Content-Length: 5')}0\r\n\r\n`],
	'differing lengths': [body('Content-Length: 2', 'Content-Length: 3'), body('Content-Length: 2, 3')],
	'a malformed length': ['+2', '-1', '2x', '0x2', '', '1 2', '2.0', '99999999999999999999', '2,', '\u00b2'].map((value) => body(`Content-Length: ${value}`)),
	'an oversized or malformed chunk size': ['10000000000000002', 'FFFFFFFFFFFFFFFFFF', '-2', '0x2', '+2', ' 2', '2 ', '', 'g', '2\n']
		.map((size) => `${chunkedBody}${size}\r\n{}\r\n0\r\n\r\n`),
	'a chunk that is longer than it says': [`${chunkedBody}2\r\n{}x\r\n0\r\n\r\n`, `${chunkedBody}2\r\n{}0\r\n\r\n`],
	'a line feed alone between chunks': [`${chunkedBody}2\r\n{}\n0\r\n\r\n`],
	'a control character in a header': [header('X-A: a\0b'), header('X-A: a\u0001b'), header('X-A: a\u007fb')],
	'a header without a proper name': [header(': 1'), header('X A: 1'), header('X(A): 1'), header('no colon here'), header('X-A\0: 1')],
	'a malformed request line': ['GET  /health HTTP/1.1', 'GET /health HTTP/1.1 ', 'GET\t/health\tHTTP/1.1', 'GET /health', 'GET', 'G@T /health HTTP/1.1', 'GET health HTTP/1.1',
		'GET /hea lth HTTP/1.1', 'GET /health http/1.1', 'GET /health HTTP/1.x', 'GET /he\0alth HTTP/1.1', ' GET /health HTTP/1.1'].map((line) => lines(line, 'Host: convro', '')),
};

for (const [what, requests] of Object.entries(malformed)) {
	test(`${what} is answered with 400 and the connection closed`, async () => {
		for (const request of requests)
			await assertRefused(request, 400);
	});
}

test('another transfer coding than chunked is refused', async () => {
	for (const coding of ['xchunked', 'gzip, chunked', 'chunked, identity', 'identity', 'chunked, chunked', 'chunked;q=1', '"chunked"', ''])
		await assertRefused(`${body(`Transfer-Encoding: ${coding}`)}0\r\n\r\n`, 400, 501);
	await assertRefused(`${body('Transfer-Encoding: chunked', 'Transfer-Encoding: identity')}0\r\n\r\n`, 400, 501);
});

test('chunked bodies work, with extensions and trailers, and the next request is the next one', async () => {
	const bodies = [
		chunk(UNKNOWN) + chunk(''),
		[...UNKNOWN].map(chunk).join('') + chunk(''),
		`00${chunk(UNKNOWN)}0000\r\n\r\n`,
		`${Buffer.byteLength(UNKNOWN).toString(16).toUpperCase()};name="va;lue"\r\n${UNKNOWN}\r\n0;last\r\n\r\n`,
		`${chunk(UNKNOWN)}0\r\nX-Trailer: one\r\nGET: /v1/auth/me\r\n\r\n`,
	];
	for (const one of bodies) {
		const { responses } = await exchange(receipts('Transfer-Encoding: chunked') + one + get('/v1/auth/me', 'X-Request-Id: second', 'Connection: close'));
		assert.deepEqual(responses.map((answer) => answer.body.error), ['MESSAGE_NOT_FOUND', 'UNAUTHORIZED'], one);
		assert.equal(responses[1].headers['x-request-id'], 'second');
	}
});

test('a request may be split between any two bytes', async () => {
	const requests = [
		[get(`/v1/users/resolve?username=${ala.username}`, bearer(), 'Connection: close'), (answer) => answer.body.userId === ala.userId],
		[receipts('Connection: close', `Content-Length: ${UNKNOWN.length}`) + UNKNOWN, (answer) => answer.body.error === 'MESSAGE_NOT_FOUND'],
		[`${receipts('Connection: close', 'Transfer-Encoding: chunked')}${chunk(UNKNOWN.slice(0, 9))}${chunk(UNKNOWN.slice(9))}0\r\nX-T: 1\r\n\r\n`, (answer) => answer.body.error === 'MESSAGE_NOT_FOUND'],
	];
	for (const [request, isGood] of requests) {
		const tokenAt = request.indexOf(ala.accessToken);
		// the middle of the token is 300 times the same thing
		const places = Array.from({ length: request.length - 1 }, (_, i) => i + 1).filter((at) => at < tokenAt + 4 || at > tokenAt + ala.accessToken.length - 4);
		for (let from = 0; from < places.length; from += 24) {
			await Promise.all(places.slice(from, from + 24).map(async (at) => {
				const { responses } = await exchange([request.slice(0, at), request.slice(at)], { pauseMs: 3 });
				assert.equal(responses.length, 1, `split at ${at}`);
				assert.ok(isGood(responses[0]), `split at ${at}: ${responses[0].text}`);
			}));
		}
		const { responses } = await exchange([...request], { pauseMs: 0 });
		assert.ok(isGood(responses[0]), 'byte by byte');
	}
});

test('pipelined requests are answered in order', async () => {
	const ids = Array.from({ length: 30 }, (_, i) => `pipe-${i}`);
	const requests = ids.map((id, i) => (i % 3 === 1
		? receipts(`X-Request-Id: ${id}`, `Content-Length: ${UNKNOWN.length}`) + UNKNOWN
		: i % 3 === 2 ? receipts(`X-Request-Id: ${id}`, 'Transfer-Encoding: chunked') + chunk(UNKNOWN) + chunk('') : get('/v1/auth/me', `X-Request-Id: ${id}`, bearer())));
	const { responses } = await exchange(requests.join('') + get('/v1/auth/me', 'Connection: close'));
	assert.deepEqual(responses.map((answer) => answer.headers['x-request-id']).slice(0, 30), ids);
	assert.deepEqual(responses.map((answer) => answer.status), [...ids.map((_, i) => (i % 3 ? 404 : 200)), 401]);
});

test('Expect: 100-continue is answered before the body comes', async () => {
	const raw = await openRaw(server);
	await raw.write(receipts('Expect: 100-continue', `Content-Length: ${UNKNOWN.length}`));
	assert.match(await raw.readUntil('\r\n\r\n'), /^HTTP\/1\.1 100 [^\r]*\r\n\r\n$/);
	await raw.write(UNKNOWN);
	await raw.readUntil('MESSAGE_NOT_FOUND');
	raw.destroy();
});

test('a request that is refused by its head gets no 100', async () => {
	const raw = await openRaw(server);
	await raw.write(lines('POST /v1/auth/login HTTP/1.1', 'Host: convro', 'Expect: 100-continue', 'Content-Length: 5000000', ''));
	assert.match(await raw.readUntil('BODY_TOO_LARGE'), /^HTTP\/1\.1 413 /);
	raw.destroy();
});

test('any other expectation is 417', async () => {
	for (const value of ['200-ok', 'x'])
		await assertRefused(body(`Expect: ${value}`, 'Content-Length: 0'), 417);
});

test('a request line above 8 KiB is 414, below it is served', async () => {
	const line = (bytes) => get(`/${'x'.repeat(bytes - 'GET / HTTP/1.1'.length)}`, 'Connection: close');
	assert.equal((await exchange(line(8190))).responses[0].status, 404);
	await assertRefused(line(8195), 414);
	await assertRefused(`GET /${'x'.repeat(100000)}`, 414); // no end in sight
});

test('a header block above 16 KiB or 64 fields is 431, below it is served', async () => {
	const fields = (count, bytes) => Array.from({ length: count }, (_, i) => `X-${String(i).padStart(2, '0')}: ${'v'.repeat(bytes)}`);
	for (const few of [fields(62, 10), fields(60, 240)]) // Host and Connection come on top
		assert.equal((await exchange(get('/v1/auth/me', ...few, 'Connection: close'))).responses[0].status, 401);
	for (const many of [fields(64, 1), fields(40, 500), fields(1, 17000)])
		await assertRefused(get('/v1/auth/me', ...many), 431);
});

test('after 413 the answer can be read, however much was on its way', async () => {
	const big = 'x'.repeat(6 << 20);
	for (const request of [lines('POST /v1/auth/login HTTP/1.1', 'Host: convro', `Content-Length: ${big.length}`, '') + big,
		`${lines('POST /v1/auth/login HTTP/1.1', 'Host: convro', 'Transfer-Encoding: chunked', '')}${chunk(big)}${chunk('')}`]) {
		const { responses } = await exchange(request);
		assert.equal(responses.length, 1);
		assert.equal(responses[0].status, 413);
		assert.equal(responses[0].body.error, 'BODY_TOO_LARGE');
	}
});

test('a body of exactly 1 MiB is read, one byte more is not', async () => {
	for (const [bytes, code] of [[1 << 20, 'MISSING_LOGIN_IDENTIFIER'], [(1 << 20) + 1, 'BODY_TOO_LARGE']]) {
		const text = '{"password":"x"}'.padEnd(bytes, ' ');
		assert.equal((await server.http.post('/v1/auth/login', text)).body.error, code);
		const { responses } = await exchange(`${lines('POST /v1/auth/login HTTP/1.1', 'Host: convro', 'Connection: close', 'Transfer-Encoding: chunked', '')}${chunk(text)}${chunk('')}`);
		assert.equal(responses[0].body.error, code);
	}
});

test('a request that is not complete in time is 408', async (t) => {
	const impatient = await startServer({ set: { ...QUICK, 'server.request_timeout': '1s', 'server.idle_timeout': '1s' } });
	t.after(() => impatient.stop());
	const starts = ['GET /hea', 'GET /health HTTP/1.1\r\nHost: con', lines('POST /v1/auth/login HTTP/1.1', 'Host: convro', 'Content-Length: 10', ''),
		`${lines('POST /v1/auth/login HTTP/1.1', 'Host: convro', 'Transfer-Encoding: chunked', '')}5\r\n{`];
	await Promise.all(starts.map(async (start) => {
		const { responses, closed } = await rawExchange(impatient, start, { timeoutMs: 10000 });
		assert.deepEqual([responses.length, responses[0]?.status, closed], [1, 408, true], start);
	}));

	const idle = await rawExchange(impatient, '', { timeoutMs: 10000 });
	assert.deepEqual([idle.text, idle.closed], ['', true], 'who says nothing is told nothing');

	const trickle = await openRaw(impatient); // a byte now and then does not help
	for (const byte of `GET /health HTTP/1.1\r\nX-A: ${'a'.repeat(200)}`) {
		if (trickle.isClosed())
			break;
		await trickle.write(byte);
		await sleep(50);
	}
	assert.match(await trickle.readUntil('HTTP/1.1'), /^HTTP\/1\.1 408 /);
	trickle.destroy();
});

test('anything but HTTP/1.0 and 1.1 is 505', async () => {
	for (const version of ['HTTP/2.0', 'HTTP/1.2', 'HTTP/0.9', 'HTTP/9.9'])
		await assertRefused(lines(`GET /health ${version}`, 'Host: convro', ''), 505);
});

test('HTTP/1.0 needs no Host and is closed after the answer', async () => {
	const { responses, closed } = await exchange(lines('GET /v1/auth/me HTTP/1.0', bearer(), ''));
	assert.deepEqual([responses.length, responses[0].status, closed], [1, 200, true]);
	assert.equal(responses[0].body.userId, ala.userId);
});

test('a connection lives on after an answer, and ends when close is asked for, in a list too', async () => {
	const kept = await openRaw(server);
	for (let i = 0; i < 3; i++) {
		await kept.write(get('/v1/auth/me', `X-Request-Id: kept-${i}`));
		await kept.readUntil(`"kept-${i}"`);
	}
	assert.equal(kept.isClosed(), false);
	await kept.write(get('/v1/auth/me', 'Connection: x-thing, Close'));
	assert.equal(await kept.closed(10000), true);
	kept.destroy();
});

test('HEAD has the length of the answer and no body', async () => {
	const request = (method, ...more) => lines(`${method} /v1/auth/me HTTP/1.1`, 'Host: convro', bearer(), ...more, '');
	const raw = await openRaw(server);
	await raw.write(request('HEAD') + request('GET', 'Connection: close'));
	const [head, second] = (await raw.readAll(10000)).toString('latin1').split('\r\n\r\n');
	assert.match(head, /^HTTP\/1\.1 200 /);
	assert.match(second, /^HTTP\/1\.1 200 /, 'the next answer follows at once');
	const length = (block) => /^content-length: *([0-9]+)/im.exec(block)[1];
	assert.equal(length(head), length(second));
});

test('half a connection is enough to be answered', async () => {
	const { responses } = await exchange(get('/v1/auth/me', bearer()), { end: true });
	assert.equal(responses[0].status, 200);
});
