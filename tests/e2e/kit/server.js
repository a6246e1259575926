// SPDX-License-Identifier: Apache-2.0
/*
 * Starts the real convrod with a directory, port, secret and store of its own, and ends it again.
 * stop() is a check in itself: exit code 0, and not a word from a sanitizer.
 */
import { execFile, spawn } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HttpClient } from './http.js';
import { createDatabase, splitRows } from './postgres.js';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
export const buildDir = path.resolve(root, process.env.CONVRO_BUILD || 'build/gcc-release');
export const defaultEngine = process.env.CONVRO_ENGINE || 'sqlite';

const START_MS = 60000; // migrations under ThreadSanitizer on a busy machine
const STOP_MS = 60000;
const SANITIZER = /(?:Address|Leak|Thread|Memory|UndefinedBehavior)Sanitizer|runtime error:/;

// A report must end in an exit code that no clean run has.
const sanitizerOptions = {
	ASAN_OPTIONS: 'exitcode=99:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1',
	UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
	TSAN_OPTIONS: `exitcode=98:second_deadlock_stack=1:suppressions=${path.join(root, 'tests/tsan.supp')}`,
};

/*
 * A port nobody has. Below the range that the kernel gives to clients, so that no outgoing connection
 * takes it between this check and the server's start; random, as the servers share ports (SO_REUSEPORT)
 * and two of them on one would not even notice.
 */
export async function freePort() {
	for (let tries = 0; tries < 100; tries++) {
		const port = 10000 + crypto.randomInt(22000);
		const probe = net.createServer();
		const isFree = await new Promise((resolve) => {
			probe.once('error', () => resolve(false));
			probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(true));
		});
		if (isFree) {
			await new Promise((resolve) => probe.close(resolve));
			return port;
		}
	}
	throw new Error('no free port found');
}

const environment = (env) => ({ ...process.env, ...sanitizerOptions, ...env });

class Server {
	constructor(options, dir, port) {
		this.options = options;
		this.engine = options.engine ?? defaultEngine;
		this.build = options.build ? path.resolve(root, options.build) : buildDir;
		this.dir = dir;
		this.port = port;
		this.url = `http://127.0.0.1:${port}`;
		this.secretFile = path.join(dir, 'secret');
		this.output = '';
		this.watchers = new Set();
		this.child = null;
		this.http = new HttpClient(this.url);
	}

	get pid() {
		return this.child?.pid;
	}

	/** The settings of the kit, then those of the test. */
	settings(set) {
		const { options } = this;
		return {
			'server.listen': `127.0.0.1:${this.port}`,
			'server.workers': options.workers ?? 2,
			'server.module_dir': path.join(this.build, 'modules'),
			'server.driver_dir': path.join(this.build, 'drivers'),
			...(options.modules && { 'server.modules': options.modules.join(' ') }),
			'storage.engine': this.engine,
			...(this.engine === 'sqlite' ? { 'storage.path': path.join(this.dir, 'convro.db') } : { 'storage.url': this.database.url }),
			'auth.secret_file': this.secretFile,
			...options.set,
			...set,
		};
	}

	writeConfig(set) {
		const sections = new Map();
		for (const [name, value] of Object.entries(this.settings(set))) {
			const dot = name.indexOf('.');
			const section = name.slice(0, dot);
			if (!sections.has(section))
				sections.set(section, [`[${section}]`]);
			sections.get(section).push(`${name.slice(dot + 1)} = ${value}`);
		}
		this.configFile = path.join(this.dir, 'convro.conf');
		fs.writeFileSync(this.configFile, [...sections.values()].map((lines) => `${lines.join('\n')}\n`).join('\n'), { mode: 0o600 });
	}

