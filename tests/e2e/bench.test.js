// SPDX-License-Identifier: Apache-2.0
/*
 * The Node server that ./dev bench measures Convro beside answers like Convro: else the comparison would be
 * with something that does less. Both on one store, so what they read has to be equal, not only alike.
 */
import { test, before, after } from 'node:test';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { QUICK } from './kit/contract.js';
import { HttpClient } from './kit/http.js';
import { openSession, register } from './kit/people.js';
import { freePort, root, startServer } from './kit/server.js';
import { connectRefused, connectSocket } from './kit/socket.js';

const peerDir = path.join(root, 'tests/bench/peer-node');
const skip = fs.existsSync(path.join(peerDir, 'node_modules')) ? false : `npm ci --prefix ${path.relative('', peerDir)} was not run`;

let server, peer, ala, bob, session;

async function startPeer() {
	const port = await freePort();
	const child = spawn('node', [path.join(peerDir, 'server.js'), '--port', String(port), '--database', server.database.url,
		'--secret', server.secretFile, '--connections', '2'], { stdio: ['ignore', 'inherit', 'pipe'] });
	process.on('exit', () => child.kill('SIGKILL'));
	child.stderr.setEncoding('utf8');
	let log = '';
	while (!log.includes('listening on')) {
		const [chunk] = await Promise.race([once(child.stderr, 'data'), once(child, 'exit')]);
		assert.equal(typeof chunk, 'string', `the peer ended before it listened: ${log}`);
		log += chunk;
	}
	child.stderr.pipe(process.stderr);
	const url = `http://127.0.0.1:${port}`;
	return { url, port, child, http: new HttpClient(url) };
}

before(async () => {
	if (skip)
		return;
	server = await startServer({ engine: 'postgresql', set: QUICK });
	peer = await startPeer();
	ala = await register(server, { username: 'ala', fullName: 'Ala Kot' });
	bob = await register(server);
	await bob.uploadPrekeys(4);
	session = await openSession(ala, bob);
	for (let i = 0; i < 3; i++)
		await session.initiator.send(`message ${i}`, i === 0 ? { clientTimestampMs: 1767225600123 } : { clientMessageId: i === 1 ? randomUUID() : 'żółw' });
	await session.responder.send('answer');
});

after(async () => {
	peer?.http.close();
	if (peer?.child.kill('SIGTERM'))
		await once(peer.child, 'exit');
	await server?.stop();
});

/** What differs between any two answers is taken out: ids of requests and sentences for people. */
function comparable({ status, body }) {
	const { requestId, message, ...rest } = body ?? {};
	return { status, requestId: typeof requestId, ...rest };
}

async function both(request) {
	return [await server.http.request(request), await peer.http.request(request)];
}

const reads = (person) => [
	'/v1/auth/me', '/v1/users/resolve?username=@ALA', `/v1/users/resolve?convroNumber=${encodeURIComponent(bob.convroNumber)}`,
	`/v1/dm/messages/history?sessionId=${session.sessionId}`, `/v1/dm/messages/history?session_id=${session.sessionId}&limit=2`,
	`/v1/dm/messages/history?sessionId=${session.sessionId}&afterId=0&limit=1`,
	'/v1/dm/messages/conversations', '/v1/dm/conversations?limit=1',
].map((url) => ({ method: 'GET', path: url, token: person.accessToken }));

test('the peer reads what Convro reads', { skip }, async () => {
	for (const person of [ala, bob]) {
		for (const request of reads(person)) {
			const [ours, theirs] = await both(request);
			assert.equal(ours.status, 200, request.path);
			assert.deepEqual(theirs.body, ours.body, request.path);
			assert.equal(theirs.headers['cache-control'], ours.headers['cache-control']);
			assert.equal(theirs.headers['content-type'].replace(' ', ''), ours.headers['content-type'].replace(' ', ''));
			assert.ok(theirs.headers['x-request-id']);
		}
	}
});

test('the peer stores what Convro stores', { skip }, async () => {
	const token = ala.accessToken;
	const body = () => ({ ...session.initiator.seal('hello'), clientMessageId: randomUUID() });
	const at = (target, sent) => target.http.post('/v1/dm/messages/send', sent, token);
	const mine = body(), theirs = body();
	const answers = [await at(server, mine), await at(peer, theirs)];
	for (const { status } of answers)
		assert.equal(status, 201);
	const [convro, node] = answers.map((answer) => answer.body);
	assert.equal(node.id, convro.id + 1);
	assert.deepEqual(Object.keys(node).sort(), Object.keys(convro).sort());
	assert.deepEqual(Object.values(node).map((value) => typeof value).sort(), Object.values(convro).map((value) => typeof value).sort());
	// The one knows what the other has stored.
	assert.deepEqual(comparable(await at(server, theirs)), { ...comparable({ status: 200, body: node }), deduped: true });
	assert.deepEqual(comparable(await at(peer, mine)), { ...comparable({ status: 200, body: convro }), deduped: true });
	const page = `/v1/dm/messages/history?sessionId=${session.sessionId}`;
	const [history, same] = await both({ method: 'GET', path: page, token });
	assert.deepEqual(same.body, history.body);
	assert.deepEqual(history.body.messages.slice(-2).map(({ id }) => id), [convro.id, node.id]);
	const [list, sameList] = await both({ method: 'GET', path: '/v1/dm/messages/conversations', token: bob.accessToken });
	assert.deepEqual(sameList.body, list.body);
});

