// SPDX-License-Identifier: Apache-2.0
/*
 * The store goes away under a running server and comes back. Wire contract, section 1: 503 with Retry-After,
 * never a hang; what was acknowledged stays, what was refused is there once at most.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { QUICK } from './kit/contract.js';
import { HttpClient, assertError } from './kit/http.js';
import { assertStatus, openSession, register } from './kit/people.js';
import { startCluster } from './kit/postgres.js';
import { defaultEngine, runOnce, startServer } from './kit/server.js';
import { connectSocket } from './kit/socket.js';

const ANSWER_MS = 20000; // ten times the server's own limit: the machine may be busy
const SETTINGS = { ...QUICK, 'server.answer_timeout': '2s', 'storage.connect_timeout': '1s' };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const random = (bytes) => crypto.randomBytes(bytes).toString('base64');
const onPostgresql = { skip: defaultEngine !== 'postgresql' && 'SQLite has no server that could go away' };
const onSqlite = { skip: defaultEngine !== 'sqlite' && 'PostgreSQL looks after its own files' };

/** 503, whichever of the two codes says why. */
function assertAway(answer) {
	assert.equal(answer.status, 503, answer.text);
	return assertError(answer, 503, answer.body.error === 'OVERLOADED' ? 'OVERLOADED' : 'DB_UNAVAILABLE');
}

async function bounded(promise) {
	const begin = Date.now();
	const answer = await promise;
	assert.ok(Date.now() - begin < ANSWER_MS, `answered after ${Date.now() - begin} ms`);
	return answer;
}

/** Until every worker reads again (so many new connections reach them all), and the writer writes. */
async function backAgain(server) {
	const isBack = async () => {
		const fresh = new HttpClient(server.url);
		const answers = await Promise.all(Array.from({ length: 32 }, () => fresh.get('/health')));
		answers.push(await fresh.post('/v1/auth/register', { password: 'correct horse' }));
		fresh.close();
		return answers.every(({ status }) => status < 300);
	};
	for (let tries = 0; !await isBack(); tries++) {
		assert.ok(tries < 300, `still degraded:\n${server.log()}`);
		await sleep(100);
	}
}

/** Sends until told to stop; every body ends in `acknowledged` or in `refused`. */
function startSending({ sessionId, initiator: { person } }) {
	const sending = { acknowledged: new Map(), refused: [], going: true };
	const lane = async () => {
		while (sending.going) {
			const body = { sessionId, clientMessageId: crypto.randomUUID(), ciphertext: random(100), authTag: random(16) };
			const answer = await bounded(person.post('/v1/dm/messages/send', body));
			if (answer.status === 201) {
				sending.acknowledged.set(body.clientMessageId, answer.body.id);
			} else {
				sending.refused.push(assertAway(answer) && body);
				await sleep(20);
			}
		}
	};
	const lanes = Promise.all(Array.from({ length: 6 }, lane));
	lanes.catch(() => {}); // told when it is stopped
	sending.stop = () => { sending.going = false; return lanes; };
	return sending;
}

async function moreThan(collection, count) {
	const size = () => collection.size ?? collection.length;
	for (let tries = 0; size() <= count; tries++) {
		assert.ok(tries < 1500, `${size()}, not more than ${count}`);
		await sleep(20);
	}
}

/** Each acknowledged message is stored, nothing is stored twice, and sending again settles the refused ones. */
async function assertSettled(session, { acknowledged, refused }) {
	const rows = await session.responder.allRows();
	const stored = new Map(rows.map((row) => [row.clientMessageId, row.id]));
	assert.equal(stored.size, rows.length, 'a message is stored twice');
	for (const [clientId, id] of acknowledged)
		assert.equal(stored.get(clientId), id);
	const known = new Set([...acknowledged.keys(), ...refused.map((body) => body.clientMessageId)]);
	assert.deepEqual([...stored.keys()].filter((clientId) => !known.has(clientId)), []);
	for (const body of refused) {
		const answer = await session.initiator.person.post('/v1/dm/messages/send', body);
		assertStatus(answer, stored.has(body.clientMessageId) ? 200 : 201);
	}
	assert.equal((await session.responder.allRows()).length, known.size);
}