	/** Runs (again) on the same directory, store and port. */
	async start({ set } = {}) {
		if (this.engine === 'postgresql')
			this.database ??= await createDatabase(this.options.cluster);
		this.writeConfig(set);
		const from = this.output.length;
		this.child = spawn(path.join(this.build, 'bin/convrod'), ['--config', this.configFile],
			{ cwd: this.dir, env: environment(this.options.env), stdio: ['ignore', 'pipe', 'pipe'] });
		const collect = (chunk) => {
			this.output += chunk;
			for (const watcher of this.watchers)
				watcher();
		};
		this.child.stdout.setEncoding('utf8').on('data', collect);
		this.child.stderr.setEncoding('utf8').on('data', collect);
		this.exited = new Promise((resolve) => {
			this.child.once('error', (error) => { collect(`${error.message}\n`); resolve({ code: null, signal: null }); });
			// "close", not "exit": the log has been read to its end then
			this.child.once('close', (code, signal) => resolve({ code, signal }));
		});
		const ended = this.exited.then((how) => { throw new Error(`convrod ended before it listened (${describe(how)}):\n${this.output.slice(from)}`); });
		ended.catch(() => { this.child = null; });
		await this.waitForLog(/listening on http:\/\//, START_MS, from, ended);
		return this;
	}

	log() {
		return this.output;
	}

	/** Resolves with the match; what was logged before counts too. Ends early when the promise `ended` is rejected. */
	waitForLog(pattern, ms = 5000, from = 0, ended = null) {
		return new Promise((resolve, reject) => {
			const look = () => {
				const match = pattern.exec(this.output.slice(from));
				if (match)
					finish(resolve, match);
			};
			const timer = setTimeout(() => finish(reject, new Error(`${pattern} was not logged in ${ms} ms:\n${this.output.slice(from)}`)), ms);
			const finish = (settle, value) => { clearTimeout(timer); this.watchers.delete(look); settle(value); };
			this.watchers.add(look);
			look();
			ended?.catch((error) => finish(reject, error));
		});
	}

	signal(name) {
		this.child.kill(name);
	}

	/** Ends the process and says how; leaves the data. */
	async end() {
		const { child } = this;
		this.child = null;
		child.kill('SIGTERM');
		const timer = setTimeout(() => child.kill('SIGABRT'), STOP_MS); // a core says where it hung
		const how = await this.exited;
		clearTimeout(timer);
		if (how.code !== 0)
			throw new Error(`convrod did not end cleanly (${describe(how)}):\n${tail(this.output)}`);
		this.assertNoReport();
	}

	assertNoReport() {
		const report = SANITIZER.exec(this.output);
		if (report)
			throw new Error(`a sanitizer complained:\n${this.output.slice(Math.max(0, report.index - 500), report.index + 20000)}`);
	}

	async restart(options) {
		if (this.child)
			await this.end();
		return this.start(options);
	}

	async stop() {
		this.http.close();
		try {
			if (this.child)
				await this.end();
			else
				this.assertNoReport();
		} finally {
			await this.database?.drop();
			this.database = null;
			if (process.env.CONVRO_TEST_KEEP !== '1')
				fs.rmSync(this.dir, { recursive: true, force: true });
		}
	}

	/** kill -9: nothing is said and nothing is flushed. */
	async kill() {
		const { child } = this;
		this.child = null;
		child.kill('SIGKILL');
		await this.exited;
	}
}

const describe = ({ code, signal }) => (signal ? `signal ${signal}` : `exit code ${code}`);
const tail = (text) => text.slice(-20000);

export async function startServer(options = {}) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'convro-e2e-'));
	const server = new Server(options, dir, await freePort());
	fs.writeFileSync(server.secretFile, `${crypto.randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
	const killAtExit = () => server.child?.kill('SIGKILL'); // a failed before() must not leave a server behind
	process.on('exit', killAtExit);
	try {
		return await server.start();
	} catch (error) {
		if (server.child)
			await server.kill(); // it did not end by itself
		await server.stop().catch(() => {});
		throw error;
	}
}

export async function runOnce(args, { env, build } = {}) {
	const binary = path.join(build ? path.resolve(root, build) : buildDir, 'bin/convrod');
	return new Promise((resolve, reject) => {
		execFile(binary, args, { env: environment(env), timeout: START_MS, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
			if (error && typeof error.code !== 'number')
				reject(error);
			else
				resolve({ code: error ? error.code : 0, stdout, stderr });
		});
	});
}

/** A look at what is stored, beside the running server. */
export async function database(server) {
	if (server.engine === 'postgresql')
		return { query: server.database.query };
	const file = path.join(server.dir, 'convro.db');
	const run = promisify(execFile);
	return {
		async query(sql) {
			const { stdout } = await run('sqlite3', ['-ascii', '-cmd', '.timeout 5000', file, sql], { maxBuffer: 64 << 20 });
			return splitRows(stdout);
		},
	};
}
