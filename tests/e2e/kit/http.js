// SPDX-License-Identifier: Apache-2.0
/*
 * HTTP as the tests need it: a JSON client that adds nothing of its own (node's fetch would: headers,
 * redirects, retries), what every error answer has to look like, and a client that writes raw bytes.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';

const ANSWER_MS = 30000; // generous: sanitizer builds on two busy cores

export class HttpClient {
	constructor(url, { token, headers = {}, ...connection } = {}) {
		this.base = new URL(url);
		this.protocol = this.base.protocol === 'https:' ? https : http;
		this.token = token;
		this.headers = headers;
		this.agent = new this.protocol.Agent({ keepAlive: true, maxSockets: 64, ...connection });
	}

	get(path, token) {
		return this.request({ method: 'GET', path, token });
	}

	head(path, token) {
		return this.request({ method: 'HEAD', path, token });
	}

	options(path, headers) {
		return this.request({ method: 'OPTIONS', path, headers });
	}

	delete(path, token) {
		return this.request({ method: 'DELETE', path, token });
	}

	post(path, body, token) {
		return this.request({ method: 'POST', path, body, token });
	}

	request({ method = 'GET', path, headers = {}, body, token = this.token }) {
		const payload = encodeBody(body);
		const sent = { ...this.headers };
		if (token)
			sent.authorization = `Bearer ${token}`;
		if (payload !== undefined) {
			sent['content-type'] = 'application/json';
			sent['content-length'] = payload.length;
		} else if (method === 'POST') {
			sent['content-length'] = 0;
		}
		for (const [name, value] of Object.entries(headers)) {
			if (value === null)
				delete sent[name.toLowerCase()]; // how a test leaves a header out
			else
				sent[name.toLowerCase()] = value;
		}

		return new Promise((resolve, reject) => {
			const request = this.protocol.request({
				host: this.base.hostname, port: this.base.port, method, path, headers: sent, agent: this.agent,
			}, (response) => {
				const chunks = [];
				response.on('data', (chunk) => chunks.push(chunk));
				response.on('error', reject);
				response.on('end', () => {
					const bytes = Buffer.concat(chunks);
					const text = bytes.toString('utf8');
					resolve({ status: response.statusCode, headers: response.headers, bytes, text, body: parseJson(text) });
				});
			});
			request.setTimeout(ANSWER_MS, () => request.destroy(new Error(`no answer to ${method} ${path} in ${ANSWER_MS} ms`)));
			request.on('error', reject);
			request.end(payload);
		});
	}

	close() {
		this.agent.destroy();
	}
}

function encodeBody(body) {
	if (body === undefined || Buffer.isBuffer(body))
		return body;
	return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body), 'utf8');
}

function parseJson(text) {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** Wire contract, section 1: what every refusal has, whatever its code. */
export function assertError(answer, status, code, field) {
	const { headers, body } = answer;
	assert.equal(`${answer.status} ${body?.error}`, `${status} ${code}`, answer.text);
	assert.match(headers['content-type'] ?? '', /^application\/json\b/);
	assert.equal(body.ok, false);
	assert.equal(typeof body.message, 'string');
	assert.notEqual(body.message, '');
	assert.equal(body.requestId, headers['x-request-id']);
	if (status === 401)
		assert.match(headers['www-authenticate'] ?? '', /^Bearer\b/);
	if (status === 429 || status === 503)
		assert.match(headers['retry-after'] ?? '', /^[0-9]+$/);
	if (status === 405)
		assert.match(headers.allow ?? '', /^[A-Z]+(, ?[A-Z]+)*$/);
	if (field !== undefined)
		assert.equal(body.field, field);
	return answer;
}

