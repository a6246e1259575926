// SPDX-License-Identifier: Apache-2.0
/*
 * Sending, history and conversations: the routes that the comparison is mostly about.
 */
import { now, sql } from './database.js';
import { Problem, badQuery, bodyObject, hex16, hex8, isoTime, numberText, packMessageId, queryInt, queryLimit, queryValue, readBase64,
	readHex16, readHex8, readInt, readText, readTime, unpackMessageId } from './values.js';

const STATES = ['PENDING', 'DELIVERED', 'READ'];
const CIPHERTEXT_MAX = 65536;
const TOO_LARGE = { code: 'MESSAGE_TOO_LARGE', status: 413 };
const INT8_MAX = '9223372036854775807';

// The answers' schemas: Fastify compiles a serialiser from each. Our own text (hex, base64, times) needs no escapes.
const text = { type: 'string', format: 'unsafe' };
const integer = { type: 'integer' };
const nullable = { type: ['string', 'null'] };
const rowProperties = {
	id: integer, messageId: integer, serverMessageId: text, c6pVersion: integer, sessionId: text, senderUserId: text,
	recipientUserId: text, senderDeviceId: text, recipientDeviceId: text, clientMessageId: nullable, clientTimestamp: nullable,
	serverTimestamp: text, deliveryState: text, ciphertext: text, authTag: text,
};
const row = { type: 'object', properties: rowProperties };
const sent = { type: 'object', properties: { ok: { type: 'boolean' }, ...rowProperties, deduped: { type: 'boolean' } } };
const history = { type: 'object', properties: { sessionId: text, messages: { type: 'array', items: row }, hasMore: { type: 'boolean' },
	nextAfterId: { type: ['integer', 'null'] } } };
const conversations = { type: 'object', properties: {
	conversations: { type: 'array', items: { type: 'object', properties: { sessionDbId: integer, sessionId: text, state: text, peerUserId: text,
		peerDeviceId: text, peerConvroNumber: nullable, peerUsername: nullable, peerFullName: nullable, unreadCount: integer,
		lastActivityAt: text, lastMessage: { type: 'object', nullable: true, properties: rowProperties } } } },
	nextCursor: nullable } };

function readSend(body) {
	bodyObject(body);
	const sessionId = readHex8(body.sessionId, 'INVALID_SESSION_ID', 'sessionId');
	const recipient = body.recipientDeviceId == null ? null : readHex16(body.recipientDeviceId, 'INVALID_BODY', 'recipientDeviceId');
	const ciphertext = readBase64(body.ciphertext, 1, CIPHERTEXT_MAX, 'INVALID_CIPHERTEXT', 'ciphertext', TOO_LARGE);
	const tag = readBase64(body.authTag, 16, 16, 'INVALID_AUTH_TAG', 'authTag');
	const messageId = readText(body.clientMessageId, 1, 64, 'INVALID_CLIENT_MESSAGE_ID', 'clientMessageId');
	let clientTime = null;
	if (body.clientTimestamp != null)
		clientTime = readTime(body.clientTimestamp, 'INVALID_CLIENT_TIMESTAMP', 'clientTimestamp');
	else if (body.clientTimestampMs != null)
		clientTime = 1000 * readInt(body.clientTimestampMs, 0, 253402300799999, 'INVALID_CLIENT_TIMESTAMP', 'clientTimestampMs');
	const version = body.c6pVersion == null ? 1 : readInt(body.c6pVersion, 0, 2147483647, 'INVALID_BODY', 'c6pVersion');
	return { sessionId, recipient, ciphertext, tag, messageId, clientTime, version };
}

