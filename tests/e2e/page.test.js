// SPDX-License-Identifier: Apache-2.0
/* The status page in a real browser. */
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { startServer } from './kit/server.js';
import { openPage } from './kit/page.js';
import { assertStatus } from './kit/people.js';

let server;
let opened;
let page;
before(async () => {
	server = await startServer();
	opened = await openPage(server);
	({ page } = opened);
});
after(async () => {
	await opened?.close();
	await server?.stop();
});

const PATIENCE = { timeout: 30000 };
const state = (wanted, on = page) => on.waitForFunction((value) => document.getElementById('pill').dataset.state === value, wanted, PATIENCE);
const listed = (on = page) => on.locator('.index li').evaluateAll((items) => items.map((item) => {
	const [method, path, access] = ['.method', 'code', '.access'].map((selector) => item.querySelector(selector).textContent);
	return `${method} ${path} ${access}`;
}));

test('shows the health of the server, live', async () => {
	await state('ok');
	assert.equal(await page.locator('#health-db').textContent(), 'ok');
	const raw = JSON.parse(await page.locator('#health-raw').textContent());
	assert.deepEqual(Object.keys(raw), ['status', 'db', 'timestamp', 'version', 'uptimeSeconds']);
	const first = await page.locator('#health-time').textContent();
	await page.waitForFunction((seen) => document.getElementById('health-time').textContent !== seen, first, PATIENCE);
});

test('asks for nothing but health, and only here', async () => {
	const asked = [];
	page.on('request', (request) => asked.push(request.url()));
	await page.reload();
	await state('ok');
	page.removeAllListeners('request');
	assert.deepEqual(new Set(asked.filter((url) => !url.startsWith('data:'))), new Set([`${server.url}/`, `${server.url}/health`]));
});

test('lets nothing in that is not its own', async () => {
	const policy = opened.response.headers()['content-security-policy'];
	for (const rule of ["default-src 'none'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"])
		assert.ok(policy.split('; ').includes(rule), `${rule} is missing`);
	assert.doesNotMatch(policy, /unsafe|\*/);
	const ran = await page.evaluate(() => {
		const script = document.createElement('script');
		script.textContent = 'window.strange = true';
		document.body.append(script);
		script.remove();
		return window.strange === true;
	});
	assert.equal(ran, false, 'a script that was put in ran');
	opened.complaints.length = 0; // the browser has told of that one
});

test('lists what is registered, the same as OpenAPI', async () => {
	const { paths } = assertStatus(await server.http.get('/openapi.json'), 200).body;
	const expected = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods)
		.map(([method, { security }]) => `${method.toUpperCase()} ${path} ${security.length > 0 ? 'bearer' : 'public'}`));
	assert.ok(expected.length > 15);
	assert.deepEqual((await listed()).sort(), expected.sort());
	assert.equal(await page.locator('.endpoint').count(), expected.length);
});

test('is complete without JavaScript', async () => {
	const context = await page.context().browser().newContext({ javaScriptEnabled: false });
	const still = await context.newPage();
	await still.goto(server.url);
	assert.deepEqual(await still.locator('.index li').allTextContents(), await page.locator('.index li').allTextContents());
	await still.locator('#post-v1-prekeys-upload summary').click();
	assert.ok(await still.locator('#post-v1-prekeys-upload').getByText('INVALID_IDENTITY_KEY').first().isVisible());
	assert.ok(await still.getByText('Without JavaScript this card stays empty').isVisible());
	await context.close();
});

test('tells the fields, an answer and the errors of an endpoint, at a permalink that opens it', async () => {
	await page.goto(`${server.url}/#post-v1-auth-register`);
	const endpoint = page.locator('#post-v1-auth-register');
	await endpoint.locator('details[open]').waitFor();
	const text = await endpoint.innerText();
	for (const word of ['password', 'required', 'at least 8 characters', 'PASSWORD_TOO_SHORT', 'PASSWORD_TOO_LONG', 'deviceLabel', 'optional',
		'"convroNumber"', '201', '409', 'USERNAME_TAKEN', '413', 'BODY_TOO_LARGE', '503', 'DB_UNAVAILABLE'])
		assert.ok(text.includes(word), `${word} is missing`);
	const example = await endpoint.locator('pre').last().textContent();
	assert.equal(JSON.parse(example).platform, 'ios');
	assert.match(example, /\n {2}"userId": 1,\n/);
});

test('every link within the page leads somewhere', async () => {
	const dead = await page.locator('a[href^="#"]').evaluateAll((links) => links
		.map((link) => link.getAttribute('href').slice(1)).filter((id) => !document.getElementById(id)));
	assert.deepEqual(dead, []);
	const ids = await page.locator('[id]').evaluateAll((all) => all.map(({ id }) => id));
	assert.equal(new Set(ids).size, ids.length, 'an id is there twice');
});

test('can be used with the keyboard alone', async () => {
	await page.goto(server.url);
	await page.keyboard.press('Tab');
	assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
	await page.locator('#get-health summary').focus();
	await page.keyboard.press('Enter');
	assert.ok(await page.locator('#get-health details').evaluate((details) => details.open));
	const outline = await page.locator('#get-health summary').evaluate((summary) => getComputedStyle(summary).outlineStyle);
	assert.notEqual(outline, 'none', 'one cannot see where the focus is');
});

