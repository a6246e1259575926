// SPDX-License-Identifier: Apache-2.0
/*
 * What is measured: Convro on either store, the Node peer, nginx, and the two servers for room emits.
 * Each has url, pid, database (the postmaster's id, when there is one) and stop().
 */
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Process, freePort, removeAtExit, removeDirectory, root, run } from './system.js';

const script = path.join(root, 'packaging/dev/postgresql.sh');
const pgbin = '/usr/lib/postgresql/15/bin';

/** Durable: fsync and synchronous_commit are on. The rest gives a million messages room, for all subjects alike. */
const POSTGRESQL = ['fsync=on', 'synchronous_commit=on', 'shared_buffers=512MB', 'max_wal_size=8GB', 'checkpoint_timeout=30min', 'autovacuum=off'];

export class Cluster {
	constructor(dir, { cpus, preload }) {
		this.dir = dir;
		this.cpus = cpus;
		this.preload = preload;
	}

	async start() {
		const wanted = path.join(this.dir, 'postgresql');
		this.place = (await run('bash', [script, 'place', wanted])).stdout.trim();
		this.sockets = path.join(this.place, 'socket');
		removeAtExit(this.place);
		if (this.preload) { // the cluster is made without it, and the database's user has to be able to read it
			const copy = path.join(this.dir, 'slow_flush.so');
			fs.copyFileSync(this.preload, copy);
			fs.chmodSync(copy, 0o755);
			const first = this.#serve({});
			await run('bash', [script, 'ready', this.place, 'convro']);
			await first.stop('SIGINT');
			this.process = this.#serve({ LD_PRELOAD: copy });
		} else {
			this.process = this.#serve({});
		}
		await run('bash', [script, 'ready', this.place, 'convro']);
		return this;
	}

	#serve(env) {
		return new Process(['bash', script, 'serve', this.place, ...POSTGRESQL], { cpus: this.cpus, env, lastSignal: 'SIGQUIT' });
	}

	get pid() {
		return this.process.pid;
	}

	url(database) {
		return `postgresql:///${database}?host=${encodeURIComponent(this.sockets)}&user=convro`;
	}

	async sql(database, text, user = 'postgres') {
		const { stdout } = await run('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-h', this.sockets, '-U', user, '-d', database, '-c', text]);
		return stdout.trim();
	}

	/** A database of that content, so that every subject begins with the same. */
	async copy(from, to) {
		await this.sql('postgres', `DROP DATABASE IF EXISTS ${to} WITH (FORCE)`);
		await this.sql('postgres', `CREATE DATABASE ${to} TEMPLATE ${from} OWNER convro`);
	}

	pgbench(args, options) {
		return new Process([path.join(pgbin, 'pgbench'), '-h', this.sockets, '-U', 'convro', ...args], options);
	}

	async stop() {
		await this.process.stop('SIGINT');
		removeDirectory(this.place);
	}
}

export function makeSecret(dir) {
	const file = path.join(dir, 'secret');
	fs.writeFileSync(file, `${crypto.randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
	return file;
}

/** On, but too high to cut: what they cost is measured, what they refuse is not. */
const LIMITS = {
	'ratelimit.send': '1000000/s', 'ratelimit.bundle': '1000000/s', 'ratelimit.one_time': '100000/s burst 1000000', 'ratelimit.login': '1000000/s',
	'server.max_connections': 20000, 'log.level': 'warning',
};

function convrod(build, settings, options) {
	const set = { 'server.module_dir': path.join(build, 'modules'), 'server.driver_dir': path.join(build, 'drivers'), ...settings };
	const args = Object.entries(set).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
	return new Process([path.join(build, 'bin/convrod'), '--config', '/dev/null', ...args], { ...options, ready: /listening on/ });
}

/** A server that can be started, killed and started again on its port. */
class Subject {
	constructor(name, start) {
		this.name = name;
		this.startProcess = start;
	}

	async start() {
		this.port ??= await freePort();
		this.url = `http://127.0.0.1:${this.port}`;
		this.process = this.startProcess(this.port);
		await this.process.ready();
		return this;
	}

	get pid() {
		return this.process.pid;
	}

	async kill() {
		await this.process.stop('SIGKILL');
	}

	async stop() {
		await this.process.stop();
	}
}

/** store: { path } for SQLite or { cluster, name } for PostgreSQL. */
export function convro(name, { build, store, secret, workers, cpus, env }) {
	const subject = new Subject(name, (port) => convrod(build, {
		...LIMITS,
		'server.listen': `127.0.0.1:${port}`, 'server.workers': workers, 'auth.secret_file': secret,
		...(store.path ? { 'storage.engine': 'sqlite', 'storage.path': store.path, 'storage.synchronous': 'full' }
			: { 'storage.engine': 'postgresql', 'storage.url': store.cluster.url(store.name) }),
	}, { cpus, env }));
	subject.store = store;
	subject.database = store.cluster?.pid;
	return subject;
}

export function nodePeer({ store, secret, cpus }) {
	const subject = new Subject('node', (port) => new Process([process.execPath, path.join(root, 'tests/bench/peer-node/server.js'), '--port', String(port),
		'--database', store.cluster.url(store.name), '--secret', secret], { cpus, env: { NODE_ENV: 'production' }, ready: /listening on/ }));
	subject.store = store;
	subject.database = store.cluster.pid;
	return subject;
}

export function nginx({ dir, cpus }) {
	return new Subject('nginx', (port) => {
		const file = path.join(dir, 'nginx.conf');
		fs.writeFileSync(file, `daemon off; master_process off; worker_processes 1; pid ${dir}/nginx.pid; error_log stderr notice;
			events { worker_connections 4096; }
			http { access_log off; keepalive_requests 1000000000; default_type application/json;
			client_body_temp_path ${dir}/nginx-body; proxy_temp_path ${dir}/nginx-proxy; fastcgi_temp_path ${dir}/nginx-fastcgi;
			uwsgi_temp_path ${dir}/nginx-uwsgi; scgi_temp_path ${dir}/nginx-scgi;
			server { listen 127.0.0.1:${port}; location / { return 200 '{"userId":1,"deviceId":"0100000000000001","convroNumber":"+990000000001","username":"user1"}'; } } }`);
		return new Process(['nginx', '-e', 'stderr', '-p', dir, '-c', file], { cpus, ready: /start|using the/ });
	});
}

export function convroConformance({ build, dir, secret, cpus, workers }) {
	return new Subject('convro', (port) => convrod(build, {
		'server.listen': `127.0.0.1:${port}`, 'server.workers': workers, 'server.max_connections': 20000, 'log.level': 'warning',
		'server.modules': `auth socketio ${path.join(build, 'test-modules/conformance.so')}`, 'storage.engine': 'sqlite',
		'storage.path': path.join(dir, 'conformance.db'), 'auth.secret_file': secret, 'socketio.path': '/realtime',
		'conformance.i_am_a_test': 'on', 'conformance.calm': 'on',
	}, { cpus }));
}

export function nodeConformance({ cpus }) {
	return new Subject('node', (port) => new Process([process.execPath, path.join(root, 'tests/bench/peer-node/conformance.js'), '--port', String(port)],
		{ cpus, env: { NODE_ENV: 'production' }, ready: /listening on/ }));
}