test('the peer refuses what Convro refuses', { skip }, async () => {
	const token = ala.accessToken;
	const good = { ...session.initiator.seal('x'), clientMessageId: randomUUID() };
	const post = (change) => ({ method: 'POST', path: '/v1/dm/messages/send', token, body: { ...good, ...change } });
	const get = (url, as = token) => ({ method: 'GET', path: url, token: as });
	const requests = [
		post({ sessionId: 'xyz' }), post({ sessionId: '00000000' }), post({ ciphertext: '%' }), post({ ciphertext: '' }),
		post({ ciphertext: 'A'.repeat(4 * 21850) }), post({ authTag: 'AAAA' }), post({ clientMessageId: 'x'.repeat(65) }),
		post({ clientTimestamp: 'today' }), post({ recipientDeviceId: ala.deviceId }), post({ c6pVersion: 'one' }),
		{ ...post(), token: undefined }, { ...post(), token: 'a.b.c' }, { ...post(), body: '{' }, { ...post(), body: '[]' },
		get('/v1/dm/messages/history'), get(`/v1/dm/messages/history?sessionId=${session.sessionId}&limit=0`),
		get('/v1/dm/messages/history?sessionId=00000000'), get(`/v1/dm/messages/history?sessionId=${session.sessionId}&afterId=1&beforeId=2`),
		get('/v1/dm/messages/conversations?cursor=x'), get('/v1/users/resolve'), get('/v1/users/resolve?username=nobody'),
		get('/v1/users/resolve?convroNumber=1'), get('/v1/prekeys/bundle'), get('/v1/prekeys/bundle?user_id=1'),
		get(`/v1/prekeys/bundle?user_id=${ala.userId}`), get(`/v1/prekeys/bundle?user_id=${bob.userId}&device_id=${ala.deviceId}`),
		get('/v1/auth/me', null), get('/v1/nothing'),
		{ method: 'POST', path: '/v1/auth/login', body: { password: 'x' } },
		{ method: 'POST', path: '/v1/auth/login', body: { username: 'ala', password: 'wrong password' } },
		{ method: 'POST', path: '/v1/auth/login', body: { username: 'nobody', password: 'wrong password' } },
		{ method: 'POST', path: '/v1/auth/login', body: { username: 'ala', password: ala.password, deviceId: bob.deviceId } },
	];
	for (const request of requests) {
		const [ours, theirs] = await both(request);
		assert.ok(ours.status >= 400, request.path);
		assert.deepEqual(comparable(theirs), comparable(ours), `${request.path} ${JSON.stringify(request.body)?.slice(0, 200)}`);
		assert.equal(theirs.headers['www-authenticate'], ours.headers['www-authenticate']);
	}
});

test('the peer hands out each one-time key once, as Convro does, and the same keys beside it', { skip }, async () => {
	const request = { method: 'GET', path: `/v1/prekeys/bundle?user_id=${bob.userId}`, token: ala.accessToken };
	const answers = [];
	for (let i = 0; i < 3; i++)
		answers.push(...await both(request));
	const ids = answers.map(({ body }) => body.oneTimePrekeyId).filter((id) => id !== null);
	assert.ok(ids.length >= 2, 'keys were there');
	assert.equal(new Set(ids).size, ids.length);
	const [last, sameLast] = await both(request);
	assert.deepEqual(sameLast.body, last.body);
	assert.equal(last.body.oneTimePrekeyId, null);
});

test('a login at the peer is good at Convro, and the other way round', { skip }, async () => {
	const body = { convroNumber: ala.convroNumber, password: ala.password, deviceId: ala.deviceId };
	const answers = await both({ method: 'POST', path: '/v1/auth/login', body });
	const [ours, theirs] = answers.map((answer) => { assert.equal(answer.status, 200); return answer.body; });
	assert.deepEqual({ ...theirs, accessToken: '', refreshToken: '' }, { ...ours, accessToken: '', refreshToken: '' });
	for (const { accessToken } of [ours, theirs]) {
		const [me, sameMe] = await both({ method: 'GET', path: '/v1/auth/me', token: accessToken });
		assert.equal(me.status, 200);
		assert.deepEqual(sameMe.body, me.body);
	}
});

test('health has one shape', { skip }, async () => {
	const [ours, theirs] = await both({ method: 'GET', path: '/health' });
	assert.equal(theirs.status, ours.status);
	assert.deepEqual(Object.keys(theirs.body), Object.keys(ours.body));
});

test('the peer pushes the row to the recipient, and lets nobody in without a token', { skip }, async () => {
	const socket = await connectSocket(peer, bob);
	const { status, body } = await peer.http.post('/v1/dm/messages/send', session.initiator.seal('pushed'), ala.accessToken);
	assert.equal(status, 201);
	const { ok, deduped, ...row } = body;
	assert.deepEqual(await socket.waitFor('dm.message', ({ id }) => id === row.id), row);
	socket.close();
	const error = await connectRefused(peer, { auth: { token: 'a.b.c' } });
	assert.deepEqual([error.message, error.data], ['TOKEN_INVALID', { error: 'TOKEN_INVALID' }]);
});
