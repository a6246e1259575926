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

let shared = null; // a promise of a Cluster
let databases = 0; // in the shared one
let serial = 0;

/** A cluster in a directory of its own: it can crash, freeze and come back without anybody else noticing. */
class Cluster {
	constructor(dir, place) {
		this.dir = dir;
		this.place = place;
		this.sockets = path.join(place, 'socket');
		this.killAtExit = () => this.quit();
		process.on('exit', this.killAtExit);
	}

	/** Starts it (again) and waits until it answers. */
	async start() {
		this.child = spawn('bash', [script, 'serve', this.place, 'throwaway'], { stdio: ['ignore', 'ignore', 'inherit'] });
		this.ended = once(this.child, 'exit');
		await run('bash', [script, 'ready', this.place]);
		return this;
	}

	quit() {
		this.child?.kill('SIGQUIT');
		this.child?.kill('SIGCONT'); // frozen it would not hear; it ends its frozen backends itself
	}

	/** Ends at once, as `pg_ctl stop -m immediate` does. */
	async crash() {
		this.quit();
		await this.ended;
		this.child = null;
	}

	/** Connections stay open, and new ones come about, but nothing answers any more. */
	freeze() {
		const { pid } = this.child;
		process.kill(pid, 'SIGSTOP'); // first, so that no further backend comes
		this.frozen = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
		for (const backend of this.frozen)
			process.kill(backend, 'SIGSTOP');
	}

	thaw() {
		for (const pid of [...this.frozen, this.child.pid])
			process.kill(pid, 'SIGCONT');
	}

	async stop() {
		process.off('exit', this.killAtExit);
		if (this.child)
			await this.crash();
		fs.rmSync(this.place, { recursive: true, force: true });
		fs.rmSync(this.dir, { recursive: true, force: true });
	}
}

export async function startCluster() {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'convro-pg-'));
	fs.chmodSync(dir, 0o711); // when run by root, the postgres user has to pass through
	const place = (await run('bash', [script, 'place', path.join(dir, 'pg')])).stdout.trim();
	return new Cluster(dir, place).start();
}

async function sharedCluster() {
	if (process.env.CONVRO_TEST_POSTGRESQL)
		return { sockets: process.env.CONVRO_TEST_POSTGRESQL, stop: async () => {} };
	return startCluster();
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

/** In the shared cluster, or in one of the test's own. */
export async function createDatabase(own) {
	if (!own) {
		shared ??= sharedCluster();
		databases += 1;
	}
	const { sockets } = own ?? await shared;
	const name = `convro_${process.pid}_${++serial}`;
	await psql(sockets, 'postgres', `CREATE DATABASE ${name} OWNER convro`);
	return {
		name,
		url: `postgresql:///${name}?host=${encodeURIComponent(sockets)}&user=convro`,
		query: (sql) => psql(sockets, name, sql, 'convro'),
		async drop() {
			await psql(sockets, 'postgres', `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
			if (own)
				return; // the test stops its cluster itself
			databases -= 1;
			if (databases === 0) {
				const last = await shared;
				shared = null;
				await last.stop();
			}
		},
	};
}