/** The session and both ends, locked, and the message, if it was not there; null for `stored` if it was. */
function insert(database, device, message, cmid) {
	return database.transaction(async (run, runLast) => {
		const [session] = await run(sql.sendLock([device, message.sessionId]));
		if (!session)
			throw new Problem(404, 'SESSION_NOT_FOUND');
		const [id, state, lastAt, role, initiator, responder, peer, isGone] = session;
		if (message.recipient !== null && message.recipient !== peer)
			throw new Problem(400, 'RECIPIENT_MISMATCH', { field: 'recipientDeviceId' });
		const people = { session: id, role, isGone, peer, sender: role === 0 ? initiator : responder, recipient: role === 0 ? responder : initiator };
		if (isGone || (state !== 1 && role !== 0))
			return { ...people, stored: null };
		const at = Math.max(now(), Number(lastAt)); // never backwards within a session
		const [stored] = await runLast(sql.send([id, at, message.clientTime, message.version, role, cmid, message.tag.bytes, message.ciphertext.bytes]));
		return { ...people, stored: stored ? Number(stored[0]) : null, at };
	});
}

/** Stores it; what the row is made of, and whether it was there before. */
async function store(database, device, message) {
	const cmid = packMessageId(message.messageId);
	const { stored, at, session, role, isGone, ...people } = await insert(database, device, message, cmid);
	if (stored !== null)
		return { ...people, id: stored, at, clientTime: message.clientTime, version: message.version, status: 0, isRepeated: false };
	const [old] = await database.run(sql.sentBefore([session, role, cmid]));
	if (!old)
		throw new Problem(409, isGone ? 'PEER_GONE' : 'SESSION_NOT_ACTIVE');
	if (!old[4].equals(message.tag.bytes) || !old[5].equals(message.ciphertext.bytes))
		throw new Problem(409, 'CLIENT_MESSAGE_ID_REUSED');
	return { ...people, id: Number(old[0]), at: old[1], clientTime: old[2], version: old[3], status: old[6] ?? 0, isRepeated: true };
}

/** A row from what dm_messages.before, .after and .conversations give from column `from` on. */
function readRow(columns, from, sides) {
	const id = columns[from];
	const isInitiator = columns[from + 4] === 0;
	const clientTime = columns[from + 2];
	return {
		id: Number(id),
		messageId: Number(id),
		serverMessageId: id,
		c6pVersion: columns[from + 3],
		sessionId: sides.sessionId,
		senderUserId: isInitiator ? sides.initiatorUser : sides.responderUser,
		recipientUserId: isInitiator ? sides.responderUser : sides.initiatorUser,
		senderDeviceId: isInitiator ? sides.initiatorDevice : sides.responderDevice,
		recipientDeviceId: isInitiator ? sides.responderDevice : sides.initiatorDevice,
		clientMessageId: unpackMessageId(columns[from + 5]),
		clientTimestamp: clientTime === null ? null : isoTime(clientTime),
		serverTimestamp: isoTime(columns[from + 1]),
		deliveryState: STATES[columns[from + 8] ?? 0],
		ciphertext: columns[from + 7].toString('base64'),
		authTag: columns[from + 6].toString('base64'),
	};
}

async function readHistory(database, device, query) {
	const sessionId = readHex8(queryValue(query, 'sessionId', 'session_id'), 'INVALID_QUERY', 'sessionId');
	const before = queryInt(query, 'beforeId', 'before_id');
	const after = queryInt(query, 'afterId', 'after_id');
	const limit = queryLimit(query);
	const direction = queryValue(query, 'direction');
	if (direction !== undefined && direction !== 'all' && direction !== 'incoming')
		throw badQuery('direction');
	if (before !== null && after !== null)
		throw badQuery();
	const incoming = (direction === undefined ? after !== null : direction === 'incoming') ? 1 : 0;
	const page = after === null ? sql.before : sql.after;
	const [[head], rows] = await Promise.all([
		database.run(sql.head([device, sessionId])),
		database.run(page([device, sessionId, after ?? before ?? INT8_MAX, limit + 1, incoming])),
	]);
	if (!head)
		throw new Problem(404, 'SESSION_NOT_FOUND');
	const sides = { sessionId: hex8(sessionId), initiatorUser: head[3], responderUser: head[4], initiatorDevice: hex16(head[5]), responderDevice: hex16(head[6]) };
	const hasMore = rows.length > limit;
	if (hasMore)
		rows.pop();
	if (after === null)
		rows.reverse();
	const messages = rows.map((columns) => readRow(columns, 0, sides));
	return { sessionId: sides.sessionId, messages, hasMore, nextAfterId: messages.at(-1)?.id ?? after };
}

