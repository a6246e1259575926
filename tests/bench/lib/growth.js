// SPDX-License-Identifier: Apache-2.0
/*
 * How cost grows: the same scenarios with more messages, more users, another worker, and more sockets beside.
 * All values of an axis are there at once and take turns. A flat line is the aim; plot.js draws what this finds.
 */
import { Bench } from './bench.js';
import { say } from './system.js';
import { lines, median } from './table.js';

const ACTIVE = 1000; // people at a time, however many there are
const SUBJECTS = ['convro-sqlite', 'convro-postgresql'];
const load = (name, options) => ({ name, load: { connections: 64, ...options } });
const scenarios = [
	load('send', { connections: 128 }), load('history', { sessions: 'filled' }), load('conversations', { users: 64 }),
	{ ...load('bundle'), refill: true }, load('resolve'), load('me'),
];

const axes = [
	{ axis: 'messages', values: [10000, 100000, 1000000], of: (messages) => ({ size: { messages } }) },
	{ axis: 'users', values: [1000, 100000], of: (users) => ({ size: { users } }) },
	// A second worker is of no use on the core of the first.
	{ axis: 'workers', values: [1, 2], of: (workers, cpus) => ({ workers, cpus: { ...cpus, server: workers > 1 ? cpus.store : cpus.server } }) },
	{ axis: 'sockets', values: [1000, 10000], of: () => ({}), hold: (value) => value, scenarios: [load('send', { connections: 128 }), load('push'), load('me')] },
];

/** Sockets that are only there. */
async function holdSockets(bench, subject, count) {
	const sockets = bench.startLoad({ scenario: 'idle', connections: count, users: count, timeout: 120 }, await bench.subject(subject), 3600);
	await sockets.ready(/sockets are up/, 150000);
	return sockets;
}

/** All values of an axis in each round, in turn from the front and from the back: noise hits them all. */
async function measureAxis({ axis, values, scenarios: own }, benches, subject, rounds) {
	const rows = [];
	for (const scenario of own ?? scenarios) {
		const results = values.map(() => []);
		for (let round = 0; round < rounds; round++) {
			say(`growth: ${axis}, ${scenario.name} on ${subject}, round ${round + 1} of ${rounds}`);
			const order = [...values.keys()];
			for (const index of round % 2 === 0 ? order : order.reverse())
				results[index].push(await benches[index].measure(scenario, subject));
		}
		values.forEach((value, index) => {
			const { rate, p50, p99, serverCpu, databaseCpu, allCpu, errors, firstError } = median(results[index]);
			rows.push({ axis, value, subject, scenario: scenario.name, rate, p50, p99, serverCpu, databaseCpu, allCpu, errors, firstError });
		});
	}
	return rows;
}

export async function growth({ build, cpus, seconds, rounds, isQuick, write, progress }) {
	const rows = [];
	for (const whole of axes) {
		const axis = { ...whole, values: isQuick ? whole.values.slice(0, 2) : whole.values };
		const benches = [];
		for (const value of axis.values)
			benches.push(await new Bench({ build, cpus, seconds, active: ACTIVE, ...axis.of(value, cpus) }).start([]));
		for (const subject of SUBJECTS) {
			const held = [];
			for (const [index, value] of axis.values.entries()) {
				if (axis.hold)
					held.push(await holdSockets(benches[index], subject, axis.hold(value)));
			}
			rows.push(...await measureAxis(axis, benches, subject, rounds));
			for (const sockets of held)
				await sockets.stop();
			progress(rows);
		}
		for (const bench of benches)
			await bench.stop();
	}
	print(rows, write);
	return rows;
}

function print(rows, write) {
	for (const axis of new Set(rows.map((row) => row.axis))) {
		const here = rows.filter((row) => row.axis === axis);
		const values = [...new Set(here.map(({ value }) => value))];
		const table = [['', ...values.flatMap((value) => [`${value} ${axis}: per s`, 'p99 ms', 'CPU µs']), 'rate last ÷ first']];
		for (const subject of SUBJECTS) {
			for (const scenario of new Set(here.map((row) => row.scenario))) {
				const found = values.map((value) => here.find((row) => row.value === value && row.subject === subject && row.scenario === scenario));
				if (found.every(Boolean))
					table.push([`${subject} ${scenario}`, ...found.flatMap((row) => [Math.round(row.rate).toLocaleString('en-US'), (row.p99 / 1000).toFixed(1), row.allCpu.toFixed(1)]),
						(found.at(-1).rate / found[0].rate).toFixed(2)]);
			}
		}
		write('');
		for (const line of lines(table))
			write(line);
	}
}
