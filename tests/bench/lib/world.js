// SPDX-License-Identifier: Apache-2.0
/*
 * The stores that the subjects begin with: migrated by the server itself, filled with plain SQL (seed/).
 */
import { spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { convro } from './subjects.js';
import { root, run, say } from './system.js';

const seed = (name) => path.join(root, 'tests/bench/seed', name);
const peerPackages = new URL('../peer-node/', import.meta.url);

/** Made once, with Convro's own parameters: 64 MiB, two passes. */
async function passwordHash() {
	const { default: argon2 } = await import(new URL('node_modules/argon2/argon2.cjs', peerPackages));
	return argon2.hash('bench-password', { type: argon2.argon2id, memoryCost: 65536, timeCost: 2, parallelism: 1, salt: crypto.randomBytes(16) });
}

/** `users`, `sessions`, `messages`, `keyed`: see seed/postgresql.sql. */
export function world({ users = 20000, messages = 10000, sessions = 100 } = {}) {
	return { users, messages, sessions, keyed: Math.min(users, 2000) };
}

let hash = null;

async function migrate(options) {
	const server = convro('migration', { ...options, workers: 1 });
	await server.start();
	await server.stop();
}

async function sqlite3(file, parameters, script) {
	const set = Object.entries(parameters).flatMap(([name, value]) => ['-cmd', `.parameter set :${name} ${typeof value === 'number' ? value : `'${value}'`}`]);
	const input = fs.openSync(script, 'r');
	const child = spawn('sqlite3', [...set, file], { stdio: [input, 'ignore', 'inherit'] });
	const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
	fs.closeSync(input);
	if (code !== 0)
		throw new Error(`sqlite3 could not fill ${file}`);
}

export async function makeSqlite(file, size, { build, secret }) {
	hash ??= await passwordHash();
	say(`a store for SQLite: ${size.users} users, ${size.messages} messages`);
	await migrate({ build, secret, store: { path: file } });
	await sqlite3(file, { ...size, pw_hash: hash }, seed('sqlite.sql'));
}

export async function makePostgresql(cluster, name, size, { build, secret }) {
	hash ??= await passwordHash();
	say(`a store for PostgreSQL: ${size.users} users, ${size.messages} messages`);
	if (name !== 'convro')
		await cluster.sql('postgres', `CREATE DATABASE ${name} OWNER convro`);
	await migrate({ build, secret, store: { cluster, name } });
	const set = Object.entries({ ...size, pw_hash: hash }).flatMap(([key, value]) => ['-v', `${key}=${value}`]);
	await run('psql', ['-X', '-q', '-h', cluster.sockets, '-U', 'convro', '-d', name, ...set, '-f', seed('postgresql.sql')]);
	await cluster.sql(name, 'VACUUM (ANALYZE)');
	await cluster.sql(name, 'CHECKPOINT');
}

/** Consumed one-time keys become free again, so that each round hands out as many. */
export async function refillKeys(store) {
	if (store.path) {
		await run('sqlite3', ['-cmd', '.timeout 20000', store.path, 'UPDATE one_time_prekeys SET consumed_at = NULL WHERE consumed_at IS NOT NULL']);
		return;
	}
	await store.cluster.sql(store.name, 'UPDATE convro.one_time_prekeys SET consumed_at = NULL WHERE consumed_at IS NOT NULL');
	await store.cluster.sql(store.name, 'VACUUM convro.one_time_prekeys');
}
