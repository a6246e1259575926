// SPDX-License-Identifier: Apache-2.0
/*
 * The smaller routes: health, login, me, resolve and bundle.
 */
import { now, sql } from './database.js';
import { Problem, badQuery, hex16, nameKey, numberText, queryInt, queryValue, readHex16, readNumber } from './values.js';

const LOW_BELOW = 20;

const text = { type: 'string' };
const integer = { type: 'integer' };
const nullable = { type: ['string', 'null'] };
const object = (properties) => ({ response: { 200: { type: 'object', properties } } });
const health = object({ status: text, db: text, timestamp: text, version: text, uptimeSeconds: integer });
const me = object({ userId: integer, deviceId: text, convroNumber: text, username: nullable });
const account = object({ userId: integer, convroNumber: text, username: nullable, fullName: nullable, deviceId: text, platform: text,
	accessToken: text, refreshToken: text });
const user = object({ userId: integer, convroNumber: text, username: nullable, fullName: nullable });
const bundle = object({ responderDeviceId: text, identityPublicKeyEd25519: text, signedPrekeyId: text, signedPrekeyPublicKeyX25519: text,
	signedPrekeySignature: text, oneTimePrekeyId: nullable, oneTimePrekeyPublicKeyX25519: nullable });

function healthRoute(app, { database }) {
	const begin = Date.now();

	app.get('/health', { schema: health }, async (request, reply) => {
		const limit = new Promise((resolve, reject) => setTimeout(reject, 1000, new Error('late')).unref());
		const isUp = await Promise.race([database.run(sql.ping([])), limit]).then(() => true, () => false);
		reply.code(isUp ? 200 : 503);
		return { status: isUp ? 'ok' : 'degraded', db: isUp ? 'ok' : 'down', timestamp: new Date().toISOString(), version: '1.0.0',
			uptimeSeconds: Math.floor((Date.now() - begin) / 1000) };
	});
}

async function resolve(database, query) {
	const number = queryValue(query, 'convroNumber', 'convro_number');
	const username = queryValue(query, 'username');
	if ((number === undefined) === (username === undefined))
		throw badQuery();
	let rows;
	if (number !== undefined) {
		const digits = readNumber(number);
		if (digits === null)
			throw badQuery('convroNumber');
		rows = await database.run(sql.byNumber([digits]));
	} else {
		const key = nameKey(username);
		if (key === null)
			throw badQuery('username');
		rows = await database.run(sql.byUsername([key]));
	}
	if (rows.length === 0)
		throw new Problem(404, 'USER_NOT_FOUND');
	const [id, digits, name, fullName] = rows[0];
	return { userId: Number(id), convroNumber: numberText(digits), username: name, fullName };
}

async function refusal(database, device, userId) {
	const [[isUserKnown, isDeviceKnown]] = await database.run(sql.bundleWhy([device, userId]));
	if (userId !== null && isUserKnown === '0')
		return new Problem(404, 'USER_NOT_FOUND');
	return new Problem(404, device !== null && isDeviceKnown === '0' ? 'DEVICE_NOT_FOUND' : 'PREKEYS_NOT_FOUND');
}

async function takeBundle({ database, push, allowOneTime }, caller, query) {
	const userId = queryInt(query, 'userId', 'user_id', 1);
	const given = queryValue(query, 'deviceId', 'device_id');
	if (userId === null && given === undefined)
		throw badQuery('user_id');
	let device = given === undefined ? null : readHex16(given, 'INVALID_QUERY', 'device_id');
	if (device === null) {
		const [first] = await database.run(sql.deviceOf([userId]));
		if (!first)
			throw await refusal(database, null, userId);
		[device] = first;
	}
	const isTaking = allowOneTime(`${caller.user}-${device}`);
	const [row] = await database.run(sql.bundle([device, userId, now(), isTaking ? 1 : 0]));
	if (!row)
		throw await refusal(database, given === undefined ? null : device, userId);
	const [, identity, signedId, signedKey, signature, oneTimeId, oneTimeKey] = row;
	const deviceId = hex16(device);
	if (oneTimeId !== null) {
		const [left] = await database.run(sql.free([device]));
		if (Number(left?.[0]) === LOW_BELOW - 1)
			push(deviceId, 'prekeys.low', { oneTimeAvailable: LOW_BELOW - 1 });
	}
	return {
		responderDeviceId: deviceId, identityPublicKeyEd25519: identity.toString('base64'), signedPrekeyId: hex16(signedId),
		signedPrekeyPublicKeyX25519: signedKey.toString('base64'), signedPrekeySignature: signature.toString('base64'),
		oneTimePrekeyId: oneTimeId === null ? null : hex16(oneTimeId),
		oneTimePrekeyPublicKeyX25519: oneTimeKey === null ? null : oneTimeKey.toString('base64'),
	};
}

export function smallRoutes(app, parts) {
	const { database, auth, allowBundle } = parts;
	const onRequest = auth.hook();

	healthRoute(app, parts);
	app.post('/v1/auth/login', { schema: account }, (request) => auth.login(request.body));
	app.get('/v1/auth/me', { onRequest, schema: me }, async ({ principal }) => ({
		userId: principal.user, deviceId: principal.deviceId, convroNumber: numberText(principal.number), username: principal.username,
	}));
	app.get('/v1/users/resolve', { onRequest, schema: user }, (request) => resolve(database, request.query));
	app.get('/v1/prekeys/bundle', { onRequest, exposeHeadRoute: false, schema: bundle }, (request) => {
		allowBundle(request.principal.device);
		return takeBundle(parts, request.principal, request.query);
	});
}
