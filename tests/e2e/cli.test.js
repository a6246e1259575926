// SPDX-License-Identifier: Apache-2.0
// The program's command line: what an operator asks of it without a client.
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync, chmodSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { buildDir as build, runOnce, startServer } from './kit/server.js';
import { register } from './kit/people.js';

const modules = ['status', 'auth', 'users', 'prekeys', 'dm_sessions', 'dm_messages', 'receipts', 'socketio', 'dm_typing', 'ratelimit'];
let dir;

before(() => { dir = mkdtempSync(path.join(tmpdir(), 'convro-cli-')); });
after(() => rmSync(dir, { recursive: true, force: true }));

function file(name, text, mode = 0o600) {
	const at = path.join(dir, name);
	writeFileSync(at, text, { mode });
	chmodSync(at, mode);
	return at;
}

const secret = () => file('secret', randomBytes(32).toString('hex'));

function config(extra = '', server = '') {
	return file('convro.conf', `[server]
listen = 127.0.0.1:0
module_dir = ${build}/modules
driver_dir = ${build}/drivers
${server}
[storage]
path = ${dir}/convro.db
[auth]
secret_file = ${secret()}
${extra}`);
}

test('--version names the program and its abi', async () => {
	const { code, stdout } = await runOnce(['--version']);
	assert.equal(code, 0);
	assert.match(stdout, /^convrod \d+\.\d+\.\d+ \(abi 1\.0\)\n$/);
});

test('--check finds nothing wrong with a good file', async () => {
	const { code, stdout } = await runOnce(['--check', config()]);
	assert.equal(code, 0);
	assert.match(stdout, /no mistakes/);
});

test('--check names all mistakes at once, with file and line', async () => {
	const at = config('access_token_ttl = soon\nno_such_option = 1\n[no_such_module]\nx = 1\n[ratelimit]\nsend = many\n');
	const lines = readFileSync(at, 'utf8').split('\n');
	const { code, stderr } = await runOnce(['--check', at]);
	assert.equal(code, 1);
	for (const text of ['access_token_ttl = soon', 'no_such_option = 1', 'x = 1', 'send = many'])
		assert.ok(stderr.includes(`${at}:${lines.indexOf(text) + 1}: `), `${text} in ${stderr}`);
});

test('--check judges the file without touching the store', async () => {
	await runOnce(['--check', config()]);
	assert.throws(() => readFileSync(path.join(dir, 'convro.db')), { code: 'ENOENT' });
});

test('a secret that others can read is refused', async () => {
	const at = config();
	chmodSync(path.join(dir, 'secret'), 0o644);
	const { code, stderr } = await runOnce(['--check', at]);
	assert.equal(code, 1);
	assert.match(stderr, /secret/);
});

test('a secret on the command line or in the file itself is refused', async () => {
	const onLine = await runOnce(['--config', config(), '--set', 'auth.secret=0123456789abcdef0123456789abcdef']);
	assert.notEqual(onLine.code, 0);
	assert.doesNotMatch(onLine.stderr, /0123456789abcdef/);
	const inFile = await runOnce(['--check', config('secret = 0123456789abcdef0123456789abcdef\n')]);
	assert.equal(inFile.code, 1);
	assert.doesNotMatch(inFile.stderr, /0123456789abcdef/);
});

test('a database password in the URL is refused, and not repeated', async () => {
	const { code, stderr } = await runOnce(['--check', config(), '--set', 'storage.url=postgresql://convro:hunter2@localhost/convro']);
	assert.notEqual(code, 0);
	assert.doesNotMatch(stderr, /hunter2/);
});

test('--describe prints what a module adds, without starting it', async () => {
	const { code, stdout } = await runOnce(['--describe', `${build}/modules/users.so`]);
	assert.equal(code, 0);
	assert.match(stdout, /^module +users /m);
	assert.match(stdout, /GET +\/v1\/users\/resolve/);
	assert.match(stdout, /needs +auth\.v1/);
});

test('--describe says what is wrong with a file that is no module', async () => {
	const { code, stderr } = await runOnce(['--describe', file('not_a_module.so', 'hello')]);
	assert.notEqual(code, 0);
	assert.match(stderr, /not_a_module\.so/);
});

test('an unknown argument is answered with the usage', async () => {
	const { code, stderr } = await runOnce(['--no-such-argument']);
	assert.equal(code, 2);
	assert.match(stderr, /--no-such-argument/);
});

test('what needs a module that is left out refuses to start with a sentence', async () => {
	const left = modules.filter((name) => name !== 'dm_messages');
	const { code, stderr } = await runOnce(['--config', config('', `modules = ${left.join(' ')}\n`)]);
	assert.notEqual(code, 0);
	assert.match(stderr, /module receipts needs the service dm_messages\.v1/);
});

test('bearer routes without an authenticator refuse to start with a sentence', async () => {
	const { code, stderr } = await runOnce(['--config', config('', 'modules = users\n')]);
	assert.notEqual(code, 0);
	assert.match(stderr, /auth\.v1/);
});

test('a module that others may write is refused', async () => {
	const copy = file('users.so', readFileSync(`${build}/modules/users.so`), 0o666);
	const { code, stderr } = await runOnce(['--config', config('', `modules = auth ${copy}\n`)]);
	assert.notEqual(code, 0);
	assert.match(stderr, /writable by others/);
});

test('a module under another name is refused', async () => {
	const copy = file('people.so', readFileSync(`${build}/modules/users.so`), 0o644);
	const { code, stderr } = await runOnce(['--config', config('', `modules = auth ${copy}\n`)]);
	assert.notEqual(code, 0);
	assert.match(stderr, /describes itself as "users"/);
});

test('a module left out takes its routes with it, the others stay', async () => {
	const server = await startServer({ modules: modules.filter((name) => name !== 'users') });
	try {
		const ala = await register(server);
		assert.equal((await server.http.get('/v1/users/resolve?username=ala', ala.accessToken)).status, 404);
		assert.equal((await server.http.get('/v1/auth/me', ala.accessToken)).status, 200);
		const openapi = (await server.http.get('/openapi.json')).body;
		assert.equal(openapi.paths['/v1/users/resolve'], undefined);
		assert.notEqual(openapi.paths['/v1/auth/me'], undefined);
	} finally {
		await server.stop();
	}
});

test('a second server on the same store is refused', async () => {
	const server = await startServer();
	try {
		const { code, stderr } = await runOnce(['--config', server.configFile, '--set', 'server.listen=127.0.0.1:0']);
		assert.notEqual(code, 0);
		assert.match(stderr, /another|lock|in use|second/);
	} finally {
		await server.stop();
	}
});
