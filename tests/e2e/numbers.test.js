// SPDX-License-Identifier: Apache-2.0
/*
 * Wire contract, register: allocation of numbers does not fail before the space is full, and no number is
 * lost to a registration that fails. The million accounts are written into the store, all but four.
 */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { database, startServer } from './kit/server.js';
import { assertError } from './kit/http.js';
import { QUICK, randomName } from './kit/contract.js';

const SPACE = 1000000;
let server;
let free;
before(async () => {
	server = await startServer({ set: QUICK });
	free = new Set();
	while (free.size < 4)
		free.add(crypto.randomInt(SPACE));
	await server.kill();
	const { query } = await database(server);
	const [schema, number, series] = server.engine === 'postgresql'
		? ['convro.', "lpad(i::text, 6, '0')", `generate_series(0, ${SPACE - 1}) AS n(i)`]
		: ['', "printf('%06d', i)", `(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${SPACE - 1}) SELECT i FROM n)`];
	// ids beyond those that the server gives
	await query(`INSERT INTO ${schema}users (id, created_at, number) SELECT 1125899906842624 + i, 0, ${number} FROM ${series} WHERE i NOT IN (${[...free]})`);
	await query(`UPDATE ${schema}convro_meta SET i = ${SPACE} WHERE name = 'ordinal'`);
	server.http.close();
	await server.start();
});
after(() => server?.stop());

const register = (fields) => server.http.post('/v1/auth/register', { password: 'correct horse', ...fields });

test('the last numbers are given out, none is lost to a failed registration, and then registration says so', async () => {
	const given = [];
	const take = async (fields) => {
		const { status, text, body } = await register(fields);
		assert.equal(status, 201, text);
		given.push(Number(body.convroNumber.slice(3)));
		return body;
	};
	const username = randomName();
	await take({ username });
	for (let i = 0; i < 20; i++)
		assertError(await register({ username }), 409, 'USERNAME_TAKEN');

	const answers = await Promise.all(Array.from({ length: 10 }, () => register()));
	for (const answer of answers) {
		if (answer.status === 201)
			given.push(Number(answer.body.convroNumber.slice(3)));
		else
			assertError(answer, 500, 'FAILED_TO_ALLOCATE_CONVRO_NUMBER');
	}
	assert.deepEqual(given.sort((a, b) => a - b), [...free].sort((a, b) => a - b));
	assertError(await register(), 500, 'FAILED_TO_ALLOCATE_CONVRO_NUMBER');
});
