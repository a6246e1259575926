// SPDX-License-Identifier: Apache-2.0
/*
 * Two real clients walk the seven-step Flow over a running server: real HTTP, the real socket.io-client,
 * real handshake99 encryption. Ala polls, Bob is pushed to. Ends with 0 only when each has decrypted
 * exactly what the other said. Run by ./dev demo; the clients themselves are in tests/e2e/kit/.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { HttpClient } from '../e2e/kit/http.js';
import { accept, assertStatus, openOnly, register } from '../e2e/kit/people.js';
import { startServer } from '../e2e/kit/server.js';
import { connectSocket } from '../e2e/kit/socket.js';

const talk = [
	['Ala', 'Cześć Bob, is this line private?'],
	['Ala', 'The server should only see noise.'],
	['Bob', 'It is. Here is what I read: two messages, in order.'],
	['Ala', 'Good. Shall we meet on Friday at six?'],
	['Bob', 'Friday at six it is. 👋'],
	['Ala', 'See you there.'],
];

const isColoured = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code, text) => (isColoured ? `\x1b[${code}m${text}\x1b[0m` : text);
const bold = (text) => paint(1, text);
const dim = (text) => paint(2, text);
const say = (text = '') => console.log(text);
const heading = (number, text) => say(`\n${bold(`${number}. ${text}`)}`);

/** Says every request it makes. */
class TalkativeClient extends HttpClient {
	async request(options) {
		const answer = await super.request(options);
		say(dim(`   ${(options.method ?? 'GET').padEnd(4)} ${options.path}  ${answer.status}`));
		return answer;
	}
}

async function isConvro(url) {
	const client = new HttpClient(url);
	try {
		const { status, body } = await client.get('/health');
		if (status !== 200 || body?.status !== 'ok')
			throw new Error(`what listens on ${url} is no healthy Convro; give another address with --url`);
		return true;
	} catch (error) {
		if (error.code === 'ECONNREFUSED')
			return false;
		throw error;
	} finally {
		client.close();
	}
}

/** The server of --url or of ./dev run; with neither, one of our own. */
async function findServer(given) {
	const url = (given ?? 'http://127.0.0.1:8080').replace(/\/$/, '');
	if (await isConvro(url)) {
		say(`Convro demo on ${bold(url)}`);
		return { url, stop: async () => {} };
	}
	if (given)
		throw new Error(`nothing listens on ${url}`);
	const own = await startServer();
	say(`Convro demo. Nothing listens on ${url}, so here is a server of its own on ${bold(own.url)}, with a directory that is removed afterwards.`);
	return own;
}

async function registerBoth(server) {
	heading(1, 'Register: tokens, a device and a number each');
	const ala = await register(server, { fullName: 'Ala', platform: 'ios', deviceLabel: "Ala's telephone" });
	const bob = await register(server, { fullName: 'Bob', platform: 'android', deviceLabel: "Bob's telephone" });
	for (const person of [ala, bob])
		say(`   ${person.fullName} is ${bold(person.convroNumber)} on device ${person.deviceId}`);
	return [ala, bob];
}

async function uploadKeys(people) {
	heading(2, 'Upload prekeys: identity, signed prekey, one-time keys');
	for (const person of people) {
		const { body } = await person.uploadPrekeys(10);
		say(`   ${person.fullName} has ${body.storedOneTimePrekeys} one-time keys on the server`);
	}
}

async function resolvePeer(ala, bob) {
	heading(3, "Resolve: Ala types Bob's number");
	const query = new URLSearchParams({ convroNumber: bob.convroNumber });
	const { body } = assertStatus(await ala.get(`/v1/users/resolve?${query}`), 200);
	assert.equal(body.userId, bob.userId);
	say(`   ${bob.convroNumber} is ${body.fullName}`);
}

async function openSession(ala, bob) {
	heading('4 and 5', 'Bundle and handshake offer: Ala checks the signature, agrees on keys, opens the session');
	const opened = await openOnly(ala, bob, { anyDevice: true });
	say(`   session ${bold(opened.sessionId)}, with one-time key ${opened.offer.usedOneTimePrekeyId}`);
	return opened;
}

async function acceptSession(bob, opened) {
	heading(6, 'Accept: Bob finds the offer and derives the same keys');
	const { body } = assertStatus(await bob.get('/v1/dm/sessions/incoming'), 200);
	const row = body.sessions.find((session) => session.sessionDbId === opened.sessionDbId);
	assert.ok(row, 'the offer did not arrive');
	const end = await accept(bob, row);
	say('   the session is ACTIVE');
	return end;
}

/** Walks through `talk`; answers what each side decrypted. */
async function converse(ala, bob, socket) {
	heading(7, 'Messages: Bob gets his by Socket.IO push, Ala asks for hers with afterId');
	const heard = { Ala: [], Bob: [] };
	let cursor = 0;
	for (const [speaker, text] of talk) {
		const { row } = await (speaker === 'Ala' ? ala : bob).send(text);
		say(`   ${dim(`the server sees ${row.ciphertext.slice(0, 48)}…`)}`);
		if (speaker === 'Ala') {
			const pushed = await socket.waitFor('dm.message', (message) => message.id === row.id, 20000);
			heard.Bob.push(bob.read(pushed));
			say(`   Bob, by push, reads     ${bold(heard.Bob.at(-1))}`);
		} else {
			const page = await ala.history({ afterId: cursor });
			for (const message of page.messages)
				heard.Ala.push(ala.read(message));
			cursor = page.nextAfterId;
			say(`   Ala, by polling, reads  ${bold(heard.Ala.at(-1))}`);
		}
	}
	return heard;
}

async function confirm(ala, bob) {
	const { messages } = await bob.history({ direction: 'incoming' });
	const body = { messageIds: messages.map((row) => row.id), status: 'READ' };
	assertStatus(await bob.person.post('/v1/dm/messages/receipts', body), 200);
	const rows = (await ala.history({ direction: 'all' })).messages.filter((row) => row.senderDeviceId === ala.person.deviceId);
	assert.ok(rows.every((row) => row.deliveryState === 'READ'), 'a message that was read is not shown as READ');
	say(`   Bob confirms; Ala sees all ${rows.length} of her messages as READ`);
}

const saidBy = (speaker) => talk.filter(([who]) => who === speaker).map(([, text]) => text);

async function walk(url) {
	const server = { url, http: new TalkativeClient(url) };
	const [ala, bob] = await registerBoth(server);
	const socket = await connectSocket(server, bob, { auth: { acks: true } });
	try {
		await uploadKeys([ala, bob]);
		await resolvePeer(ala, bob);
		const opened = await openSession(ala, bob);
		const bobsEnd = await acceptSession(bob, opened);
		const heard = await converse(opened.initiator, bobsEnd, socket);
		await confirm(opened.initiator, bobsEnd);
		assert.deepEqual(heard, { Ala: saidBy('Bob'), Bob: saidBy('Ala') });
	} finally {
		socket.close();
		server.http.close();
	}
	say(`\n${bold('Both sides decrypted every message, and each equals what was said.')}`);
}

const { values } = parseArgs({ options: { url: { type: 'string' } } });
try {
	const server = await findServer(values.url);
	try {
		await walk(server.url);
	} finally {
		await server.stop();
	}
} catch (error) {
	console.error(`\ndemo: ${error.message}`);
	process.exitCode = 1;
}
