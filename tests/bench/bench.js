// SPDX-License-Identifier: Apache-2.0
/*
 * ./dev bench: Convro on both stores beside what one would use instead, in one run on one machine. What is
 * measured is in lib/scenarios.js, how in lib/bench.js, and how to read it in README.md.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Bench, layout } from './lib/bench.js';
import { growth } from './lib/growth.js';
import { scenarios } from './lib/scenarios.js';
import { flushesPerSecond, machine, root, say } from './lib/system.js';
import { median, printScenario, ratio } from './lib/table.js';

function readArguments(known) {
	try {
		return parseArgs({ options: known });
	} catch (error) {
		return refuse(`${error.message.split('\n')[0]} (see ./dev help)`);
	}
}

const { values: options } = readArguments({
	scenario: { type: 'string', multiple: true },
	subject: { type: 'string', multiple: true },
	rounds: { type: 'string' },
	seconds: { type: 'string' },
	messages: { type: 'string' },
	users: { type: 'string' },
	workers: { type: 'string' },
	build: { type: 'string', default: path.join(root, 'build/gcc-release') },
	json: { type: 'string' },
	quick: { type: 'boolean' },
	growth: { type: 'boolean' },
});

const write = (line) => process.stdout.write(`${line}\n`);

function refuse(text) {
	say(text);
	process.exit(2);
}

function count(name, fallback) {
	const value = Number(options[name] ?? fallback);
	if (!(value > 0))
		refuse(`--${name} takes a number above 0, not '${options[name]}'`);
	return value;
}

function chosen() {
	for (const name of options.scenario ?? []) {
		if (!scenarios.some((scenario) => scenario.name === name))
			refuse(`no scenario '${name}': there are ${scenarios.map((scenario) => scenario.name).join(', ')}`);
	}
	const wanted = scenarios.filter(({ name }) => !options.scenario || options.scenario.includes(name));
	const only = options.subject;
	return wanted.map((scenario) => ({ ...scenario, subjects: scenario.subjects.filter((name) => !only || only.includes(name)) }))
		.filter(({ subjects }) => subjects.length > 0);
}

/** All subjects in each round, in turn from the front and from the back, so that noise hits them all. */
async function runScenario(bench, scenario, rounds) {
	const results = Object.fromEntries(scenario.subjects.map((name) => [name, []]));
	for (const name of options.quick ? [] : scenario.subjects)
		await bench.warm(scenario, name);
	for (let round = 0; round < rounds; round++) {
		const order = round % 2 === 0 ? scenario.subjects : scenario.subjects.toReversed?.() ?? [...scenario.subjects].reverse();
		for (const name of order) {
			say(`${scenario.name}, round ${round + 1} of ${rounds}: ${name}`);
			try {
				results[name].push(await bench.measure(scenario, name));
			} catch (error) {
				say(`${scenario.name} on ${name} failed: ${error.message}`);
				results[name].push({ errors: 1, firstError: error.message.split('\n')[0], latency: {} });
			}
		}
	}
	const medians = Object.fromEntries(Object.entries(results).map(([name, all]) => [name, median(all)]));
	return { scenario, medians, results };
}

function toJson({ scenario: { name, title, compare }, medians, results }) {
	return { name, title, medians, ratios: compare.map((entry) => ({ of: entry[0], metric: entry[1], to: entry[2], floor: entry[3] ?? null, value: ratio(medians, entry) })), results };
}

const wanted = chosen();
const seconds = count('seconds', options.quick ? 1 : 5);
const rounds = count('rounds', options.quick ? 1 : 3);
const cpus = layout(os.cpus().length);
const settings = { seconds, rounds, cpus, workers: count('workers', 1), messages: count('messages', 10000), users: count('users', 20000) };
const report = { date: new Date().toISOString(), machine: await machine(), settings, scenarios: [] };
const bench = new Bench({ build: path.resolve(options.build), cpus, seconds, workers: settings.workers, size: { users: settings.users, messages: settings.messages } });

/** After each scenario, so that a run that is broken off has not been for nothing. */
function save() {
	if (options.json)
		fs.writeFileSync(options.json, `${JSON.stringify(report, null, '\t')}\n`);
}

write(`${report.machine.cpu}, ${report.machine.cores} cores, Linux ${report.machine.kernel}, ${report.machine.postgresql}, SQLite ${report.machine.sqlite}, Node ${report.machine.node}`);
write(`server on core ${cpus.server}, generator on ${cpus.generator}, PostgreSQL on ${cpus.database}; ${settings.users} users, ${settings.messages} messages; ${rounds} x ${seconds} s, medians`);

if (options.growth) {
	report.growth = await growth({ build: bench.build, cpus, seconds, rounds, isQuick: options.quick, write, progress: (rows) => { report.growth = rows; save(); } });
} else {
	await bench.start([]);
	report.flushes = flushesPerSecond(bench.dir, Math.min(2, seconds));
	write(`the disk takes ${Math.round(report.flushes.rate)} flushes a second, one after the other (p50 ${Math.round(report.flushes.latency.p50)} µs, p99 ${Math.round(report.flushes.latency.p99)} µs)`);
	for (const scenario of wanted) {
		const done = await runScenario(bench, scenario, rounds);
		if (scenario.kind === 'slowFlush')
			await bench.endSlow();
		printScenario(done, write);
		report.scenarios.push(toJson(done));
		report.pgbench = bench.best;
		save();
	}
	await bench.stop();
}
save();
process.exit(0);
