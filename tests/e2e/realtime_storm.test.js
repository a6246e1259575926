// SPDX-License-Identifier: Apache-2.0
/*
 * Everybody comes back at once: the server dies under many clients, and each of them has to return and to be
 * told what it missed, once.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';
import { QUICK } from './kit/contract.js';
import { openSession, register } from './kit/people.js';
import { startServer } from './kit/server.js';

const CLIENTS = Number(process.env.CONVRO_TEST_STORM ?? 800);
const OVERALL_MS = 120000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let server;
let session;
before(async () => {
	server = await startServer({ set: QUICK });
	session = await openSession(await register(server), await register(server));
});
after(() => server?.stop());

/** A client that keeps its place, as the library's users do: `auth` is asked again for every connection. */
function makeClient(person) {
	const client = { ids: [], refusals: 0 };
	client.socket = io(server.url, {
		auth: (tell) => tell({ token: person.accessToken, afterId: client.ids.at(-1) ?? 0 }),
		transports: ['websocket'],
		forceNew: true,
		reconnectionDelay: 50,
		reconnectionDelayMax: 500,
		timeout: OVERALL_MS,
	});
	client.socket.on('dm.message', (row) => client.ids.push(row.id));
	client.socket.on('connect_error', () => { client.refusals += 1; });
	return client;
}

async function everybody(clients, is, what) {
	for (const begin = Date.now(); ;) {
		const left = clients.filter((client) => !is(client));
		if (left.length === 0)
			return;
		assert.ok(Date.now() - begin < OVERALL_MS, `${left.length} of ${clients.length} ${what}; the first has ${left[0].ids}, ${left[0].refusals} refusals`);
		await sleep(50);
	}
}

test(`${CLIENTS} clients return after kill -9, and each misses nothing and gets nothing twice`, { timeout: 4 * OVERALL_MS }, async () => {
	const { initiator, responder } = session;
	const clients = Array.from({ length: CLIENTS }, () => makeClient(responder.person));
	try {
		const sent = [];
		const send = async (text) => sent.push((await initiator.send(text)).row.id);
		const hasAll = (client) => client.ids.length >= sent.length;
		await everybody(clients, ({ socket }) => socket.connected, 'never connected');
		await send('before');
		await everybody(clients, hasAll, 'were not told');
		for (let round = 0; round < 2; round++) {
			const before = clients.map(({ socket }) => socket.id);
			await server.kill();
			server.http.close();
			await server.start();
			await send('meanwhile'); // some are back already, most are not
			await everybody(clients, ({ socket }) => socket.connected && !before.includes(socket.id), 'did not come back');
			await send('after');
			await everybody(clients, hasAll, 'missed something');
		}
		await sleep(300); // for what would come twice
		for (const { ids } of clients)
			assert.deepEqual(ids, sent);
	} finally {
		for (const { socket } of clients)
			socket.disconnect();
	}
});
