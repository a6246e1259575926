// SPDX-License-Identifier: Apache-2.0
/*
 * Processes and files of a run: everything that is started is ended by its id, the temporary directory goes.
 */
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
export const run = promisify(execFile);
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const say = (text) => process.stderr.write(`bench: ${text}\n`);

const alive = new Set();
const directories = new Set();

process.on('exit', () => {
	for (const child of alive)
		child.kill(child.lastSignal ?? 'SIGKILL');
	for (const dir of directories)
		fs.rmSync(dir, { recursive: true, force: true });
});
for (const [name, code] of [['SIGINT', 130], ['SIGTERM', 143]])
	process.once(name, () => process.exit(code));

/** A directory of the run's own that the user of the database may pass through. */
export function temporary() {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'convro-bench-'));
	fs.chmodSync(dir, 0o711);
	directories.add(dir);
	return dir;
}

/** Goes as well, wherever it is. */
export function removeAtExit(dir) {
	directories.add(dir);
}

export function removeDirectory(dir) {
	fs.rmSync(dir, { recursive: true, force: true });
	directories.delete(dir);
}

export async function freePort() {
	for (;;) {
		const port = 10000 + Math.floor(Math.random() * 22000); // below the ports that the kernel gives to clients
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
}

/** A process on these CPUs. `ready`: resolves when its output matches; taskset becomes the program, so the id is its own. */
export class Process {
	constructor(command, { cpus, env, cwd, ready, lastSignal } = {}) {
		const [program, ...args] = cpus === undefined ? command : ['taskset', '-c', cpus, ...command];
		this.child = spawn(program, args, { env: { ...process.env, ...env }, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
		this.child.lastSignal = lastSignal;
		this.output = '';
		this.stdout = '';
		this.watchers = new Set();
		alive.add(this.child);
		this.child.stdout.setEncoding('utf8').on('data', (chunk) => { this.stdout += chunk; this.#collect(chunk); });
		this.child.stderr.setEncoding('utf8').on('data', (chunk) => this.#collect(chunk));
		this.ended = new Promise((resolve) => {
			this.child.once('error', (error) => { this.#collect(`${error.message}\n`); resolve({ code: 127 }); });
			this.child.once('close', (code, signal) => resolve({ code, signal }));
		}).then((how) => { alive.delete(this.child); this.hasEnded = true; this.#collect(''); return how; });
		this.name = path.basename(command[0]);
		this.readyPattern = ready;
	}

	get pid() {
		return this.child.pid;
	}

	#collect(chunk) {
		this.output = (this.output + chunk).slice(-20000);
		for (const watcher of this.watchers)
			watcher();
	}

	/** Until the output matches. */
	async ready(pattern = this.readyPattern, ms = 60000) {
		await new Promise((resolve, reject) => {
			const look = () => {
				if (pattern.test(this.output))
					finish(resolve);
				else if (this.hasEnded)
					finish(reject, new Error(`${this.name} ended: ${this.output}`));
			};
			const timer = setTimeout(() => finish(reject, new Error(`${this.name} did not say ${pattern} in ${ms} ms: ${this.output}`)), ms);
			const finish = (settle, value) => { clearTimeout(timer); this.watchers.delete(look); settle(value); };
			this.watchers.add(look);
			look();
		});
		return this;
	}

	signal(name) {
		this.child.kill(name);
	}

	async stop(signal = 'SIGTERM') {
		this.child.kill(signal);
		const timer = setTimeout(() => this.child.kill('SIGKILL'), 30000);
		const how = await this.ended;
		clearTimeout(timer);
		return how;
	}
}

/** KiB of a process's memory. */
export function resident(pid) {
	return Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

/** How often a second the disk takes 8 KiB for good, one after the other: the ceiling without grouping. */
export function flushesPerSecond(dir, seconds) {
	const file = path.join(dir, 'flush');
	const fd = fs.openSync(file, 'w');
	const block = Buffer.alloc(8192, 1);
	fs.writeSync(fd, Buffer.alloc(1 << 24)); // written once before, as a log is: the length stays
	fs.fdatasyncSync(fd);
	const times = [];
	const begin = process.hrtime.bigint();
	let now = begin;
	while (now - begin < BigInt(seconds * 1e9)) {
		fs.writeSync(fd, block, 0, block.length, (times.length * block.length) % (1 << 24));
		fs.fdatasyncSync(fd);
		const end = process.hrtime.bigint();
		times.push(Number(end - now) / 1000);
		now = end;
	}
	fs.closeSync(fd);
	fs.unlinkSync(file);
	times.sort((a, b) => a - b);
	const at = (quantile) => times[Math.min(times.length - 1, Math.floor(times.length * quantile))];
	return { rate: times.length / (Number(now - begin) / 1e9), latency: { p50: at(0.5), p99: at(0.99), p999: at(0.999) } };
}

const firstLine = async (command, args) => {
	try {
		const { stdout, stderr } = await run(command, args);
		return (stdout || stderr).split('\n')[0].trim();
	} catch {
		return null;
	}
};

export async function machine() {
	const cpus = os.cpus();
	return {
		cpu: cpus[0].model.trim(), cores: cpus.length, memoryGiB: Math.round(os.totalmem() / 2 ** 30), kernel: os.release(),
		node: process.version, postgresql: await firstLine('psql', ['--version']), nginx: await firstLine('nginx', ['-v']),
		sqlite: (await firstLine('sqlite3', ['--version']))?.split(' ')[0], load: os.loadavg()[0],
	};
}
