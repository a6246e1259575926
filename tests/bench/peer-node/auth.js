// SPDX-License-Identifier: Apache-2.0
/*
 * Access tokens (JWT, HS256), checked on every request; what was verified once is remembered by its text,
 * and a device's row for two seconds, as Convro does. Login, and who the caller is.
 */
import argon2 from 'argon2';
import crypto from 'node:crypto';
import { now, sql } from './database.js';
import { Problem, bodyObject, hex16, nameKey, numberText, readHex16, readNumber, readText } from './values.js';

const FRESH_MS = 2000;
const SEEN_EVERY_MS = 300000;
const REMEMBERED_MAX = 65536;
const ACCESS_S = 3600;
const REFRESH_US = 30 * 86400 * 1e6;
const DEVICE_LIMIT = 32;
const LOGINS_PER_DEVICE = 8;
const PLATFORMS = ['unknown', 'ios', 'android', 'desktop', 'web'];

/** A Map that forgets what was put first. */
class Remembered extends Map {
	put(key, value) {
		if (this.size >= REMEMBERED_MAX)
			this.delete(this.keys().next().value);
		this.set(key, value);
		return value;
	}
}

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const invalid = () => new Problem(401, 'TOKEN_INVALID');

export class Auth {
	constructor(database, secret) {
		this.database = database;
		this.key = crypto.createSecretKey(secret);
		this.tokens = new Remembered();
		this.devices = new Remembered();
		this.header = encode({ alg: 'HS256', typ: 'JWT', kid: 'peer' });
		this.decoy = argon2.hash('nobody', { type: argon2.argon2id, memoryCost: 65536, timeCost: 2, parallelism: 1 });
	}

