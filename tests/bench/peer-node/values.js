// SPDX-License-Identifier: Apache-2.0
/*
 * The contract's forms: errors, hex ids, base64, times, message ids, and what a query or body may hold.
 */
import crypto from 'node:crypto';

/** An answer that is an error; `status` and `code` of the contract. */
export class Problem extends Error {
	constructor(status, code, { field, retryAfter } = {}) {
		super(code.toLowerCase().replaceAll('_', ' '));
		this.statusCode = status;
		this.code = code;
		this.field = field;
		this.retryAfter = retryAfter;
	}
}

export const badQuery = (field) => new Problem(400, 'INVALID_QUERY', { field });

/** What the readers below take as their last arguments: made into an error only when there is one, since stacks cost. */
function refuse(code, field, status = 400) {
	throw new Problem(status, code, { field });
}

// ---- ids: hex on the wire, signed integers in the store (int64 as text, since they pass 2^53) ----

export const hex16 = (int8) => BigInt.asUintN(64, BigInt(int8)).toString(16).padStart(16, '0');
export const hex8 = (int4) => (int4 >>> 0).toString(16).padStart(8, '0');
const HEX16 = /^[0-9a-f]{16}$/i;
const HEX8 = /^[0-9a-f]{8}$/i;

export function readHex16(text, code, field, status) {
	if (typeof text !== 'string' || !HEX16.test(text))
		refuse(code, field, status);
	return BigInt.asIntN(64, BigInt(`0x${text}`)).toString();
}

export function readHex8(text, code, field) {
	if (typeof text !== 'string' || !HEX8.test(text))
		refuse(code, field);
	return parseInt(text, 16) | 0;
}

// ---- binary fields ----

/** Standard or URL alphabet, padded or not, spare bits zero, min..max bytes. Their standard text is `canonical`. */
export function readBase64(text, min, max, code, field, large = { code, status: 400 }) {
	if (typeof text !== 'string')
		refuse(code, field);
	const bytes = Buffer.from(text, 'base64');
	const canonical = bytes.toString('base64');
	if (canonical !== text) {
		const isPadded = text.endsWith('=');
		const standard = isPadded ? canonical : canonical.replace(/=+$/, '');
		if (text !== standard && text !== standard.replaceAll('+', '-').replaceAll('/', '_'))
			refuse(code, field);
	}
	if (bytes.length < min)
		refuse(code, field);
	if (bytes.length > max)
		refuse(large.code, field, large.status);
	return { bytes, canonical };
}

// ---- times: microseconds in the store ----

export const isoTime = (micros) => new Date(Number(micros) / 1000).toISOString();
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

export function readTime(text, code, field) {
	const millis = typeof text === 'string' && ISO.test(text) ? Date.parse(text) : NaN;
	if (Number.isNaN(millis))
		refuse(code, field);
	return millis * 1000;
}

// ---- clientMessageId: 00 + UUID, 01 + text, 02 + one of our own (the store's form) ----

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function packMessageId(text) {
	if (text === null)
		return Buffer.concat([Buffer.of(2), crypto.randomBytes(16)]);
	if (UUID.test(text))
		return Buffer.from(`00${text.replaceAll('-', '')}`, 'hex');
	return Buffer.concat([Buffer.of(1), Buffer.from(text)]);
}

export function unpackMessageId(cmid) {
	if (cmid[0] === 1)
		return cmid.toString('utf8', 1);
	if (cmid[0] !== 0 || cmid.length !== 17)
		return null;
	const hex = cmid.toString('hex', 1);
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

// ---- queries and bodies ----

/** The value under either spelling; undefined when absent. */
export function queryValue(query, name, alias) {
	const value = query[name];
	const other = alias === undefined ? undefined : query[alias];
	if (Array.isArray(value) || Array.isArray(other) || (value !== undefined && other !== undefined && value !== other))
		throw badQuery(name);
	return value ?? other;
}

export function queryInt(query, name, alias, min = 0, max = Number.MAX_SAFE_INTEGER) {
	const text = queryValue(query, name, alias);
	if (text === undefined)
		return null;
	const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
	if (!(value >= min && value <= max))
		throw badQuery(name);
	return value;
}

/** 1..200, 50 when absent; more than the maximum is the maximum. */
export function queryLimit(query) {
	const value = queryInt(query, 'limit', undefined, 1);
	return Math.min(value ?? 50, 200);
}

export function bodyObject(body) {
	if (body === null || typeof body !== 'object' || Array.isArray(body))
		throw new Problem(400, 'INVALID_BODY');
	return body;
}

export function readInt(value, min, max, code, field) {
	if (!Number.isInteger(value) || value < min || value > max)
		refuse(code, field);
	return value;
}

/** Text of min..max code points, or null when it is absent. */
export function readText(value, min, max, code, field) {
	if (value === undefined || value === null)
		return null;
	if (typeof value !== 'string' || value.includes('\0'))
		refuse(code, field);
	const count = value.length <= max ? value.length : [...value].length;
	if (count < min || count > max)
		refuse(code, field);
	return value;
}

export const numberText = (digits) => `+99${digits}`;

/** The digits after +99, or null. */
export function readNumber(text) {
	const match = /^[ +]?99((?: ?\d){6,12})$/.exec(text);
	return match ? match[1].replaceAll(' ', '') : null;
}

export function nameKey(text) {
	const key = (text.startsWith('@') ? text.slice(1) : text).toLowerCase();
	return /^[a-z0-9_.]{3,64}$/.test(key) ? key : null;
}
