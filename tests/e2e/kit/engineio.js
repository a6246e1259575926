// SPDX-License-Identifier: Apache-2.0
/*
 * Engine.IO as single requests and bare WebSocket messages, for what no real client would do. Every request has a connection of
 * its own, so that it may arrive at any worker.
 */
import assert from 'node:assert/strict';
import { WebSocket } from 'ws'; // comes with socket.io-client
import { HttpClient } from './http.js';

/** The messages of a bare WebSocket: `messages` that nobody has taken, and `next()`, which waits for one. */
export function inOrder(socket) {
	const messages = [], waiting = [];
	socket.on('error', () => {});
	socket.on('message', (data, binary) => {
		const message = binary ? data : data.toString();
		if (waiting.length > 0)
			waiting.shift()(message);
		else
			messages.push(message);
	});
	return { messages, next: () => (messages.length > 0 ? Promise.resolve(messages.shift()) : new Promise((resolve) => waiting.push(resolve))) };
}

export class Engine {
	constructor(server, base = '/socket.io/') {
		this.server = server;
		this.base = base;
	}

	path(query) {
		return `${this.base}?${new URLSearchParams({ EIO: 4, transport: 'polling', ...query })}`;
	}

	async ask(method, query, { body, headers } = {}) {
		const client = new HttpClient(this.server.url);
		try {
			return await client.request({
				method, path: this.path(query), body,
				headers: { ...(body !== undefined && { 'content-type': 'text/plain;charset=UTF-8' }), ...headers },
			});
		} finally {
			client.close();
		}
	}

	/** The id of a new polling session. */
	async open() {
		const answer = await this.ask('GET', {});
		assert.equal(answer.status, 200, answer.text);
		return JSON.parse(answer.text.slice(1)).sid;
	}

	/** The same, after a CONNECT. */
	async connected(auth) {
		const sid = await this.open();
		assert.equal((await this.post(sid, `40${JSON.stringify(auth)}`)).text, 'ok');
		assert.match((await this.poll(sid)).text, /^40/);
		return sid;
	}

	poll(sid) {
		return this.ask('GET', { sid });
	}

	post(sid, body, headers) {
		return this.ask('POST', { sid }, { body, headers });
	}

	/** A WebSocket with its messages: `next()` in order, `ended` with the close code and reason. */
	async webSocket(query, options) {
		const socket = new WebSocket(`${this.server.url.replace('http', 'ws')}${this.path({ transport: 'websocket', ...query })}`, options);
		const { messages, next } = inOrder(socket);
		const ended = new Promise((resolve) => socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })));
		await new Promise((resolve, reject) => { socket.on('open', resolve); socket.on('error', reject); });
		return {
			socket, ended, messages, next,
			send: (data, more) => socket.send(data, more),
		};
	}

	/** The same, after a CONNECT. */
	async connectedSocket(auth) {
		const socket = await this.webSocket({});
		await socket.next();
		socket.send(`40${JSON.stringify(auth)}`);
		assert.match(await socket.next(), /^40/);
		return socket;
	}
}
