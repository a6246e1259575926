// SPDX-License-Identifier: Apache-2.0
/*
 * What clang-format does not see: banned functions, who may include whom, SQL outside sql/, licence lines,
 * file lengths. Prints "file:line: complaint" and ends with 1 when there is any. Run by check-style.sh.
 */
import fs from 'node:fs';
import path from 'node:path';

const folders = ['.ci', 'core', 'modules', 'include', 'sql', 'conf', 'tests', 'packaging'];
const skipped = new Set(['node_modules', 'build', 'corpus']);
const complaints = [];
const complain = (file, line, text) => complaints.push(`${file}:${line}: ${text}`);

function* walk(folder) {
	if (!fs.existsSync(folder))
		return;
	for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
		const name = path.posix.join(folder, entry.name);
		if (entry.isDirectory() && !skipped.has(entry.name))
			yield* walk(name);
		else if (entry.isFile())
			yield name;
	}
}

/** The text with comments, and if wanted the insides of strings, blanked; lines keep their numbers. */
function stripped(text, { strings }) {
	return text.replace(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\*[^]*?\*\/|\/\/[^\n]*/g, (part) => {
		if (part[0] === '/')
			return part.replace(/[^\n]/g, ' ');
		return strings ? part : `${part[0]}${' '.repeat(part.length - 2)}${part[0]}`;
	});
}

function eachMatch(text, pattern, found) {
	for (const match of text.matchAll(pattern))
		found(match, text.slice(0, match.index).split('\n').length);
}

const banned = /(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|rand|alloca|localtime|signal|system)\s*\(/g;
const secretCompare = /(?<!\w)memcmp\s*\([^;]*?(secret|password|signature|token|mac\b)/g;

function checkCalls(file, text) {
	const code = stripped(text, { strings: false });
	eachMatch(code, banned, ([, name], line) => complain(file, line, `${name}() is banned`));
	eachMatch(code, secretCompare, (match, line) => complain(file, line, 'a secret is compared with memcmp: use sodium_memcmp'));
}

// A file may include its own folder and lower levels. Folders of one level may use each other one way.
const levels = [['base'], ['conf', 'log'], ['loop'], ['net', 'db', 'json', 'auth', 'bus'], ['http', 'ws'], ['obs'],
	['mod'], ['server', 'ctl']];
const levelOf = (folder) => levels.findIndex((level) => level.includes(folder));
const siblings = new Map(); // "a b" -> where a first included b

// Libraries that one place keeps from everybody else.
const fenced = [
	[/^evhtp/, /^core\/http\//],
	[/^(libpq|pg_config|postgres)/, /^core\/db\/postgresql\//],
	[/^sqlite3/, /^core\/db\/sqlite\//],
];

function checkCoreInclude(file, line, name) {
	const parts = file.split('/');
	const from = parts.length > 2 ? parts[1] : 'server';
	const to = name.includes('/') ? name.split('/')[0] : from;
	if (!fs.existsSync(path.posix.join('core', name))) {
		if (!name.endsWith('_sql.h'))
			complain(file, line, `"${name}" is no file under core/`);
		return;
	}
	if (levelOf(from) < 0)
		complain(file, line, `core/${from} has no place in the include order`);
	else if (levelOf(to) > levelOf(from))
		complain(file, line, `core/${from} may not include core/${to}`);
	else if (to !== from && levelOf(to) === levelOf(from))
		siblings.set(`${from} ${to}`, { file, line });
}

function checkModuleInclude(file, line, name) {
	const [, module] = file.split('/');
	const isOwn = !name.includes('/') && fs.existsSync(path.posix.join(path.posix.dirname(file), name));
	if (!isOwn && name !== `${module}_sql.h`)
		complain(file, line, `a module includes <convro/...>, its own headers and ${module}_sql.h, not "${name}"`);
}

function checkIncludes(file, text) {
	const code = stripped(text, { strings: true });
	eachMatch(code, /^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]/gm, ([, kind, name], line) => {
		for (const [header, home] of fenced) {
			if (header.test(name) && !home.test(file) && /^(core|modules|include)\//.test(file))
				complain(file, line, `<${name}> is not for this folder`);
		}
		if (kind === '"' && file.startsWith('core/'))
			checkCoreInclude(file, line, name);
		if (kind === '"' && file.startsWith('modules/'))
			checkModuleInclude(file, line, name);
		if (kind === '"' && file.startsWith('include/'))
			complain(file, line, 'public headers include each other as <convro/...>');
	});
}

function checkSiblings() {
	for (const [edge, { file, line }] of siblings) {
		const [from, to] = edge.split(' ');
		if (siblings.has(`${to} ${from}`))
			complain(file, line, `core/${from} and core/${to} include each other`);
	}
}

const sqlText = /"[^"\n]*(?:\bSELECT\s|\b(?:insert\s+into|delete\s+from|(?:create|alter|drop)\s+(?:table|index)|update\s+\w+\s+set)\b)/gi;

function checkSql(file, text) {
	// What a driver says to its own connection (settings, locks, transactions) is no statement of a module.
	if (/^core\/db\/(sqlite|postgresql)\//.test(file))
		return;
	// "select" in lower case is an English word too, so there only capitals count.
	eachMatch(stripped(text, { strings: true }), sqlText, ([found], line) => {
		if (!/select\s$/i.test(found) || /SELECT\s$/.test(found))
			complain(file, line, 'SQL belongs into sql/');
	});
}

const licence = 'SPDX-License-Identifier: Apache-2.0';

function checkText(file, text) {
	const lines = text.split('\n');
	if (/\.(c|h|js|sh|cmake|sql)$|CMakeLists\.txt$/.test(file) && !lines.slice(0, 2).some((line) => line.includes(licence)))
		complain(file, 1, 'the SPDX line is missing');
	if (/\.[ch]$/.test(file) && lines[0] !== `/* ${licence} */`)
		complain(file, 1, 'the first line is not the SPDX line');
	if (/\.(c|h|js|sh)$/.test(file) && lines.length > 501 && !text.includes('longer than 500 lines: '))
		complain(file, 500, `${lines.length - 1} lines; split it, or say why: /* longer than 500 lines: why */`);
	lines.forEach((line, index) => {
		if (/\b(?:TO{1}DO|FIX{1}ME|X{3})\b/.test(line))
			complain(file, index + 1, 'unfinished business: finish it or file an issue');
		if (/[ \t]$/.test(line) && !file.endsWith('.md'))
			complain(file, index + 1, 'blanks at the end of the line');
		if (file.endsWith('.js') && /^\t* {2,}\S/.test(line))
			complain(file, index + 1, 'indented with blanks');
	});
}

for (const folder of folders) {
	for (const file of walk(folder)) {
		if (!/\.(c|h|js|sh|cmake|sql|conf|md)$|CMakeLists\.txt$|^\.ci\/run$/.test(file))
			continue;
		const text = fs.readFileSync(file, 'utf8');
		checkText(file, text);
		if (!/\.[ch]$/.test(file))
			continue;
		checkCalls(file, text);
		checkIncludes(file, text);
		if (/^(core|modules|include)\//.test(file))
			checkSql(file, text);
	}
}
checkText('dev', fs.readFileSync('dev', 'utf8'));
checkSiblings();

for (const complaint of complaints)
	console.error(complaint);
process.exitCode = complaints.length > 0 ? 1 : 0;
