// SPDX-License-Identifier: Apache-2.0
/*
 * Draws how cost grows from what `./dev bench --growth --json FILE` wrote, and the same as a table in Markdown:
 *
 *	node tests/bench/plot.js FILE packaging/doc/growth.svg packaging/doc/growth.md
 */
import fs from 'node:fs';

const PANEL = { width: 210, height: 190, left: 62, top: 74, gapX: 26, gapY: 56 };
const COLOURS = { send: '#d55e00', push: '#7b3294', history: '#0072b2', conversations: '#009e73', bundle: '#cc79a7', resolve: '#b58900', me: '#555555' };
const AXES = { messages: 'messages stored', users: 'users', sockets: 'idle sockets beside', workers: 'workers' };

const short = (value) => (value >= 1e6 ? `${value / 1e6} M` : value >= 1e3 ? `${value / 1e3} k` : String(value));
const escape = (text) => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
const text = (x, y, content, more = '') => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escape(content)}</text>`;

/** Powers of ten around all figures. */
function range(rows) {
	const values = rows.map(({ allCpu }) => allCpu).filter((value) => value > 0);
	return [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))];
}

function panel(rows, { axis, left, top, low, high, isFirst }) {
	const values = [...new Set(rows.map(({ value }) => value))].sort((a, b) => a - b);
	const x = (value) => left + 16 + (values.length > 1 ? values.indexOf(value) / (values.length - 1) : 0.5) * (PANEL.width - 32);
	const y = (micros) => top + PANEL.height * (1 - (Math.log10(micros) - low) / (high - low));
	const out = [`<rect x="${left}" y="${top}" width="${PANEL.width}" height="${PANEL.height}" fill="#fafafa" stroke="#ccc"/>`];
	for (let power = low; power <= high; power++) {
		if (power > low && power < high)
			out.push(`<line x1="${left}" x2="${left + PANEL.width}" y1="${y(10 ** power)}" y2="${y(10 ** power)}" stroke="#ddd"/>`);
		if (isFirst)
			out.push(text(left - 8, y(10 ** power) + 4, `${(10 ** power).toLocaleString('en-US')} µs`, 'text-anchor="end"'));
	}
	for (const value of values)
		out.push(text(x(value), top + PANEL.height + 16, short(value), 'text-anchor="middle"'));
	out.push(text(left + PANEL.width / 2, top + PANEL.height + 32, AXES[axis], 'text-anchor="middle" fill="#555"'));
	for (const [name, colour] of Object.entries(COLOURS)) {
		const points = rows.filter((row) => row.scenario === name && row.allCpu > 0).sort((a, b) => a.value - b.value);
		if (points.length === 0)
			continue;
		out.push(`<polyline fill="none" stroke="${colour}" stroke-width="2" points="${points.map((row) => `${x(row.value).toFixed(1)},${y(row.allCpu).toFixed(1)}`).join(' ')}"/>`);
		for (const row of points)
			out.push(`<circle cx="${x(row.value).toFixed(1)}" cy="${y(row.allCpu).toFixed(1)}" r="3" fill="${colour}"><title>${name}, ${short(row.value)} ${axis}: ${row.allCpu.toFixed(1)} µs, ${Math.round(row.rate)} a second</title></circle>`);
	}
	return out;
}

function legend(names, top) {
	const out = [];
	let x = PANEL.left;
	for (const name of names) {
		out.push(`<rect x="${x}" y="${top - 9}" width="10" height="10" fill="${COLOURS[name]}"/>`, text(x + 15, top, name));
		x += 34 + name.length * 7;
	}
	return out;
}

export function draw({ growth, machine }) {
	const axes = Object.keys(AXES).filter((axis) => growth.some((row) => row.axis === axis));
	const subjects = [...new Set(growth.map(({ subject }) => subject))];
	const [low, high] = range(growth);
	const width = PANEL.left + axes.length * (PANEL.width + PANEL.gapX);
	const height = PANEL.top + subjects.length * (PANEL.height + PANEL.gapY) + 12;
	const out = [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#222">`,
		`<rect width="${width}" height="${height}" fill="white"/>`,
		text(PANEL.left, 20, 'Processor time of one operation, server and database together', 'font-size="15" font-weight="bold"'),
		text(PANEL.left, 36, `${machine.cpu}, ${machine.cores} cores`, 'fill="#555"'),
		...legend(Object.keys(COLOURS).filter((name) => growth.some((row) => row.scenario === name)), 54)];
	subjects.forEach((subject, row) => {
		const top = PANEL.top + row * (PANEL.height + PANEL.gapY);
		axes.forEach((axis, column) => {
			const left = PANEL.left + column * (PANEL.width + PANEL.gapX);
			out.push(...panel(growth.filter((found) => found.axis === axis && found.subject === subject), { axis, left, top, low, high, isFirst: column === 0 }));
			if (column === 0)
				out.push(text(left + 8, top + 16, subject, 'font-weight="bold"'));
		});
	});
	return `${[...out, '</svg>'].join('\n')}\n`;
}

export function tabulate({ growth, machine, settings, date }) {
	const out = ['# How cost grows', '', `Written by \`tests/bench/plot.js\` from a run of \`./dev bench --growth\` on ${date.slice(0, 10)}: ${machine.cpu}, ${machine.cores} cores, `
		+ `${machine.postgresql}, SQLite ${machine.sqlite}; medians of ${settings.rounds} rounds of ${settings.seconds} s. CPU is server and database together; `
		+ 'how it is measured stands in `tests/bench/README.md`.', '', '![processor time of one operation](growth.svg)', ''];
	for (const axis of Object.keys(AXES)) {
		const rows = growth.filter((row) => row.axis === axis);
		if (rows.length === 0)
			continue;
		const values = [...new Set(rows.map(({ value }) => value))];
		out.push(`## ${AXES[axis]}`, '', `| | ${values.map((value) => `${short(value)}: a second | CPU µs | p99 ms`).join(' | ')} |`, `|---|${values.map(() => '--:|--:|--:').join('|')}|`);
		for (const subject of new Set(rows.map((row) => row.subject))) {
			for (const scenario of new Set(rows.filter((row) => row.subject === subject).map((row) => row.scenario))) {
				const cells = values.map((value) => {
					const row = rows.find((found) => found.subject === subject && found.scenario === scenario && found.value === value);
					return row?.rate > 0 ? `${Math.round(row.rate).toLocaleString('en-US')} | ${row.allCpu.toFixed(1)} | ${(row.p99 / 1000).toFixed(1)}` : '- | - | -';
				});
				out.push(`| ${subject} ${scenario} | ${cells.join(' | ')} |`);
			}
		}
		out.push('');
	}
	return out.join('\n');
}

if (import.meta.url === `file://${process.argv[1]}`) {
	const [, , from, svg, table] = process.argv;
	if (!svg) {
		process.stderr.write('usage: plot.js REPORT.json GROWTH.svg [GROWTH.md]\n');
		process.exit(2);
	}
	const report = JSON.parse(fs.readFileSync(from, 'utf8'));
	fs.writeFileSync(svg, draw(report));
	if (table)
		fs.writeFileSync(table, tabulate(report));
}
