// SPDX-License-Identifier: Apache-2.0
/* Debian's own Chromium, without a window; what the page complains of is kept, so that a test can insist on nothing. */
import { chromium } from 'playwright-core';

export async function openPage(server, path = '/') {
	// Chromium's own sandbox does not work for root, as whom continuous integration runs.
	const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
	try {
		const page = await browser.newPage();
		const complaints = [];
		page.on('pageerror', (error) => complaints.push(error.message));
		page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
		const response = await page.goto(`${server.url}${path}`);
		return { page, response, complaints, close: () => browser.close() };
	} catch (error) {
		await browser.close();
		throw error;
	}
}
