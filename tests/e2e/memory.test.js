// SPDX-License-Identifier: Apache-2.0
/* How much memory the server takes: idle as it ships, and after clients have come and gone. */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { QUICK } from './kit/contract.js';
import { openSession, register } from './kit/people.js';
import { buildDir, defaultEngine, startServer } from './kit/server.js';
import { connectSocket } from './kit/socket.js';

const KIB = 1024;
const IDLE_MOST_KIB = 16 * KIB;
const SOCKETS = 200;
const ROUNDS = 15;
const WARM_ROUNDS = 8; // pools and the allocator's arenas have found their size by then
const GROWTH_MOST_KIB = KIB; // what a leak of 750 bytes a socket comes to in the rounds that are left
const WARM_MOST_KIB = 16 * KIB; // beyond the idle server

const program = fs.readFileSync(path.join(buildDir, 'bin/convrod'));
const isSanitized = ['__asan_init', '__tsan_init', '__ubsan_handle'].some((name) => program.includes(name));
const measured = { skip: isSanitized && 'a sanitizer takes far more than the server itself' };

function residentKib(server) {
	const status = fs.readFileSync(`/proc/${server.pid}/status`, 'utf8');
	return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]);
}

test('an idle server with the modules that ship is smaller than 16 MiB', { skip: measured.skip || (defaultEngine !== 'sqlite' && 'the figure is for SQLite') }, async (t) => {
	const server = await startServer();
	try {
		await server.http.get('/health');
		const kib = residentKib(server);
		t.diagnostic(`${kib} KiB`);
		assert.ok(kib < IDLE_MOST_KIB, `${kib} KiB`);
	} finally {
		await server.stop();
	}
});

test('sockets that came and went leave nothing behind', measured, async (t) => {
	const server = await startServer({ set: QUICK });
	try {
		const [ala, bob] = [await register(server), await register(server)];
		const { initiator } = await openSession(ala, bob);
		const transports = [['websocket'], ['polling'], ['polling', 'websocket']];
		const round = async () => {
			const sockets = await Promise.all(Array.from({ length: SOCKETS }, (_, i) => connectSocket(server, bob, { transports: transports[i % 3] })));
			const { row } = await initiator.send('to everybody');
			for (const socket of sockets) {
				await socket.waitFor('dm.message', (pushed) => pushed.id === row.id, 20000);
				socket.close();
			}
			await server.http.get('/health');
		};
		const idle = residentKib(server);
		const sizes = [];
		for (let i = 0; i < ROUNDS; i++) {
			await round();
			sizes.push(residentKib(server));
		}
		t.diagnostic(`${idle}, then ${sizes.join(' ')} KiB`);
		assert.ok(sizes.at(-1) - sizes[WARM_ROUNDS - 1] < GROWTH_MOST_KIB, `${sizes} KiB`);
		assert.ok(sizes.at(-1) - idle < WARM_MOST_KIB, `${idle}, then ${sizes} KiB`);
	} finally {
		await server.stop();
	}
});