/** What a server without store still does, and how it refuses the rest. */
async function assertDegraded(server, person) {
	const health = await bounded(server.http.get('/health'));
	assert.equal(health.status, 503);
	assert.deepEqual([health.body.status, health.body.db], ['degraded', 'down']);
	assertStatus(await bounded(server.http.get('/')), 200);
	assertStatus(await bounded(server.http.get('/openapi.json')), 200);
	assertError(await bounded(server.http.get('/v1/auth/me')), 401, 'UNAUTHORIZED');
	const { refreshToken } = person;
	const refused = await Promise.all([
		person.get('/v1/auth/me'),
		person.get('/v1/auth/devices'),
		person.get('/v1/users/resolve?username=nobody'),
		person.get('/v1/dm/sessions/incoming'),
		person.get('/v1/dm/messages/conversations'),
		person.bundle(person),
		person.post('/v1/prekeys/upload', person.prekeyBody(1)),
		server.http.post('/v1/auth/register', { password: 'correct horse' }),
		server.http.post('/v1/auth/login', { convroNumber: person.convroNumber, password: person.password }),
		server.http.post('/v1/auth/refresh', { refreshToken }),
	].map(bounded));
	for (const answer of refused)
		assertAway(answer);
	return refused.map((answer) => answer.body.error);
}

let cluster;
let server;
let session;
before(async () => {
	if (onPostgresql.skip)
		return;
	cluster = await startCluster();
	server = await startServer({ set: SETTINGS, cluster });
	session = await openSession(await register(server), await register(server));
});
after(async () => {
	try {
		await server?.stop();
	} finally {
		await cluster?.stop();
	}
});

test('a PostgreSQL that crashes and comes back loses nothing that was acknowledged', onPostgresql, async () => {
	const { pid } = server;
	const { person } = session.responder;
	const sending = startSending(session);
	for (let round = 0; round < 2; round++) {
		await moreThan(sending.acknowledged, sending.acknowledged.size + 100);
		await cluster.crash();
		await moreThan(sending.refused, sending.refused.length + 20);
		assert.ok((await assertDegraded(server, person)).includes('DB_UNAVAILABLE'));
		await cluster.start();
		await backAgain(server);
		await moreThan(sending.acknowledged, sending.acknowledged.size + 20);
		assertStatus(await person.get('/v1/auth/me'), 200);
		await person.refresh();
	}
	await sending.stop();
	await assertSettled(session, sending);
	assert.equal(server.pid, pid);
});

test('a PostgreSQL that hangs makes nobody wait for ever, and goes on when it is back', onPostgresql, async () => {
	const fresh = await openSession(await register(server), await register(server));
	const { person } = fresh.responder;
	const sending = startSending(fresh);
	await moreThan(sending.acknowledged, 50);
	cluster.freeze();
	try {
		await moreThan(sending.refused, 6);
		await assertDegraded(server, person);
	} finally {
		cluster.thaw();
	}
	await backAgain(server);
	await moreThan(sending.acknowledged, sending.acknowledged.size + 20);
	await sending.stop();
	await assertSettled(fresh, sending);
	assertStatus(await person.get('/v1/auth/me'), 200);
});

test('a PostgreSQL that hangs and then crashes is left behind', onPostgresql, async () => {
	const fresh = await openSession(await register(server), await register(server));
	const sending = startSending(fresh);
	await moreThan(sending.acknowledged, 50);
	cluster.freeze();
	await moreThan(sending.refused, 3);
	await cluster.crash();
	await cluster.start();
	await backAgain(server);
	await moreThan(sending.acknowledged, sending.acknowledged.size + 20);
	await sending.stop();
	await assertSettled(fresh, sending);
});

test('sockets stay while PostgreSQL is away, and are told what comes afterwards', onPostgresql, async () => {
	const { initiator, responder } = await openSession(await register(server), await register(server));
	const socket = await connectSocket(server, responder.person);
	await cluster.crash();
	assertAway(await bounded(initiator.person.post('/v1/dm/messages/send', initiator.seal('lost on the way'))));
	await cluster.start();
	await backAgain(server);
	const body = { sessionId: responder.sessionId, ciphertext: random(100), authTag: random(16) };
	const { body: row } = assertStatus(await initiator.person.post('/v1/dm/messages/send', body), 201);
	await socket.waitFor('dm.message', (pushed) => pushed.id === row.id);
	assert.equal(socket.connected, true);
	socket.close();
});

test('a server whose PostgreSQL is away says so and does not start', onPostgresql, async () => {
	const own = await startCluster();
	try {
		const late = await startServer({ set: SETTINGS, cluster: own });
		try {
			await late.kill();
			await own.crash();
			await assert.rejects(late.start(), /could not|connect/);
			await own.start();
			await late.start();
			assertStatus(await late.http.get('/health'), 200);
		} finally {
			await late.stop();
		}
	} finally {
		await own.stop();
	}
});

/** A file system of so many bytes for `use`; false when this machine does not allow it. */
async function onSmallDisk(size, use) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'convro-disk-'));
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'convro-test', dir], { stdio: 'pipe' });
	} catch {
		fs.rmdirSync(dir);
		return false;
	}
	try {
		await use(dir);
	} finally {
		execFileSync('umount', [dir]);
		fs.rmdirSync(dir);
	}
	return true;
}

