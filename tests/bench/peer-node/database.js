// SPDX-License-Identifier: Apache-2.0
/*
 * PostgreSQL: a pool, named (prepared) statements, and transactions. The store is the one that Convro has
 * migrated; reads use Convro's own statement texts, writes the plain form one would write for one row.
 */
import fs from 'node:fs';
import pg from 'pg';

const sqlDir = new URL('../../../sql/', import.meta.url);

// What Convro sets on its own connections: all access here is by index.
const SETTINGS = '-c search_path=convro -c plan_cache_mode=force_generic_plan -c enable_hashjoin=off'
	+ ' -c enable_mergejoin=off -c enable_seqscan=off -c enable_bitmapscan=off';

const TYPES = { i: 'int8', j: 'int4', s: 'int2', b: 'bytea', t: 'text' };

/** `$2` as `$2::int8`: what Convro declares to PREPARE from the "-- args:" line, here in the text. */
function withTypes(text, args) {
	const types = args.trim().split(/\s+/).map((arg) => /:(\w)\??(\[\])?$/.exec(arg)).map((match) => match && `${TYPES[match[1]]}${match[2] ?? ''}`);
	return text.replace(/\$(\d+)(?!\d|::)/g, (parameter, index) => `${parameter}::${types[index - 1]}`);
}

/** Statements by name from Convro's file, or from one of the peer's own with the same "-- name:" lines. */
function read(url) {
	const statements = new Map();
	for (const part of fs.readFileSync(url, 'utf8').split(/^-- name: /m).slice(1)) {
		const [, name, engine] = /^(\S+)(?: (pg|sqlite))?\n/.exec(part);
		const text = part.slice(part.indexOf('\n')).replace(/^--.*\n?/gm, '').trim().replace(/;$/, '');
		const [, args] = /^-- args:(.*)$/m.exec(part);
		if (engine !== 'sqlite')
			statements.set(name, withTypes(text, args));
	}
	return statements;
}

const texts = new Map([
	...read(new URL('core/statements.sql', sqlDir)),
	...read(new URL('auth/statements.sql', sqlDir)),
	...read(new URL('users/statements.sql', sqlDir)),
	...read(new URL('prekeys/statements.sql', sqlDir)),
	...read(new URL('dm_messages/statements.sql', sqlDir)),
	...read(new URL('statements.sql', import.meta.url)),
]);

/** An object that `run` takes; rows come as arrays in the order of the statement's columns. */
function statement(name) {
	const text = texts.get(name);
	if (text === undefined)
		throw new Error(`no statement '${name}'`);
	return (values) => ({ name, text, values, rowMode: 'array' });
}

export class Database {
	constructor(url, connections) {
		const address = new URL(url.replace('postgresql:///', 'postgresql://localhost/'));
		this.pool = new pg.Pool({
			host: address.searchParams.get('host'),
			user: address.searchParams.get('user'),
			database: address.pathname.slice(1),
			max: connections,
			min: connections,
			idleTimeoutMillis: 0,
			options: SETTINGS,
			pipeline: true, // what is queued on a connection is sent at once: two round trips for a send instead of four
		});
		this.pool.on('error', (error) => console.error(`database: ${error.message}`));
	}

	/** Rows of one statement. */
	async run(query) {
		return (await this.pool.query(query)).rows;
	}

	/**
	 * `work(run, runLast)` between BEGIN and COMMIT; what `runLast` is given goes out together with the COMMIT,
	 * and its rows are there once that has been answered.
	 */
	async transaction(work) {
		const client = await this.pool.connect();
		let commit = null, failure;
		const end = () => (commit ??= client.query('COMMIT')); // after a failure this rolls back
		try {
			client.query('BEGIN').catch(() => {}); // the first statement follows without a wait, or fails as well
			const result = await work(async (query) => (await client.query(query)).rows, async (query) => {
				const [{ rows }] = await Promise.all([client.query(query), end()]);
				return rows;
			});
			await end();
			return result;
		} catch (error) {
			failure = error;
			await (commit ?? client.query('ROLLBACK')).catch(() => {});
			throw error;
		} finally {
			client.release(failure === undefined || failure.code ? undefined : failure); // with a code it is still good
		}
	}

	close() {
		return this.pool.end();
	}
}

export const now = () => Date.now() * 1000; // microseconds, as the store has them

export const sql = {
	ping: statement('core.ping'),
	me: statement('auth.me'),
	seen: statement('auth.seen'),
	findName: statement('auth.find_name'),
	findNumber: statement('auth.find_number'),
	deviceLock: statement('auth.device_lock'),
	devicePut: statement('auth.device_put'),
	deviceWhy: statement('auth.device_why'),
	tokenAdd: statement('auth.token_add'),
	tokenTrim: statement('auth.token_trim'),
	byNumber: statement('users.by_number'),
	byUsername: statement('users.by_username'),
	deviceOf: statement('prekeys.device_of'),
	bundle: statement('prekeys.bundle'),
	bundleWhy: statement('prekeys.bundle_why'),
	free: statement('prekeys.free'),
	head: statement('dm_messages.head'),
	before: statement('dm_messages.before'),
	after: statement('dm_messages.after'),
	conversations: statement('dm_messages.conversations'),
	sendLock: statement('peer.send_lock'),
	send: statement('peer.send'),
	sentBefore: statement('peer.sent_before'),
};