/** A TCP connection for dialogues of bytes. */
export async function openRaw(server) {
	const socket = net.connect({ host: '127.0.0.1', port: server.port, allowHalfOpen: true });
	const chunks = [];
	let isClosed = false;
	let news = () => {};
	socket.on('data', (chunk) => { chunks.push(chunk); news(); });
	socket.on('end', () => { isClosed = true; news(); });
	socket.on('close', () => { isClosed = true; news(); });
	socket.on('error', () => { isClosed = true; news(); }); // a reset is one way of being closed
	await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
	socket.setNoDelay(true);

	const received = () => Buffer.concat(chunks);
	/** Waits until `done()` is true; false when `ms` pass first. */
	const until = (done, ms) => new Promise((resolve) => {
		const timer = setTimeout(() => finish(false), ms);
		const finish = (result) => { clearTimeout(timer); news = () => {}; resolve(result); };
		news = () => done() && finish(true);
		news();
	});
	const text = () => received().toString('latin1');

	return {
		socket,
		received,
		isClosed: () => isClosed,
		write: (bytes) => new Promise((resolve) => socket.write(bytes, () => resolve())),
		end: () => socket.end(),
		destroy: () => socket.destroy(),
		closed: (ms = 2000) => until(() => isClosed, ms),
		async readUntil(what, ms = 5000) {
			const found = () => (what instanceof RegExp ? what.test(text()) : text().includes(what));
			await until(() => found() || isClosed, ms);
			assert.ok(found(), `${what} did not come; received: ${JSON.stringify(text())}`);
			return text();
		},
		/** Until the server closes, or is silent for `ms`. */
		async readAll(ms = 2000) {
			for (let seen = -1; !isClosed && seen !== chunks.length;) {
				seen = chunks.length;
				await until(() => isClosed || chunks.length !== seen, ms);
			}
			return received();
		},
	};
}

export async function rawExchange(server, bytes, { pauseMs = 0, timeoutMs = 2000, end = false } = {}) {
	const raw = await openRaw(server);
	try {
		for (const part of Array.isArray(bytes) ? bytes : [bytes]) {
			if (raw.isClosed())
				break;
			await raw.write(part);
			if (pauseMs > 0)
				await new Promise((resolve) => setTimeout(resolve, pauseMs));
		}
		if (end)
			raw.end();
		const all = await raw.readAll(timeoutMs);
		return { bytes: all, text: all.toString('utf8'), closed: raw.isClosed(), responses: parseResponses(all) };
	} finally {
		raw.destroy();
	}
}

/** Splits what a server wrote into its answers; the last one may be cut short. */
export function parseResponses(bytes) {
	const responses = [];
	for (let at = 0; at < bytes.length;) {
		const headEnd = bytes.indexOf('\r\n\r\n', at);
		if (headEnd < 0)
			break;
		const [statusLine, ...lines] = bytes.toString('latin1', at, headEnd).split('\r\n');
		const match = /^HTTP\/1\.[01] ([0-9]{3})(?: |$)/.exec(statusLine);
		assert.ok(match, `no status line: ${JSON.stringify(statusLine)}`);
		const headers = {};
		for (const line of lines) {
			const colon = line.indexOf(':');
			headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
		}
		const status = Number(match[1]);
		const { body, next } = readBody(bytes, headEnd + 4, status, headers);
		const text = body.toString('utf8');
		responses.push({ status, headers, text, body: parseJson(text) });
		at = next;
	}
	return responses;
}

function readBody(bytes, start, status, headers) {
	if (status < 200 || status === 204 || status === 304)
		return { body: Buffer.alloc(0), next: start };
	if (/chunked/i.test(headers['transfer-encoding'] ?? ''))
		return readChunks(bytes, start);
	const length = headers['content-length'];
	const next = length === undefined ? bytes.length : Math.min(bytes.length, start + Number(length));
	return { body: bytes.subarray(start, next), next };
}

function readChunks(bytes, start) {
	const parts = [];
	for (let at = start; ;) {
		const lineEnd = bytes.indexOf('\r\n', at);
		if (lineEnd < 0)
			return { body: Buffer.concat(parts), next: bytes.length };
		const size = parseInt(bytes.toString('latin1', at, lineEnd), 16);
		at = lineEnd + 2;
		if (!(size > 0)) {
			const close = bytes.indexOf('\r\n', at); // no trailers are ever sent
			return { body: Buffer.concat(parts), next: close < 0 ? bytes.length : close + 2 };
		}
		parts.push(bytes.subarray(at, at + size));
		at += size + 2;
	}
}
