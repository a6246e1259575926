// SPDX-License-Identifier: Apache-2.0
/*
 * One private PostgreSQL cluster for a run, one fresh database for each server.
 * ./dev test starts the cluster and names its socket directory in CONVRO_TEST_POSTGRESQL; a test file
 * that is run by hand starts one of its own here, and stops it when the last database is dropped.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../../../packaging/dev/postgresql.sh', import.meta.url));

let cluster = null; // a promise of { sockets, stop() }
let databases = 0;
let serial = 0;

async function startCluster() {
	if (process.env.CONVRO_TEST_POSTGRESQL)
		return { sockets: process.env.CONVRO_TEST_POSTGRESQL, stop: async () => {} };

	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'convro-pg-'));
	fs.chmodSync(dir, 0o711); // when run by root, the postgres user has to pass through
	const place = (await run('bash', [script, 'place', path.join(dir, 'pg')])).stdout.trim();
	const child = spawn('bash', [script, 'serve', place, 'throwaway'], { stdio: ['ignore', 'ignore', 'inherit'] });
	const kill = () => child.kill('SIGQUIT');
	process.on('exit', kill);
	await run('bash', [script, 'ready', place]);
	return {
		sockets: path.join(place, 'socket'),
		async stop() {
			process.off('exit', kill);
			kill();
			if (child.exitCode === null && child.signalCode === null)
				await once(child, 'exit');
			fs.rmSync(place, { recursive: true, force: true });
			fs.rmSync(dir, { recursive: true, force: true });
		},
	};
}

/** psql as the cluster's owner, or as `user` on `database`; answers rows as arrays of text. */
export async function psql(sockets, database, sql, user = 'postgres') {
	const { stdout } = await run('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-F', '\x1f', '-R', '\x1e',
		'-h', sockets, '-U', user, '-d', database, '-c', sql], { maxBuffer: 64 << 20 });
	return splitRows(stdout);
}

export function splitRows(text) {
	const rows = text.replace(/\n$/, '').split('\x1e').filter((row) => row !== '');
	return rows.map((row) => row.split('\x1f'));
}

export async function createDatabase() {
	cluster ??= startCluster();
	databases += 1;
	const { sockets } = await cluster;
	const name = `convro_${process.pid}_${++serial}`;
	await psql(sockets, 'postgres', `CREATE DATABASE ${name} OWNER convro`);
	return {
		name,
		url: `postgresql:///${name}?host=${encodeURIComponent(sockets)}&user=convro`,
		query: (sql) => psql(sockets, name, sql, 'convro'),
		async drop() {
			await psql(sockets, 'postgres', `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
			databases -= 1;
			if (databases === 0) {
				const last = await cluster;
				cluster = null;
				await last.stop();
			}
		},
	};
}