const COL_MESSAGE = 10, COL_ROLE = 19;

function readConversation(columns, caller) {
	const [session, sessionId, state, lastAt, peerUser, peerDevice, unread, number, username, fullName] = columns;
	const own = { user: String(caller.user), device: caller.deviceId };
	const peer = { user: peerUser, device: hex16(peerDevice) };
	const [initiator, responder] = columns[COL_ROLE] === 0 ? [own, peer] : [peer, own];
	const sides = { sessionId: hex8(sessionId), initiatorUser: initiator.user, responderUser: responder.user,
		initiatorDevice: initiator.device, responderDevice: responder.device };
	return {
		sessionDbId: Number(session), sessionId: sides.sessionId, state: state === 0 ? 'PENDING' : 'ACTIVE', peerUserId: peerUser,
		peerDeviceId: peer.device, peerConvroNumber: number === null ? null : numberText(number), peerUsername: username,
		peerFullName: fullName, unreadCount: unread, lastActivityAt: isoTime(lastAt),
		lastMessage: columns[COL_MESSAGE] === null ? null : readRow(columns, COL_MESSAGE, sides),
	};
}

async function readConversations(database, caller, query) {
	const limit = queryLimit(query);
	const cursor = queryValue(query, 'cursor');
	const from = cursor === undefined ? [null, INT8_MAX, INT8_MAX] : /^(\d{1,18})-(\d{1,18})$/.exec(cursor);
	if (from === null)
		throw badQuery('cursor');
	const rows = await database.run(sql.conversations([caller.device, from[1], from[2], limit + 1]));
	const hasMore = rows.length > limit;
	if (hasMore)
		rows.pop();
	return { conversations: rows.map((columns) => readConversation(columns, caller)),
		nextCursor: hasMore ? `${rows.at(-1)[3]}-${rows.at(-1)[0]}` : null };
}

export function messageRoutes(app, { database, auth, push, allowSend }) {
	const onRequest = auth.hook();

	app.post('/v1/dm/messages/send', { onRequest, schema: { response: { 200: sent, 201: sent } } }, async (request, reply) => {
		const caller = request.principal;
		allowSend(caller.device);
		const message = readSend(request.body);
		const stored = await store(database, caller.device, message);
		const answer = {
			id: stored.id,
			messageId: stored.id,
			serverMessageId: String(stored.id),
			c6pVersion: stored.version,
			sessionId: hex8(message.sessionId),
			senderUserId: stored.sender,
			recipientUserId: stored.recipient,
			senderDeviceId: caller.deviceId,
			recipientDeviceId: hex16(stored.peer),
			clientMessageId: message.messageId,
			clientTimestamp: stored.clientTime === null ? null : isoTime(stored.clientTime),
			serverTimestamp: isoTime(stored.at),
			deliveryState: STATES[stored.status],
			ciphertext: message.ciphertext.canonical,
			authTag: message.tag.canonical,
		};
		if (!stored.isRepeated)
			push(answer.recipientDeviceId, 'dm.message', answer);
		reply.code(stored.isRepeated ? 200 : 201);
		return { ok: true, ...answer, deduped: stored.isRepeated };
	});

	app.get('/v1/dm/messages/history', { onRequest, schema: { response: { 200: history } } },
		(request) => readHistory(database, request.principal.device, request.query));

	for (const path of ['/v1/dm/messages/conversations', '/v1/dm/conversations'])
		app.get(path, { onRequest, schema: { response: { 200: conversations } } }, (request) => readConversations(database, request.principal, request.query));
}
