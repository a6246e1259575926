// SPDX-License-Identifier: Apache-2.0
/*
 * A run: the stores, the servers and what is done to them. bench.js and growth.js are its users.
 */
import fs from 'node:fs';
import path from 'node:path';
import { findBest, runPgbench } from './pgbench.js';
import { Cluster, convro, convroConformance, makeSecret, nginx, nodeConformance, nodePeer } from './subjects.js';
import { Process, removeDirectory, resident, say, sleep, temporary } from './system.js';
import { makePostgresql, makeSqlite, refillKeys, world } from './world.js';

/** Server and generator on cores of their own; the database where it likes, or on what is left. */
export function layout(cores) {
	if (cores === 1)
		return { server: '0', generator: '0', database: '0', store: '0' };
	const database = cores > 2 ? `2-${cores - 1}` : '0-1';
	// SQLite works within the server, so that one may use the database's cores as well.
	return { server: '0', generator: '1', database, store: cores > 2 ? `0,2-${cores - 1}` : '0-1' };
}

/** After so many seconds without work a server has given back what it took for it, if it ever does. */
const REST_S = 6;

export class Bench {
	/** `active`: people that the generator speaks for, unless a scenario says otherwise. */
	constructor({ build, cpus, seconds, workers = 1, size = {}, active = 2000, preload = null }) {
		Object.assign(this, { build, cpus, seconds, workers, preload, size: world(size) });
		this.active = Math.min(active, this.size.users);
		this.generator = path.join(build, 'bin/convro-load');
		this.subjects = new Map();
		this.rates = new Map(); // "scenario subject" -> the rate measured last
	}

	/** Stores and, unless told otherwise, all servers. */
	async start(names = ['convro-sqlite', 'convro-postgresql', 'node']) {
		this.dir = temporary();
		this.secret = makeSecret(this.dir);
		this.cluster = await new Cluster(this.dir, { cpus: this.cpus.database, preload: this.preload }).start();
		await makePostgresql(this.cluster, 'convro', this.size, this);
		await this.cluster.copy('convro', 'pgbench');
		for (const name of names)
			await this.add(name);
		return this;
	}

	async add(name) {
		const subject = await this.#make(name);
		this.subjects.set(name, await subject.start());
		if (subject.database)
			await this.load({ scenario: 'resolve', connections: 32 }, subject, 1); // the pools are full from here on
		return subject;
	}

