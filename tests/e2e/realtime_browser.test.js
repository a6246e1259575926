// SPDX-License-Identifier: Apache-2.0
/* The real socket.io-client in a real browser, on a page of another origin, as a web client of Convro would be. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { QUICK } from './kit/contract.js';
import { openPage } from './kit/page.js';
import { openSession, register } from './kit/people.js';
import { root, startServer } from './kit/server.js';

const CLIENT = fs.readFileSync(path.join(root, 'tests/node_modules/socket.io-client/dist/socket.io.min.js'));
const PAGE = '<!DOCTYPE html><meta charset="utf-8"><link rel="icon" href="data:,"><title>client</title><script src="/client.js"></script>';
const PATIENCE = { timeout: 30000 };

/** The page's own server: two files, nothing else. Every one is an origin of its own. */
async function serveClient() {
	const files = { '/': ['text/html', PAGE], '/client.js': ['text/javascript', CLIENT] };
	const site = http.createServer((request, response) => {
		const [type, body] = files[request.url] ?? ['text/plain', ''];
		response.writeHead(body ? 200 : 404, { 'content-type': type }).end(body);
	});
	await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
	return {
		url: `http://127.0.0.1:${site.address().port}`,
		close: () => { site.closeAllConnections(); site.close(); },
	};
}

let site;
let stranger;
let server;
let opened;
let page;
before(async () => {
	[site, stranger] = [await serveClient(), await serveClient()];
	server = await startServer({ set: { ...QUICK, 'server.cors_origins': site.url } });
	opened = await openPage(site);
	({ page } = opened);
});
after(async () => {
	await opened?.close();
	site?.close();
	stranger?.close();
	await server?.stop();
});

/** Connects in the page; `window.client` is what the page knows. */
const connectIn = (on, person, transports) => on.evaluate(([url, token, wanted]) => {
	window.client?.socket.disconnect();
	const client = { rows: [], errors: [], upgrades: [] };
	window.client = client;
	client.socket = window.io(url, {
		auth: (tell) => tell({ token, afterId: client.rows.at(-1)?.id ?? 0, acks: true }),
		transports: wanted,
		forceNew: true,
		reconnectionDelay: 100,
		reconnectionDelayMax: 500,
	});
	client.socket.on('dm.message', (row, acknowledge) => { client.rows.push(row); acknowledge?.(); });
	client.socket.on('connect_error', (error) => client.errors.push(error.message));
	client.socket.io.on('open', () => client.socket.io.engine.on('upgrade', ({ name }) => client.upgrades.push(name)));
}, [server.url, person.accessToken, transports]);

const connected = (on = page) => on.waitForFunction(() => window.client.socket.connected, undefined, PATIENCE);
const received = async (id) => {
	await page.waitForFunction((wanted) => window.client.rows.some((row) => row.id === wanted), id, PATIENCE);
	return page.evaluate(() => window.client.rows);
};

async function delivered(end, id) {
	for (let tries = 0; tries < 100; tries++) {
		const row = (await end.allRows()).find((message) => message.id === id);
		if (row.deliveryState === 'DELIVERED')
			return;
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	assert.fail(`the acknowledgement of ${id} did not arrive`);
}

for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
	test(`a page connects over ${transports}, is told, and acknowledges`, async () => {
		opened.complaints.length = 0;
		const [ala, bob] = [await register(server), await register(server)];
		const { initiator, responder } = await openSession(ala, bob);
		const { row: missed } = await initiator.send('missed');
		await connectIn(page, bob, transports);
		await connected();
		if (transports.length > 1)
			await page.waitForFunction(() => window.client.socket.io.engine.transport.name === 'websocket', undefined, PATIENCE);
		assert.equal(await page.evaluate(() => window.client.socket.io.engine.transport.name), transports.at(-1));
		assert.equal(responder.read((await received(missed.id)).at(-1)), 'missed');
		const { row } = await initiator.send('hello');
		const rows = await received(row.id);
		assert.equal(responder.read(rows.at(-1)), 'hello');
		assert.equal(rows.length, 2);
		await delivered(initiator, row.id);
		assert.deepEqual(opened.complaints, []);
	});

	test(`a page that is connected over ${transports} comes back after a restart and misses nothing`, async () => {
		const [ala, bob] = [await register(server), await register(server)];
		const { initiator } = await openSession(ala, bob);
		await connectIn(page, bob, transports);
		await connected();
		const ids = [(await initiator.send('before')).row.id];
		await received(ids[0]);
		const before = await page.evaluate(() => window.client.socket.id);
		await server.kill();
		server.http.close();
		await page.waitForFunction(() => window.client.errors.length > 0, undefined, PATIENCE);
		await server.start();
		for (let i = 0; i < 5; i++)
			ids.push((await initiator.send(`meanwhile ${i}`)).row.id);
		await page.waitForFunction((old) => window.client.socket.connected && window.client.socket.id !== old, before, PATIENCE);
		ids.push((await initiator.send('after')).row.id);
		const rows = await received(ids.at(-1));
		assert.deepEqual(rows.map((row) => row.id), ids);
	});
}

test('what the page sees of a refusal is the reason', async () => {
	await connectIn(page, { accessToken: 'not a token' }, ['websocket']);
	await page.waitForFunction(() => window.client.errors.length > 0, undefined, PATIENCE);
	assert.deepEqual(await page.evaluate(() => window.client.errors), ['TOKEN_INVALID']);
});

/* WebSocket knows no CORS: what keeps strangers out there is the token, which no browser sends by itself. */
test('a page of an origin that is not allowed cannot poll, and without a token it cannot connect at all', async () => {
	const foreign = await openPage(stranger);
	try {
		const person = await register(server);
		for (const [whose, transports] of [[person, ['polling']], [{ accessToken: '' }, ['websocket']]]) {
			await connectIn(foreign.page, whose, transports);
			await foreign.page.waitForFunction(() => window.client.errors.length > 0, undefined, PATIENCE);
			assert.equal(await foreign.page.evaluate(() => window.client.socket.connected), false);
		}
	} finally {
		await foreign.close();
	}
});
