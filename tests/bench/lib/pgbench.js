// SPDX-License-Identifier: Apache-2.0
/*
 * The database's own ceiling: pgbench with the statements of a send, each session as likely as another.
 * "same" is what Convro prepares (arrays of one), "lean" what the Node peer does; both also in pipeline mode,
 * which spares the round trips that a client of a pool would make.
 */
import fs from 'node:fs';
import path from 'node:path';
import { root } from './system.js';

const CIPHERTEXT = `'\\x${'c6'.repeat(256)}'::bytea`;
const TAG = `'\\x${'7a'.repeat(16)}'::bytea`;
const CMID = "'\\x00'::bytea || int8send(:a) || int8send(:b)";
const NOW = '(extract(epoch FROM clock_timestamp()) * 1000000)::int8';

function statement(file, name) {
	const text = fs.readFileSync(path.join(root, file), 'utf8');
	const begin = text.indexOf(`-- name: ${name}\n`);
	if (begin < 0)
		throw new Error(`${file} has no statement '${name}'`);
	const end = text.indexOf('-- name: ', begin + 1);
	return text.slice(begin, end < 0 ? undefined : end).replace(/^--.*\n?/gm, '').trim().replace(/;$/, '');
}

const fill = (text, values) => text.replace(/\$(\d+)/g, (parameter, index) => `(${values[index - 1]})`);

function same() {
	const file = 'sql/dm_messages/statements.sql';
	const keys = ['ARRAY[:dev]', 'ARRAY[:n]'];
	return [fill(statement(file, 'dm_messages.send_lock pg'), keys),
		fill(statement(file, 'dm_messages.send pg'), [...keys, 'ARRAY[NULL]', `ARRAY[${CMID}]`, 'ARRAY[NULL]', 'ARRAY[1]', `ARRAY[${TAG}]`, `ARRAY[${CIPHERTEXT}]`, NOW])];
}

function lean() {
	const file = 'tests/bench/peer-node/statements.sql';
	return [fill(statement(file, 'peer.send_lock'), [':dev', ':n']),
		fill(statement(file, 'peer.send'), [':n', NOW, 'NULL::int8', '1', '0', CMID, TAG, CIPHERTEXT])];
}

function script(statements, isPipelined, sessions) {
	return [`\\set n random(1, ${sessions})`, '\\set dev 72057594037927936 + 2 * :n - 1',
		'\\set a random(1, 9000000000000000000)', '\\set b random(1, 9000000000000000000)',
		...(isPipelined ? ['\\startpipeline'] : []), 'BEGIN;', ...statements.map((text) => `${text};`), 'COMMIT;',
		...(isPipelined ? ['\\endpipeline'] : []), ''].join('\n');
}

const FORMS = { same: [same, false], 'same pipelined': [same, true], lean: [lean, false], 'lean pipelined': [lean, true] };
export const CLIENTS = [1, 8, 20, 32];

/** Processor time, in seconds, of a process and all below it, those that have ended as well. */
function treeCpu(pid) {
	let text, children;
	try {
		text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
		children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
	} catch {
		return 0; // ended between the listing and the look: the parent has it
	}
	const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
	const own = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
	return children.trim().split(' ').filter(Boolean).reduce((sum, child) => sum + treeCpu(child), own);
}

/** One run; the same keys as convro-load's where it knows them. */
export async function runPgbench({ cluster, name, dir, form, clients, sessions, seconds, cpus }) {
	const [statements, isPipelined] = FORMS[form];
	const file = path.join(dir, 'pgbench.sql');
	fs.writeFileSync(file, script(statements(), isPipelined, sessions));
	const before = treeCpu(cluster.pid);
	const process = cluster.pgbench(['-M', 'prepared', '-n', '-c', String(clients), '-j', '1', '-T', String(Math.max(2, Math.round(seconds))), '-f', file, name],
		{ cpus, env: { PGOPTIONS: '-c search_path=convro -c plan_cache_mode=force_generic_plan -c enable_hashjoin=off -c enable_mergejoin=off -c enable_seqscan=off -c enable_bitmapscan=off' } });
	const { code } = await process.ended;
	const cpu = treeCpu(cluster.pid) - before;
	const done = Number(/processed: (\d+)/.exec(process.stdout)?.[1]);
	const rate = done === 0 ? 0 : Number(/^tps = ([\d.]+)/m.exec(process.stdout)?.[1]);
	if (code !== 0 || !(rate >= 0))
		throw new Error(`pgbench failed: ${process.output}`);
	const mean = Number(/latency average = ([\d.]+)/.exec(process.stdout)?.[1]) * 1000;
	const failed = Number(/failed transactions: (\d+)/.exec(process.stdout)?.[1] ?? 0);
	return { scenario: 'pgbench', form, clients, operations: done, rate, errors: failed, latency: { mean }, databaseCpu: done === 0 ? null : cpu * 1e6 / done };
}

/** Every form at every number of clients, briefly: which are the best? */
export async function findBest(options) {
	const tried = [];
	for (const form of Object.keys(FORMS)) {
		for (const clients of CLIENTS)
			tried.push(await runPgbench({ ...options, form, clients }));
	}
	tried.sort((a, b) => b.rate - a.rate);
	return { tried, best: tried.find(({ form }) => form.startsWith('same')), lean: tried.find(({ form }) => form.startsWith('lean')) };
}