test('a full disk refuses writes, not reads, and is forgotten when there is room', onSqlite, async (t) => {
	const ran = await onSmallDisk('24m', async (dir) => {
		const own = await startServer({ set: { ...QUICK, 'storage.path': path.join(dir, 'convro.db') } });
		try {
			const { sessionId, initiator, responder } = await openSession(await register(own), await register(own));
			const send = (bytes) => bounded(initiator.person.post('/v1/dm/messages/send', { sessionId, ciphertext: random(bytes), authTag: random(16) }));
			const { body: first } = assertStatus(await send(100), 201);
			const ballast = path.join(dir, 'ballast');
			const fill = () => {
				const { bavail, bsize } = fs.statfsSync(dir);
				fs.appendFileSync(ballast, Buffer.alloc(bavail * bsize));
			};
			fill();
			const acknowledged = [first.id];
			let refused;
			for (let tries = 0; !refused; tries++) {
				const answer = await send(30000);
				if (answer.status === 201)
					acknowledged.push(answer.body.id);
				else
					refused = answer;
				assert.ok(tries < 2000, 'never full');
			}
			assertAway(refused);
			assertAway(await bounded(own.http.post('/v1/auth/register', { password: 'correct horse', fullName: 'x'.repeat(100) })));
			assertStatus(await responder.person.get('/v1/auth/me'), 200);
			assert.equal((await responder.history({ direction: 'all' })).messages.length > 0, true);

			fs.rmSync(ballast);
			acknowledged.push(assertStatus(await send(100), 201).body.id);
			await own.restart();
			assert.deepEqual((await responder.allRows()).map((row) => row.id), acknowledged);
		} finally {
			await own.stop();
		}
	});
	if (!ran)
		t.skip('mounting a small file system takes root');
});

/** Starts the server of `own` once more and wants it to refuse with a sentence. */
async function assertRefusesToStart(own, pattern) {
	const from = own.log().length;
	await assert.rejects(own.start(), /convrod ended before it listened \(exit code [1-9]/);
	assert.match(own.log().slice(from), pattern);
	own.assertNoReport();
}

test('a store that is none, or that is damaged, is refused with a sentence', onSqlite, async () => {
	const own = await startServer({ set: QUICK });
	try {
		await register(own);
		const file = path.join(own.dir, 'convro.db');
		await own.end();
		const good = fs.readFileSync(file);
		const away = () => ['', '-wal', '-shm'].forEach((end) => fs.rmSync(file + end, { force: true }));

		away();
		fs.writeFileSync(file, crypto.randomBytes(65536));
		await assertRefusesToStart(own, /convro\.db.*not a database/);

		away();
		const torn = Buffer.from(good);
		torn.fill(0xa5, 100, 8192); // the schema's own page, behind its header
		fs.writeFileSync(file, torn);
		await assertRefusesToStart(own, /convro\.db.*malformed/);

		away();
		fs.mkdirSync(file);
		await assertRefusesToStart(own, /convro\.db/);
		fs.rmdirSync(file);

		fs.writeFileSync(file, good);
		await own.start();
		assertStatus(await own.http.get('/health'), 200);
	} finally {
		await own.stop();
	}
});

test('a store that cannot be written is refused with a sentence', onSqlite, async (t) => {
	const ran = await onSmallDisk('8m', async (dir) => {
		const own = await startServer({ set: { ...QUICK, 'storage.path': path.join(dir, 'convro.db') } });
		try {
			await register(own);
			await own.end();
			execFileSync('mount', ['-o', 'remount,ro', dir]); // file modes do not stop root
			await assertRefusesToStart(own, /convro\.db.*read-?only/i);
			execFileSync('mount', ['-o', 'remount,rw', dir]);
			await own.start();
			await register(own);
		} finally {
			await own.stop();
		}
	});
	if (!ran)
		t.skip('mounting a small file system takes root');
});

test('a store in a directory that is not there is refused with a sentence', onSqlite, async () => {
	const own = await startServer({ set: QUICK });
	try {
		await own.end();
		const config = fs.readFileSync(own.configFile, 'utf8').replace(/^path = .*$/m, `path = ${own.dir}/nowhere/convro.db`);
		fs.writeFileSync(own.configFile, config, { mode: 0o600 });
		const { code, stderr } = await runOnce(['--config', own.configFile]);
		assert.notEqual(code, 0);
		assert.match(stderr, /nowhere\/convro\.db/);
	} finally {
		await own.stop();
	}
});
