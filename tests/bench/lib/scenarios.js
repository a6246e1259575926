// SPDX-License-Identifier: Apache-2.0
/*
 * What is measured on whom, how it is loaded, and what is compared. A comparison is
 * [of, metric, to, floor]: how many times better `of` is than `to`; a goal is [of, key, kind, bound].
 * Floors and bounds are printed beside the figures and decide nothing.
 */
const ALL = ['convro-sqlite', 'convro-postgresql', 'node'];
const SQ = 'convro-sqlite', PG = 'convro-postgresql';

const toNode = (rate, cpu, all) => [[PG, 'rate', 'node', rate], [PG, 'serverCpu', 'node', cpu], [PG, 'allCpu', 'node', all],
	[SQ, 'rate', 'node', null], [SQ, 'allCpu', 'node', null]];

/** `kind`: load (default), or a function of its own in bench.js; `load`: options of convro-load. */
export const scenarios = [
	{ name: 'send', title: 'POST send, durable', subjects: [...ALL, 'pgbench-8', 'pgbench-best', 'pgbench-lean'], load: { connections: 128 },
		compare: [...toNode(5, 5, 4), [PG, 'rate', 'pgbench-best', 1.3], [PG, 'rate', 'pgbench-lean', null], [SQ, 'rate', 'node', 4], [SQ, 'rate', 'pgbench-8', 1.2]] },
	{ name: 'push', title: 'send → dm.message at the connected recipient', subjects: ALL, load: { connections: 64 }, compare: toNode(5, null, null) },
	{ name: 'push-half', title: 'the same at half of the rate just measured', subjects: ALL, load: { scenario: 'push', connections: 64, rateOf: ['push', 0.5] },
		compare: [], goals: [[PG, 'p99', 'atMost', 10000]] },
	{ name: 'push-1k', title: 'the same at 1,000 a second', subjects: ALL, load: { scenario: 'push', connections: 64, rate: 1000 }, compare: [[PG, 'p99', 'node', null]] },
	{ name: 'history', title: 'GET history, a page of 50', subjects: ALL, load: { connections: 64, sessions: 'filled' }, compare: toNode(4, 6, null) },
	{ name: 'conversations', title: 'GET conversations, 20 of them', subjects: ALL, load: { connections: 64, users: 64 }, compare: toNode(4, null, null) },
	{ name: 'bundle', title: 'GET bundle, a one-time key consumed', subjects: ALL, load: { connections: 64 }, refill: true, compare: toNode(3, null, null) },
	{ name: 'resolve', title: 'GET resolve', subjects: ALL, load: { connections: 64 }, compare: toNode(2.5, null, null) },
	{ name: 'me', title: 'GET me: a token check, no database', subjects: [...ALL, 'nginx'], load: { connections: 64 },
		compare: [...toNode(null, 2, null), [PG, 'serverCpu', 'nginx', 1 / 2.2]] },
	{ name: 'health', title: 'GET health', subjects: [...ALL, 'nginx'], load: { connections: 64 }, compare: toNode(null, null, null) },
	{ name: 'login', title: 'POST login: Argon2id, 64 MiB, two passes', subjects: ALL, load: { connections: 4, users: 64 }, compare: toNode(null, null, null) },
	{ name: 'beside-login', title: 'GET me at 500 a second, alone and while 16 logins run', subjects: ALL, kind: 'besideLogin', load: { connections: 16 },
		compare: [], goals: [[PG, 'slowdown', 'atMost', 3], [SQ, 'slowdown', 'atMost', 3]] },
	{ name: 'connect', title: 'Socket.IO connects with a token, WebSocket', subjects: ALL, load: { connections: 64 }, compare: toNode(null, 8, null),
		goals: [[PG, 'rate', 'atLeast', 15000]] },
	{ name: 'ping', title: 'event ping, answered by pong', subjects: ALL, load: { connections: 200 }, compare: toNode(null, null, null) },
	...[2000, 10000].map((count) => ({ name: `idle-${count / 1000}k`, title: `${count} idle sockets with a token`, subjects: ALL, kind: 'idle', sockets: count, compare: [],
		columns: ['residentFresh', 'residentBefore', 'residentNow', 'residentAfter', 'bytesPerSocket', 'socketsAgain', 'kept', 'connectRate', 'connectCpu', 'idleCpu'],
		goals: [[SQ, 'bytesPerSocket', 'atMost', 1024], [SQ, 'residentFresh', 'atMost', 12 * 1024], ...(count === 10000 ? [[SQ, 'residentNow', 'atMost', 32 * 1024], [SQ, 'kept', 'atMost', 1.1]] : [])] })),
	{ name: 'emit', title: 'room emits, one room of 2,000 sockets', subjects: ['convro', 'node'], kind: 'emit', load: { connections: 2000, rooms: 1, emitters: 1 },
		compare: [['convro', 'rate', 'node', null], ['convro', 'serverCpu', 'node', null]], goals: [['convro', 'rate', 'atLeast', 170000]] },
	{ name: 'emit-each', title: 'room emits, 2,000 rooms of one socket', subjects: ['convro', 'node'], kind: 'emit', load: { connections: 2000, rooms: 2000, emitters: 8 },
		compare: [['convro', 'rate', 'node', null], ['convro', 'serverCpu', 'node', null]] },
	{ name: 'emit-steady', title: 'the same at a steady 10,000 deliveries a second', subjects: ['convro', 'node'], kind: 'emit',
		load: { connections: 2000, rooms: 2000, emitters: 8, rate: 10000 }, compare: [['convro', 'p99', 'node', null], ['convro', 'serverCpu', 'node', null]],
		goals: [['convro', 'p99', 'atMost', 1000]] },
	{ name: 'reconnect', title: '10,000 sockets after kill -9 and restart; Convro while 500 messages a second are sent to them', subjects: ALL, kind: 'reconnect', sockets: 10000, rate: 500, compare: [],
		columns: ['allBackSeconds', 'attempts', 'failedAttempts', 'startSeconds', 'messagesTaken', 'messagesMissing', 'errors'], goals: [PG, SQ].flatMap((name) => [[name, 'allBackSeconds', 'atMost', 5], [name, 'messagesMissing', 'atMost', 0]]) },
	{ name: 'slow-flush', title: 'POST send with 2 ms added to every flush of the disk', subjects: [...ALL, 'pgbench-8', 'pgbench-best'], kind: 'slowFlush', load: { scenario: 'send', connections: 128 },
		compare: [[PG, 'rate', 'pgbench-8', 8], [PG, 'rate', 'pgbench-best', null], [PG, 'rate', 'node', null], [SQ, 'rate', 'pgbench-8', null]] },
];
