// SPDX-License-Identifier: Apache-2.0
/*
 * The real socket.io-client, with what tests need around it: every event kept in order from before the
 * connection, so that nothing can be missed between two lines of a test.
 */
import assert from 'node:assert/strict';
import { io } from 'socket.io-client';

const CONNECT_MS = 20000;

function open(server, auth, { query, transports, upgrade, extraHeaders, ca, path } = {}) {
	const given = Object.entries({ query, transports, upgrade, extraHeaders, ca, path }).filter(([, value]) => value !== undefined);
	return io(server.url, {
		auth,
		...Object.fromEntries(given), // the client takes an undefined option for false
		forceNew: true, // the client would share one connection between the people of a test
		reconnection: false, // a test that wants to come back says so
		autoConnect: false,
		timeout: CONNECT_MS,
	});
}

function authOf(person, auth = {}) {
	const merged = { token: person?.accessToken, ...auth };
	if (merged.token == null)
		delete merged.token;
	return merged;
}

class TestSocket {
	constructor(raw) {
		this.raw = raw;
		this.events = [];
		this.watchers = new Set();
		this.reason = null;
		raw.onAny((event, ...args) => {
			if (typeof args.at(-1) === 'function')
				args.pop()(); // acknowledged at once, as the clients do
			this.note({ event, args, taken: false });
		});
		raw.on('disconnect', (reason) => { this.reason = reason; this.wake(); });
		raw.on('connect', () => { this.reason = null; });
	}

	note(record) {
		this.events.push(record);
		this.wake();
	}

	wake() {
		for (const watcher of this.watchers)
			watcher();
	}

	get connected() {
		return this.raw.connected;
	}

	/** `polling` or `websocket`, as it is now. */
	get transport() {
		return this.raw.io.engine.transport.name;
	}

	/** Payloads of all events of that name so far, in order. */
	all(event) {
		return this.events.filter((record) => record.event === event).map((record) => record.args[0]);
	}

	until(find, ms, complaint) {
		return new Promise((resolve, reject) => {
			const look = () => {
				const found = find();
				if (found !== undefined)
					finish(resolve, found);
			};
			const timer = setTimeout(() => finish(reject, new Error(complaint())), ms);
			const finish = (settle, value) => { clearTimeout(timer); this.watchers.delete(look); settle(value); };
			this.watchers.add(look);
			look();
		});
	}

	/** The payload of the first such event that was not handed out yet, past or to come. */
	async waitFor(event, predicate = () => true, ms = 5000) {
		const record = await this.until(
			() => this.events.find((seen) => !seen.taken && seen.event === event && predicate(...seen.args)),
			ms, () => `no such ${event} in ${ms} ms; seen: ${JSON.stringify(this.events.map((seen) => [seen.event, ...seen.args]))}`);
		record.taken = true;
		return record.args[0];
	}

	emit(...args) {
		this.raw.emit(...args);
	}

	/** Emits with acknowledgement and answers what the server acknowledged with. */
	request(event, payload, ms = 5000) {
		return this.raw.timeout(ms).emitWithAck(event, ...(payload === undefined ? [] : [payload]));
	}

	/** The reason, once the connection has ended. */
	disconnected(ms = 5000) {
		return this.until(() => this.reason ?? undefined, ms, () => `still connected after ${ms} ms`);
	}

	/** Waits until polling has been upgraded. */
	async upgraded(ms = 5000) {
		const { engine } = this.raw.io;
		if (engine.transport.name === 'websocket')
			return;
		await new Promise((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(`not upgraded in ${ms} ms`)), ms);
			engine.once('upgrade', () => { clearTimeout(timer); resolve(); });
		});
	}

	close() {
		this.raw.disconnect();
	}
}

export async function connectSocket(server, person, options = {}) {
	const raw = open(server, authOf(person, options.auth), options);
	const socket = new TestSocket(raw);
	try {
		await new Promise((resolve, reject) => {
			raw.once('connect', resolve);
			raw.once('connect_error', reject);
			raw.connect();
		});
	} catch (error) {
		raw.disconnect();
		throw error;
	}
	return socket;
}

export async function connectRefused(server, options = {}) {
	const raw = open(server, options.auth ?? {}, options);
	try {
		return await new Promise((resolve, reject) => {
			raw.once('connect', () => reject(new assert.AssertionError({ message: 'the connection was accepted' })));
			raw.once('connect_error', resolve);
			raw.connect();
		});
	} finally {
		raw.disconnect();
	}
}
