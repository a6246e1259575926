// SPDX-License-Identifier: Apache-2.0
/*
 * tests/realtime.md names every requirement, and only tests that there are.
 */
import { test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { root } from './kit/server.js';

const COUNTS = { E: 9, P: 11, W: 5, U: 6, H: 5, S: 13, A: 4, R: 6 };
const rows = fs.readFileSync(path.join(root, 'tests/realtime.md'), 'utf8').split('\n')
	.filter((line) => /^\| [A-Z]\d+ \|/.test(line))
	.map((line) => line.slice(2, -2).split(' | '));

test('every requirement is in the table, once', () => {
	const expected = Object.entries(COUNTS).flatMap(([letter, count]) => Array.from({ length: count }, (_, i) => `${letter}${i + 1}`));
	assert.deepEqual(rows.map(([id]) => id).sort(), expected.sort());
});

test('every test in the table exists', () => {
	for (const [id, , cell] of rows) {
		if (cell.startsWith('none: '))
			continue;
		for (const named of cell.split('<br>')) {
			const [, file, name] = /^(\S+): `(.+)`$/.exec(named) ?? assert.fail(`${id}: ${named}`);
			assert.ok(fs.readFileSync(path.join(root, 'tests', file), 'utf8').includes(name), `${id}: no ${name} in ${file}`);
		}
	}
});
