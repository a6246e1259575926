// SPDX-License-Identifier: Apache-2.0
/*
 * The measured part of the wire contract with Fastify, pg and socket.io, written as one would write it for
 * production: one process, keep-alive, compiled serialisers, prepared statements, no logger. The thing to
 * measure Convro beside; ../README.md says what is the same in both.
 *
 *	node server.js --port N --database URL --secret FILE [--connections N]
 */
import fastify from 'fastify';
import crypto from 'node:crypto';
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { Auth, limiter } from './auth.js';
import { Database } from './database.js';
import { messageRoutes } from './messages.js';
import { realtime } from './realtime.js';
import { smallRoutes } from './routes.js';
import { Problem } from './values.js';

const { values: options } = parseArgs({ options: {
	port: { type: 'string' },
	database: { type: 'string' },
	secret: { type: 'string' },
	connections: { type: 'string', default: '20' },
} });

/** Fastify's own complaints under the contract's names. */
function toProblem(error) {
	if (error instanceof Problem)
		return error;
	switch (error.code) {
	case 'FST_ERR_CTP_INVALID_MEDIA_TYPE': return new Problem(415, 'UNSUPPORTED_MEDIA_TYPE');
	case 'FST_ERR_CTP_BODY_TOO_LARGE': return new Problem(413, 'BODY_TOO_LARGE');
	case 'FST_ERR_CTP_EMPTY_JSON_BODY': return new Problem(400, 'INVALID_JSON');
	}
	if (error.statusCode === 400)
		return new Problem(400, 'INVALID_JSON');
	console.error(error);
	return error.code?.startsWith?.('ECONN') ? new Problem(503, 'DB_UNAVAILABLE', { retryAfter: 1 }) : new Problem(500, 'INTERNAL_ERROR');
}

function answerProblem(error, request, reply) {
	const problem = toProblem(error);
	if (problem.statusCode === 401)
		reply.header('WWW-Authenticate', 'Bearer');
	if (problem.retryAfter !== undefined)
		reply.header('Retry-After', problem.retryAfter);
	return reply.code(problem.statusCode).send({ ok: false, error: problem.code, message: problem.message, requestId: request.id,
		...(problem.field !== undefined && { field: problem.field }) });
}

const GIVEN_ID = /^[A-Za-z0-9._-]{1,64}$/;
const app = fastify({
	logger: false,
	bodyLimit: 1 << 20,
	keepAliveTimeout: 75000,
	requestTimeout: 15000,
	genReqId: ({ headers }) => (GIVEN_ID.test(headers['x-request-id'] ?? '') ? headers['x-request-id'] : crypto.randomUUID()),
});
app.addHook('onRequest', (request, reply, done) => {
	reply.header('Cache-Control', 'no-store').header('X-Request-Id', request.id);
	done();
});
app.setErrorHandler(answerProblem);
app.setNotFoundHandler((request, reply) => answerProblem(new Problem(404, 'NOT_FOUND'), request, reply));

const database = new Database(options.database, Number(options.connections));
const auth = new Auth(database, Buffer.from(fs.readFileSync(options.secret, 'utf8').trimEnd()));
const { push } = realtime(app.server, auth);
// On, as in Convro's configuration for the bench, and as high.
const allowOneTimeKey = limiter(100000, 1000000);
const parts = { database, auth, push, allowSend: limiter(1000000, 1000000), allowBundle: limiter(1000000, 1000000),
	allowOneTime: (key) => { try { allowOneTimeKey(key); return true; } catch { return false; } } };
messageRoutes(app, parts);
smallRoutes(app, parts);

await app.listen({ host: '127.0.0.1', port: Number(options.port), backlog: 4096 });
console.error(`listening on http://127.0.0.1:${options.port}`);

for (const name of ['SIGTERM', 'SIGINT'])
	process.once(name, () => process.exit(0));