	async #make(name) {
		const { build, secret, workers, cpus, cluster, dir } = this;
		const env = this.preload ? { LD_PRELOAD: this.preload } : {};
		switch (name) {
		case 'convro-sqlite': {
			const file = path.join(dir, 'convro.db');
			await makeSqlite(file, this.size, this);
			return convro(name, { build, secret, workers, store: { path: file }, cpus: cpus.store, env });
		}
		case 'convro-postgresql':
			return convro(name, { build, secret, workers, store: { cluster, name: 'convro' }, cpus: cpus.server });
		case 'node':
			await cluster.copy('pgbench', 'node');
			return nodePeer({ store: { cluster, name: 'node' }, secret, cpus: cpus.server });
		case 'nginx':
			return nginx({ dir, cpus: cpus.server });
		}
		throw new Error(`no subject '${name}'`);
	}

	async subject(name) {
		return this.subjects.get(name) ?? this.add(name);
	}

	async stop() {
		for (const subject of this.subjects.values())
			await subject.stop();
		await this.cluster.stop();
		removeDirectory(this.dir);
	}

	/** The generator on a subject; `options` are convro-load's, `scenario` among them. */
	startLoad({ scenario, ...options }, subject, seconds = this.seconds) {
		const given = { users: this.active, warmup: Math.min(2, seconds * 0.4), ...options, seconds };
		if (given.sessions === 'filled')
			given.sessions = this.size.sessions;
		const args = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
		return new Process([this.generator, scenario, '--url', subject.url, '--secret', this.secret, '--server', String(subject.pid),
			...(subject.database ? ['--database', String(subject.database)] : []), ...args], { cpus: this.cpus.generator });
	}

	async finish(process) {
		const { code } = await process.ended;
		try {
			return JSON.parse(process.stdout);
		} catch {
			throw new Error(`convro-load ended with ${code} and no result: ${process.output}`);
		}
	}

	async load(options, subject, seconds) {
		return this.finish(this.startLoad(options, subject, seconds));
	}

	/** One measurement of one subject, as the scenario says. */
	async measure(scenario, name) {
		if (name.startsWith('pgbench'))
			return this.#pgbench(name);
		const result = await (this[`$${scenario.kind ?? 'load'}`])(scenario, name);
		this.rates.set(`${scenario.name} ${name}`, result.rate);
		return result;
	}

	/** Before the first round, unmeasured: Node compiles what runs often, and that takes some thousands of requests. */
	async warm({ name: scenario, kind, load }, name) {
		if (kind || load.rate || load.rateOf || name.startsWith('pgbench') || name === 'nginx')
			return;
		await this.load({ scenario, ...load, warmup: 0 }, await this.subject(name), Math.max(4, this.seconds));
	}

	async #settle(subject) {
		if (subject.store?.cluster)
			await this.cluster.sql('postgres', 'CHECKPOINT'); // one that falls into somebody's time would be noise
	}

	async $load({ name: own, load, refill }, name) {
		const subject = await this.subject(name);
		const { rateOf, ...options } = { scenario: own, ...load };
		if (rateOf)
			options.rate = Math.max(1, Math.round(rateOf[1] * this.rates.get(`${rateOf[0]} ${name}`)));
		if (name === 'nginx')
			Object.assign(options, { scenario: 'get', path: '/' });
		if (refill)
			await refillKeys(subject.store);
		await this.#settle(subject);
		return this.load(options, subject);
	}

	async #pgbench(name) {
		const options = { cluster: this.cluster, name: 'pgbench', dir: this.dir, sessions: this.active / 2, cpus: this.cpus.generator };
		if (name !== 'pgbench-8' && !this.best) {
			say('pgbench in all forms');
			this.best = await findBest({ ...options, seconds: Math.min(4, this.seconds) });
		}
		const { form, clients } = name === 'pgbench-8' ? { form: 'same', clients: 8 } : name === 'pgbench-lean' ? this.best.lean : this.best.best;
		await this.cluster.sql('postgres', 'CHECKPOINT');
		return runPgbench({ ...options, form, clients, seconds: this.seconds });
	}

	/** The latency of a cheap request while others have their passwords hashed. */
	async $besideLogin({ load }, name) {
		const subject = await this.subject(name);
		const me = { scenario: 'me', rate: 500, ...load };
		const alone = await this.load(me, subject);
		const logins = this.startLoad({ scenario: 'login', connections: 16, users: 64 }, subject, this.seconds + 2);
		const beside = await this.load(me, subject);
		const login = await this.finish(logins);
		return { ...beside, errors: alone.errors + beside.errors + login.errors, firstError: alone.firstError ?? beside.firstError ?? login.firstError,
			p99Alone: alone.latency.p99, slowdown: beside.latency.p99 / alone.latency.p99, loginRate: login.rate };
	}

	/** On a server that has done nothing but let everybody in once: then what a socket costs is left. */
	async $idle({ sockets }, name) {
		const subject = await this.subject(name);
		await subject.stop();
		await subject.start();
		const residentFresh = resident(subject.pid);
		await this.load({ scenario: 'connect', connections: 32, rate: this.active, warmup: 0 }, subject, 1);
		await sleep(REST_S * 1000);
		const idle = { scenario: 'idle', connections: sockets, users: sockets, timeout: 120 };
		const result = await this.load(idle, subject, REST_S);
		// The first time caches fill, which is no leak; what a second time adds would be one.
		const again = await this.load(idle, subject, REST_S);
		return { ...result, residentFresh, errors: result.errors + again.errors, firstError: result.firstError ?? again.firstError,
			socketsAgain: (again.residentNow - again.residentBefore) * 1024 / sockets, kept: again.residentAfter / again.residentBefore };
	}

	async $emit({ load }, name) {
		const { build, dir, secret, cpus, workers } = this;
		const server = name === 'convro' ? convroConformance({ build, dir, secret, workers, cpus: cpus.server }) : nodeConformance({ cpus: cpus.server });
		await server.start();
		try {
			return await this.load({ scenario: 'emit', timeout: 60, ...load }, server);
		} finally {
			await server.stop();
		}
	}

	/** kill -9, a start on the same store and port, and the time until the last client is back. */
	async $reconnect({ sockets, rate }, name) {
		const subject = await this.subject(name);
		await subject.stop();
		await subject.start();
		// Client i is the responder of session i. The peer has no catch-up, so what it would miss is not sent.
		const sending = name === 'node' ? {} : { rate };
		const clients = this.startLoad({ scenario: 'reconnect', connections: sockets, users: 2 * sockets, timeout: 120, ...sending }, subject);
		await clients.ready(/sockets are up/, 150000);
		await subject.kill();
		const begin = Date.now();
		await subject.start();
		const startSeconds = (Date.now() - begin) / 1000;
		return { ...await this.finish(clients), serverCpu: null, databaseCpu: null, startSeconds };
	}

	/** The same bench on a disk that takes its time. */
	async $slowFlush({ load }, name) {
		if (!this.slow) {
			say('a second set of servers whose disk is slow to flush');
			const { build, cpus, seconds, workers, size, active } = this;
			const preload = path.join(build, 'bench/slow_flush.so');
			if (!fs.existsSync(preload))
				throw new Error(`${preload} is missing: run ./dev bench`);
			this.slow = await new Bench({ build, cpus, seconds, workers, size, active, preload }).start([]);
		}
		return this.slow.measure({ name: 'send', load }, name);
	}

	async endSlow() {
		await this.slow?.stop();
		this.slow = null;
	}
}