	#signature(signed) {
		return crypto.createHmac('sha256', this.key).update(signed).digest();
	}

	sign(user, deviceId, epoch, store) {
		const iat = Math.floor(Date.now() / 1000);
		const signed = `${this.header}.${encode({ sub: String(user), userId: user, deviceId, epoch, store, iat, exp: iat + ACCESS_S,
			jti: crypto.randomBytes(16).toString('hex'), iss: 'convro', aud: 'convro' })}`;
		return `${signed}.${this.#signature(signed).toString('base64url')}`;
	}

	/** The claims, signature and form checked; expiry is the caller's to look at. */
	#read(token) {
		const known = this.tokens.get(token);
		if (known !== undefined)
			return known;
		const dot = token.lastIndexOf('.');
		const parts = token.split('.');
		if (parts.length !== 3)
			throw invalid();
		const signature = Buffer.from(parts[2], 'base64url');
		const expected = this.#signature(token.slice(0, dot));
		if (signature.length !== expected.length || !crypto.timingSafeEqual(signature, expected))
			throw invalid();
		let header, claims;
		try {
			header = JSON.parse(Buffer.from(parts[0], 'base64url'));
			claims = JSON.parse(Buffer.from(parts[1], 'base64url'));
		} catch {
			throw invalid();
		}
		if (header.alg !== 'HS256' || claims.iss !== 'convro' || claims.aud !== 'convro')
			throw invalid();
		claims.device = readHex16(claims.deviceId, 'TOKEN_INVALID', undefined, 401);
		return this.tokens.put(token, claims);
	}

	async #load(deviceKey) {
		const rows = await this.database.run(sql.me([deviceKey]));
		if (rows.length === 0)
			throw invalid();
		const [user, number, username, epoch, store] = rows[0];
		const seen = this.devices.get(deviceKey)?.seen ?? 0;
		const at = Date.now();
		const entry = { user: Number(user), number, username, epoch, store: Number(store), at, seen };
		if (at - seen >= SEEN_EVERY_MS) {
			entry.seen = at;
			this.database.run(sql.seen([deviceKey, now()])).catch(() => {});
		}
		return this.devices.put(deviceKey, entry);
	}

	#judge(claims, entry) {
		if (entry.user !== claims.userId || entry.epoch !== claims.epoch || entry.store !== claims.store)
			throw invalid();
		if (claims.exp * 1000 <= Date.now())
			throw new Problem(401, 'TOKEN_EXPIRED');
		return { user: entry.user, device: claims.device, deviceId: claims.deviceId, number: entry.number, username: entry.username };
	}

	/** The principal, at once if the device is known, else a promise of it. Throws, or rejects with, a Problem. */
	verify(token) {
		const claims = this.#read(token);
		const entry = this.devices.get(claims.device);
		if (entry !== undefined && Date.now() - entry.at < FRESH_MS)
			return this.#judge(claims, entry);
		return this.#load(claims.device).then((loaded) => this.#judge(claims, loaded));
	}

	/** Fastify's onRequest hook of routes that need a token. */
	hook() {
		return (request, reply, done) => {
			const header = request.headers.authorization;
			if (header === undefined || !/^bearer +\S/i.test(header)) {
				done(new Problem(401, 'UNAUTHORIZED'));
				return;
			}
			try {
				const result = this.verify(header.slice(7).trim());
				if (!(result instanceof Promise)) {
					request.principal = result;
					done();
					return;
				}
				result.then((principal) => { request.principal = principal; done(); }, done);
			} catch (problem) {
				done(problem);
			}
		};
	}

	async #find(username, number) {
		const rows = [];
		if (username !== null) {
			const key = nameKey(username);
			rows.push(key === null ? [] : await this.database.run(sql.findName([key])));
		}
		if (number !== null) {
			const digits = readNumber(number);
			rows.push(digits === null ? [] : await this.database.run(sql.findNumber([digits])));
		}
		const [first, second] = rows;
		return first.length === 0 || (second && second[0]?.[0] !== first[0][0]) ? null : first[0];
	}

	async login(body) {
		bodyObject(body);
		const username = readText(body.username, 0, 1024, 'INVALID_BODY', 'username');
		const number = readText(body.convroNumber, 0, 1024, 'INVALID_BODY', 'convroNumber');
		if (!username && !number)
			throw new Problem(400, 'MISSING_LOGIN_IDENTIFIER');
		const device = body.deviceId == null ? crypto.randomBytes(8).readBigInt64BE().toString() : readHex16(body.deviceId, 'INVALID_DEVICE_ID', 'deviceId');
		const platform = body.platform == null ? null : PLATFORMS.indexOf(body.platform);
		if (platform === -1)
			throw new Problem(400, 'INVALID_PLATFORM', { field: 'platform' });
		const label = readText(body.deviceLabel || null, 1, 128, 'INVALID_DEVICE_LABEL', 'deviceLabel');
		if (typeof body.password !== 'string')
			throw new Problem(400, 'INVALID_BODY', { field: 'password' });

		const user = await this.#find(username || null, number || null);
		const isRight = await argon2.verify(user?.[4] ?? await this.decoy, body.password);
		if (!user || !isRight)
			throw new Problem(401, 'INVALID_CREDENTIALS');
		return this.#open(user, { device, platform, label });
	}

	async #open([id, number, username, fullName], { device, platform, label }) {
		const jti = crypto.randomBytes(16);
		const secret = crypto.randomBytes(32).toString('base64url');
		const hash = crypto.createHash('sha256').update(secret).digest();
		const at = now();
		const [puts, adds] = await this.database.transaction(async (run) => {
			await run(sql.deviceLock([device, id]));
			const put = await run(sql.devicePut([device, id, at, platform, label, DEVICE_LIMIT]));
			const added = put.length === 0 ? [] : await run(sql.tokenAdd([jti, id, device, hash, at, at + REFRESH_US]));
			await run(sql.tokenTrim([device, id, at, LOGINS_PER_DEVICE]));
			return [put, added];
		});
		if (adds.length === 0)
			throw await this.#refusal(device, id);
		const deviceId = hex16(device);
		const [epoch, store] = adds[0];
		return {
			userId: Number(id), convroNumber: numberText(number), username, fullName, deviceId, platform: PLATFORMS[puts[0][2]],
			accessToken: this.sign(Number(id), deviceId, epoch, Number(store)),
			refreshToken: `rt_${jti.toString('hex')}_${secret}`,
		};
	}

	async #refusal(device, user) {
		const [why] = await this.database.run(sql.deviceWhy([device, user]));
		if (!why)
			return new Problem(403, 'DEVICE_LIMIT_REACHED');
		return new Problem(403, why[0] === 0 ? 'DEVICE_OWNED_BY_OTHER_USER' : 'DEVICE_REMOVED');
	}
}

/** Limits: a bucket for each key, `perSecond` refilled, `burst` at most. */
export function limiter(perSecond, burst) {
	const buckets = new Remembered();
	return (key) => {
		const at = Date.now();
		const bucket = buckets.get(key) ?? buckets.put(key, { tokens: burst, at });
		bucket.tokens = Math.min(burst, bucket.tokens + (at - bucket.at) / 1000 * perSecond);
		bucket.at = at;
		if (bucket.tokens < 1)
			throw new Problem(429, 'RATE_LIMITED', { retryAfter: Math.ceil((1 - bucket.tokens) / perSecond) });
		bucket.tokens -= 1;
	};
}