test('expands, collapses and filters', async () => {
	await page.goto(server.url);
	const all = await page.locator('.endpoint').count();
	await page.getByRole('button', { name: 'Expand all' }).click();
	assert.equal(await page.locator('.endpoint details[open]').count(), all);
	await page.getByRole('button', { name: 'Collapse all' }).click();
	assert.equal(await page.locator('.endpoint details[open]').count(), 0);
	await page.getByLabel('Filter').fill('users resolve');
	assert.deepEqual(await page.locator('.endpoint:visible').evaluateAll((some) => some.map(({ id }) => id)), ['get-v1-users-resolve']);
	assert.equal(await page.locator('#filter-count').textContent(), `1 of ${all}`);
	await page.getByLabel('Filter').fill('');
	assert.equal(await page.locator('.endpoint:visible').count(), all);
});

test('stops asking while it is paused', async () => {
	await page.goto(server.url);
	await state('ok');
	await page.getByRole('button', { name: 'Pause' }).click();
	const before = await page.locator('#health-time').textContent();
	await page.waitForTimeout(6000);
	assert.equal(await page.locator('#health-time').textContent(), before);
	await page.getByRole('button', { name: 'Resume' }).click();
	await page.waitForFunction((seen) => document.getElementById('health-time').textContent !== seen, before, PATIENCE);
});

test('stops asking while nobody sees it', async () => {
	await page.goto(server.url);
	await state('ok');
	const asked = [];
	const count = (request) => asked.push(request.url());
	const setHidden = (hidden) => page.evaluate((value) => {
		Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
		document.dispatchEvent(new Event('visibilitychange'));
	}, hidden);
	await setHidden(true);
	page.on('request', count);
	await page.waitForTimeout(6000);
	assert.deepEqual(asked, []);
	const next = page.waitForRequest(`${server.url}/health`, PATIENCE);
	await setHidden(false);
	await next;
	page.off('request', count);
});

/* Every visible text against what is behind it (WCAG 2, 1.4.3). */
function poorContrasts() {
	const channels = (color) => color.match(/[\d.]+/g).map(Number);
	const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
		.map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
		.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = (element) => {
		for (let at = element; at; at = at.parentElement) {
			const color = channels(getComputedStyle(at).backgroundColor);
			if (color.length === 3 || color[3] === 1)
				return color;
		}
		throw new Error('nothing is behind the text');
	};
	const poor = [];
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) {
		const element = walker.currentNode.parentElement;
		if (!walker.currentNode.textContent.trim() || !element.checkVisibility() || element.tagName === 'SCRIPT')
			continue;
		const [light, dark] = [channels(getComputedStyle(element).color), behind(element)].map(luminance).sort((a, b) => b - a);
		const ratio = (light + 0.05) / (dark + 0.05);
		if (ratio < 4.5)
			poor.push(`${ratio.toFixed(2)}: ${walker.currentNode.textContent.trim()}`);
	}
	return poor;
}

for (const colorScheme of ['light', 'dark']) {
	test(`is readable in ${colorScheme}`, async () => {
		await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
		await page.goto(server.url);
		await state('ok');
		await page.getByRole('button', { name: 'Expand all' }).click();
		const [r, g, b] = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor.match(/\d+/g).map(Number));
		assert.equal(r + g + b > 3 * 128, colorScheme === 'light', 'the page does not follow the scheme');
		assert.deepEqual(await page.evaluate(poorContrasts), []);
		await page.emulateMedia({ colorScheme: null, reducedMotion: null });
	});
}

test('fits a phone of 360 pixels, everything expanded', async () => {
	const size = page.viewportSize();
	await page.setViewportSize({ width: 360, height: 740 });
	await page.goto(server.url);
	await state('ok');
	await page.getByRole('button', { name: 'Expand all' }).click();
	const width = await page.evaluate(() => document.documentElement.scrollWidth);
	const wide = await page.evaluate(() => [...document.querySelectorAll('main *')].filter((element) => element.checkVisibility()
		&& !element.closest('pre') && element.getBoundingClientRect().right > 361).map((element) => element.outerHTML.slice(0, 120)));
	assert.deepEqual([width, wide], [360, []]);
	await page.setViewportSize(size);
});

test('paper shows everything', async () => {
	await page.goto(server.url);
	await page.emulateMedia({ media: 'print' });
	await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
	assert.equal(await page.locator('.endpoint details:not([open])').count(), 0);
	assert.equal(await page.locator('nav').isVisible(), false);
	await page.evaluate(() => dispatchEvent(new Event('afterprint')));
	assert.equal(await page.locator('.endpoint details[open]').count(), 0);
	await page.emulateMedia({ media: null });
});

test('has complained of nothing so far', () => {
	assert.deepEqual(opened.complaints, []);
});

test('a module that is not loaded has no endpoints on the page, and a title cannot break out', async () => {
	const small = await startServer({ modules: ['status', 'auth'], set: { 'status.title': '</title><script>alert(1)</script>' } });
	const other = await openPage(small);
	try {
		await state('ok', other.page);
		const rows = await listed(other.page);
		assert.ok(rows.includes('GET /v1/auth/me bearer'));
		assert.ok(!rows.some((row) => /\/(users|prekeys|dm)\//.test(row)));
		assert.ok(await other.page.getByText('This server runs without the module socketio').isVisible());
		assert.equal(await other.page.locator('h1').textContent(), '</title><script>alert(1)</script>');
		assert.equal(await other.page.locator('.flow a').count(), 2, 'only register and login can be linked to');
		assert.deepEqual(other.complaints, []);
	} finally {
		await other.close();
		await small.stop();
	}
});

test('says so when the server cannot be reached, and when it is back', async () => {
	await page.goto(server.url);
	await state('ok');
	await server.kill();
	await state('unreachable');
	assert.match(await page.locator('#pill-text').textContent(), /cannot be reached/);
	assert.match(await page.locator('#health-raw').textContent(), /No answer/);
	await server.start();
	await state('ok');
});
