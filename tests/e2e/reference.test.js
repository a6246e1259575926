// SPDX-License-Identifier: Apache-2.0
/* convro-protocol(7) is what the server says of itself. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { startServer } from './kit/server.js';
import { endpointSection, manPage, pageWith } from '../../packaging/man/protocol.js';

let server;
before(async () => { server = await startServer(); });
after(() => server?.stop());

test('the endpoints in convro-protocol(7) are those of the server', async () => {
	const page = fs.readFileSync(manPage, 'utf8');
	const expected = pageWith(endpointSection((await server.http.get('/openapi.json')).body), page);
	assert.equal(page, expected, 'run: node packaging/man/protocol.js --write < openapi.json (of a server with all modules)');
});
