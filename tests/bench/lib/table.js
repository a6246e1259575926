// SPDX-License-Identifier: Apache-2.0
/*
 * Medians, and how they are printed.
 */
const number = (digits) => (value) => value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const millis = (us) => number(us < 10000 ? 2 : 1)(us / 1000);
const mib = (kib) => number(1)(kib / 1024);

/** key of a flattened result: title of the column, form */
const COLUMNS = {
	rate: ['per s', number(0)],
	mean: ['mean ms', millis],
	p50: ['p50 ms', millis],
	p99: ['p99 ms', millis],
	p999: ['p99.9 ms', millis],
	errors: ['errors', number(0)],
	serverCpu: ['server µs', number(1)],
	databaseCpu: ['database µs', number(1)],
	residentNow: ['RSS MiB', mib],
	loadBusy: ['generator', (value) => `${number(0)(value * 100)} %`],
	slowdown: ['p99 beside ÷ alone', number(2)],
	p99Alone: ['p99 alone ms', millis],
	loginRate: ['logins per s', number(1)],
	bytesPerSocket: ['bytes a socket', number(0)],
	residentFresh: ['RSS fresh MiB', mib],
	residentBefore: ['RSS before MiB', mib],
	residentAfter: ['RSS after MiB', mib],
	kept: ['again: after ÷ before', number(2)],
	socketsAgain: ['again: bytes a socket', number(0)],
	connectRate: ['connects per s', number(0)],
	connectCpu: ['connect µs', number(1)],
	idleCpu: ['idle µs/s', number(0)],
	allBackSeconds: ['all back s', number(2)],
	attempts: ['attempts', number(0)],
	failedAttempts: ['of these failed', number(0)],
	startSeconds: ['restart s', number(2)],
	messagesTaken: ['messages sent', number(0)],
	messagesMissing: ['missing', number(0)],
};
const USUAL = ['rate', 'p50', 'p99', 'p999', 'errors', 'serverCpu', 'databaseCpu', 'residentNow', 'loadBusy'];

/** One level: latency's members, and server and database together. */
export function flat(result) {
	const { latency, ...rest } = result;
	const all = result.serverCpu == null && result.databaseCpu == null ? null : (result.serverCpu ?? 0) + (result.databaseCpu ?? 0);
	return { ...rest, ...latency, allCpu: all };
}

function middle(values) {
	const sorted = values.toSorted ? values.toSorted((a, b) => a - b) : [...values].sort((a, b) => a - b);
	const half = sorted.length >> 1;
	return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Of each figure by itself; of texts the first; errors are added. */
export function median(results) {
	const rounds = results.map(flat);
	const out = {};
	for (const key of new Set(rounds.flatMap(Object.keys))) {
		const values = rounds.map((round) => round[key]).filter((value) => value != null);
		if (values.length === 0)
			out[key] = null;
		else
			out[key] = typeof values[0] === 'number' ? middle(values) : values[0];
	}
	out.errors = rounds.reduce((sum, { errors }) => sum + (errors ?? 0), 0);
	return out;
}

export function lines(rows) {
	const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
	return rows.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ').trimEnd());
}

const NAMES = { rate: 'rate', serverCpu: 'server CPU', allCpu: 'server and database CPU', p99: 'p99' };
const times = (value) => `${value >= 10 ? number(1)(value) : number(2)(value)} ×`;

/** How many times better: more is better for a rate, less for everything else. */
export function ratio(medians, [of, metric, to]) {
	const ours = medians[of]?.[metric], theirs = medians[to]?.[metric];
	if (!(ours > 0) || !(theirs > 0))
		return null;
	return metric === 'rate' ? ours / theirs : theirs / ours;
}

function comparison(medians, entry) {
	const [of, metric, to, floor] = entry;
	const value = ratio(medians, entry);
	if (value === null)
		return null;
	const isMissed = floor && value < floor ? ', NOT REACHED' : '';
	if (metric !== 'rate' && (floor ?? value) < 1) // more than theirs: said the other way round
		return `  ${of}: ${times(1 / value)} the ${NAMES[metric]} of ${to}${floor ? ` (at most ${times(1 / floor)}${isMissed})` : ''}`;
	const what = metric === 'rate' ? `the rate of ${to}` : `better than ${to} in ${NAMES[metric]}`;
	return `  ${of}: ${times(value)} ${what}${floor ? ` (floor ${times(floor)}${isMissed})` : ''}`;
}

function goal(medians, [of, key, kind, bound]) {
	const value = medians[of]?.[key];
	if (value == null)
		return null;
	const [title, form] = COLUMNS[key];
	const isReached = kind === 'atMost' ? value <= bound : value >= bound;
	return `  ${of}: ${title} ${form(value)} (${kind === 'atMost' ? 'at most' : 'at least'} ${form(bound)}${isReached ? '' : ', NOT REACHED'})`;
}

export function printScenario({ scenario, medians }, write) {
	const subjects = Object.keys(medians);
	const columns = (scenario.columns ?? [...USUAL, ...['mean', 'slowdown', 'p99Alone', 'loginRate']])
		.filter((key) => subjects.some((subject) => medians[subject][key] != null));
	const rows = [['', ...columns.map((key) => COLUMNS[key][0])],
		...subjects.map((subject) => [subject + (medians[subject].form ? ` (${medians[subject].form}, ${medians[subject].clients} clients)` : ''),
			...columns.map((key) => (medians[subject][key] == null ? '-' : COLUMNS[key][1](medians[subject][key])))])];
	write(`\n${scenario.name}: ${scenario.title}`);
	for (const line of lines(rows))
		write(`  ${line}`);
	for (const line of [...scenario.compare.map((entry) => comparison(medians, entry)), ...(scenario.goals ?? []).map((entry) => goal(medians, entry))]) {
		if (line !== null)
			write(line);
	}
	for (const subject of subjects) {
		if (medians[subject].errors > 0)
			write(`  ${subject}: first error: ${medians[subject].firstError}`);
	}
}
