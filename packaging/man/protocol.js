// SPDX-License-Identifier: Apache-2.0
/*
 * The endpoint part of convro-protocol(7) out of a server's /openapi.json, so that the page and the server
 * tell the same.  node protocol.js < openapi.json prints it; with --write it replaces the part that stands
 * in convro-protocol.7 between the two comments. tests/e2e/reference.test.js fails when they differ.
 */
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';

export const BEGIN = '.\\" From here on printed by protocol.js, see there.';
export const END = '.\\" End of what is printed.';
export const manPage = fileURLToPath(new URL('convro-protocol.7', import.meta.url));

/** Text that mdoc takes as it is: no control line, no escape. */
function plain(text) {
	const escaped = text.replace(/\\/g, '\\e').replace(/-/g, '\\-').replace(/"/g, '\\(dq')
		.replace(/[^\x00-\x7f]/g, (char) => `\\[u${char.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}]`);
	return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

/** The argument of a macro; a two- or three-letter word alone could be taken for another macro. */
const word = (text) => (/^[A-Z][a-z]{1,2}$/.test(text) ? `\\&${plain(text)}` : plain(text)).replace(/ /g, '\\ ');

/** Sentences to lines of at most 78 columns. */
function filled(text) {
	const lines = [''];
	for (const part of text.split(/\s+/)) {
		if (lines.at(-1) && lines.at(-1).length + part.length > 77)
			lines.push(part);
		else
			lines[lines.length - 1] += lines.at(-1) ? ` ${part}` : part;
	}
	return lines.map(plain);
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;

/** Nested schemas to rows: [{ name: 'identity.publicKeyEd25519', required, schema }]. */
function bodyRows(schema, prefix = '') {
	const rows = [];
	for (const [key, member] of Object.entries(schema.properties ?? {})) {
		const name = `${prefix}${key}`;
		const required = schema.required?.includes(key) ?? false;
		if (member['x-convro-value'] !== undefined)
			rows.push({ name, required, schema: member, about: member });
		rows.push(...bodyRows(member, `${name}.`));
		if (member.items)
			rows.push(...bodyRows(member.items, `${name}[].`));
	}
	return rows;
}

function fieldLines({ name, required, schema, about }) {
	const facts = [`${about['x-convro-value']}${required ? '' : ', optional'}`];
	if (schema.default !== undefined)
		facts.push(`default ${JSON.stringify(schema.default)}`);
	if (about.description)
		facts.push(about.description);
	if (about['x-convro-aliases'])
		facts.push(`also as ${about['x-convro-aliases'].split(' ').join(', ')}`);
	const codes = [about['x-convro-error'], about['x-convro-error-large']].filter(Boolean);
	return [`.It Va ${word(name)}`, ...filled(`${facts.join('; ')}.`),
		...(codes.length > 0 ? filled(`Else ${codes.join(', ')}.`) : [])];
}

const list = (lines) => ['.Bl -tag -width Ds -compact', ...lines, '.El'];

function requestLines(operation) {
	const lines = [];
	for (const place of ['path', 'query']) {
		const rows = (operation.parameters ?? []).filter((parameter) => parameter.in === place);
		if (rows.length > 0) {
			lines.push('.Pp', place === 'path' ? 'In the path:' : 'Query:',
				...list(rows.flatMap((about) => fieldLines({ name: about.name, required: about.required, schema: about.schema, about }))));
		}
	}
	const body = operation.requestBody;
	const rows = body ? bodyRows(body.content['application/json'].schema) : [];
	if (rows.length > 0)
		lines.push('.Pp', body.required ? 'Body:' : 'Body (may be empty):', ...list(rows.flatMap(fieldLines)));
	return lines;
}

/** JSON, indented; small objects on one line. */
function pretty(value, indent = '') {
	const flat = JSON.stringify(value).replace(/([,:])(?=["[{\dtfn-])/g, '$1 ');
	if (value === null || typeof value !== 'object' || flat.length + indent.length < 56)
		return typeof value === 'object' ? flat : JSON.stringify(value);
	const inner = `${indent}  `;
	const members = Array.isArray(value)
		? value.map((item) => `${inner}${pretty(item, inner)}`)
		: Object.entries(value).map(([key, item]) => `${inner}${JSON.stringify(key)}: ${pretty(item, inner)}`);
	const [open, close] = Array.isArray(value) ? '[]' : '{}';
	return `${open}\n${members.join(',\n')}\n${indent}${close}`;
}

// Told once, in the sections HTTP and ACCESS.
const common = new Set(['UNAUTHORIZED', 'TOKEN_INVALID', 'TOKEN_EXPIRED', 'INVALID_JSON', 'BODY_TOO_LARGE',
	'UNSUPPORTED_MEDIA_TYPE', 'INTERNAL_ERROR', 'OVERLOADED', 'DB_UNAVAILABLE']);

/** "CODE: when", of an error response; undefined for an answer. */
function errorsOf(response) {
	const error = response.content?.['application/json']?.schema?.properties?.error;
	return error?.enum.map((code, i) => ({ code, when: error['x-convro-summaries'][i] }))
		.filter(({ code }) => !common.has(code))
		.map(({ code, when }) => (when ? `${code}: ${when}` : code));
}

function responseLines(operation) {
	const lines = [];
	const errors = [];
	for (const [status, response] of Object.entries(operation.responses)) {
		const codes = errorsOf(response);
		const example = response.content?.['application/json']?.example;
		if (codes) {
			if (codes.length > 0)
				errors.push(`.It ${status}`, ...filled(`${codes.join('; ')}.`));
			continue;
		}
		lines.push('.Pp', ...filled(`Answer ${status}${response.description === 'success' ? '' : `, ${response.description}`}${example ? ':' : '.'}`));
		if (example)
			lines.push('.Bd -literal -offset indent -compact', ...pretty(example).split('\n').map(plain), '.Ed');
	}
	if (errors.length > 0)
		lines.push('.Pp', 'Errors:', '.Bl -tag -width 4n -compact', ...errors, '.El');
	return lines;
}

/** @returns the lines between BEGIN and END, for the document of a server with all modules */
export function endpointSection(openapi) {
	const lines = ['.Sh ENDPOINTS', 'Errors that every endpoint of its kind can answer are told above, in',
		'.Sx HTTP', 'and', '.Sx ACCESS .'];
	for (const { name } of openapi.tags) {
		for (const [path, methods] of Object.entries(openapi.paths)) {
			for (const [method, operation] of Object.entries(methods)) {
				if (!operation.tags.includes(name))
					continue;
				const access = operation.security.length > 0 ? '' : ' (public)';
				lines.push(`.Ss ${word(name)}: ${method.toUpperCase()} ${plain(path)}${access}`);
				if (operation.summary)
					lines.push(...filled(sentence(operation.summary)));
				if (operation.description)
					lines.push(...filled(operation.description));
				lines.push(...requestLines(operation), ...responseLines(operation));
			}
		}
	}
	return `${lines.join('\n')}\n`;
}

/** The page with its endpoint part replaced. */
export function pageWith(section, page = fs.readFileSync(manPage, 'utf8')) {
	const from = page.indexOf(`${BEGIN}\n`);
	const to = page.indexOf(`${END}\n`);
	if (from < 0 || to < from)
		throw new Error(`${manPage} lacks the comments that its endpoint part stands between`);
	return page.slice(0, from + BEGIN.length + 1) + section + page.slice(to);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const section = endpointSection(JSON.parse(fs.readFileSync(0, 'utf8')));
	if (process.argv.includes('--write'))
		fs.writeFileSync(manPage, pageWith(section));
	else
		process.stdout.write(section);
}
