// SPDX-License-Identifier: Apache-2.0
/*
 * What the status page does beyond being read: the health card, permalinks that open what they point at,
 * the filter, printing. Without it everything but the card is there.
 */
'use strict';
(() => {
	const EVERY_MS = 5000;
	const PATIENCE_MS = 4000;
	const byId = (id) => document.getElementById(id);

	/* health */

	byId('no-script').remove();

	let timer = 0;
	let paused = false;
	let asking = null;
	let lastAnswer = 0;

	const words = {
		ok: 'Healthy',
		degraded: 'Degraded: the database does not answer',
		unreachable: 'The server cannot be reached',
	};

	function setState(state) {
		byId('health').dataset.state = state;
		const pill = byId('pill');
		if (pill.dataset.state === state)
			return; // so that a screen reader tells changes only
		pill.dataset.state = state;
		byId('pill-text').textContent = words[state];
	}

	function setLamp(id, state, text) {
		byId(id).dataset.state = state;
		byId(id).textContent = text;
	}

	function duration(seconds) {
		const parts = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']]
			.map(([size, unit], i, all) => [Math.floor((i ? seconds % all[i - 1][0] : seconds) / size), unit]);
		const first = parts.findIndex(([count]) => count > 0);
		if (first < 0)
			return '0 s';
		return parts.slice(first, first + 2).map(([count, unit]) => `${count} ${unit}`).join(' ');
	}

	function showAnswer(response, text, ms) {
		const body = JSON.parse(text);
		const dbUp = body.db === 'ok';
		const state = response.ok && body.status === 'ok' ? 'ok' : 'degraded';
		lastAnswer = Date.now();
		setState(state);
		setLamp('health-endpoint', state, `${response.status}, ${ms} ms`);
		setLamp('health-db', dbUp ? 'ok' : 'unreachable', body.db ?? 'unknown');
		byId('health-time').textContent = body.timestamp ?? '–';
		byId('health-time').dateTime = body.timestamp ?? '';
		byId('health-uptime').textContent = Number.isFinite(body.uptimeSeconds) ? duration(body.uptimeSeconds) : '–';
		byId('health-raw').textContent = JSON.stringify(body, null, 2);
	}

	function showUnreachable(reason) {
		setState('unreachable');
		setLamp('health-endpoint', 'unreachable', 'no answer');
		setLamp('health-db', 'waiting', 'unknown');
		byId('health-time').textContent = '–';
		byId('health-uptime').textContent = '–';
		byId('health-raw').textContent = `No answer: ${reason}.${lastAnswer ? `\nThe last one came at ${new Date(lastAnswer).toISOString()}.` : ''}`;
	}

	async function ask() {
		const abort = new AbortController();
		const patience = setTimeout(() => abort.abort(), PATIENCE_MS);
		const started = performance.now();
		asking = abort;
		try {
			const response = await fetch('health', { cache: 'no-store', credentials: 'omit', signal: abort.signal });
			const text = await response.text();
			showAnswer(response, text, Math.max(1, Math.round(performance.now() - started)));
		} catch (error) {
			if (asking !== abort)
				return; // given up because the page was hidden or paused
			if (error instanceof SyntaxError)
				showUnreachable('what came is no JSON');
			else
				showUnreachable(abort.signal.aborted ? `nothing came within ${PATIENCE_MS / 1000} seconds` : 'the connection failed');
		} finally {
			clearTimeout(patience);
		}
		if (asking === abort) {
			asking = null;
			schedule();
		}
	}

	function schedule() {
		clearTimeout(timer);
		if (!paused && !document.hidden)
			timer = setTimeout(ask, EVERY_MS);
	}

	function hold() {
		const abort = asking;
		clearTimeout(timer);
		asking = null;
		abort?.abort();
	}

	function resume() {
		hold();
		if (!paused && !document.hidden)
			ask();
	}

	document.addEventListener('visibilitychange', () => (document.hidden ? hold() : resume()));
	const pause = byId('health-pause');
	pause.hidden = false;
	pause.addEventListener('click', () => {
		paused = !paused;
		pause.textContent = paused ? 'Resume' : 'Pause';
		byId('health-fresh').textContent = paused ? 'Paused: this is not live.' : 'Refreshed every 5 seconds while visible.';
		if (paused)
			hold();
		else
			resume();
	});
	resume();

	/* endpoints */

	const endpoints = [...document.querySelectorAll('.endpoint')];
	const detailsOf = (endpoint) => endpoint.querySelector('details');

	function openTarget() {
		const target = location.hash && byId(decodeURIComponent(location.hash.slice(1)));
		if (target && target.classList.contains('endpoint')) {
			target.hidden = false;
			detailsOf(target).open = true;
			target.scrollIntoView();
		}
	}
	addEventListener('hashchange', openTarget);
	document.addEventListener('click', (event) => {
		const link = event.target.closest('a[href^="#"]');
		if (link && link.hash === location.hash)
			openTarget(); // the same one again tells no hashchange
	});
	openTarget();

	byId('tools').hidden = false;
	const setAll = (open) => endpoints.forEach((endpoint) => {
		if (!endpoint.hidden)
			detailsOf(endpoint).open = open;
	});
	byId('open-all').addEventListener('click', () => setAll(true));
	byId('close-all').addEventListener('click', () => setAll(false));

	const texts = new Map(endpoints.map((endpoint) => [endpoint, endpoint.textContent.toLowerCase()]));
	byId('filter').addEventListener('input', (event) => {
		const wanted = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
		let shown = 0;
		for (const [endpoint, text] of texts) {
			endpoint.hidden = !wanted.every((word) => text.includes(word));
			shown += endpoint.hidden ? 0 : 1;
		}
		for (const group of document.querySelectorAll('.group'))
			group.hidden = !group.querySelector('.endpoint:not([hidden])');
		byId('filter-count').textContent = wanted.length > 0 ? `${shown} of ${endpoints.length}` : '';
	});

	/* paper shows everything */

	let closed = [];
	addEventListener('beforeprint', () => {
		closed = endpoints.map(detailsOf).filter((details) => !details.open);
		closed.forEach((details) => { details.open = true; });
	});
	addEventListener('afterprint', () => closed.forEach((details) => { details.open = false; }));

	/* where one is */

	const links = new Map([...document.querySelectorAll('.contents a')].map((link) => [link.hash.slice(1), link]));
	if ('IntersectionObserver' in window) {
		const visible = new Set();
		const observer = new IntersectionObserver((entries) => {
			for (const entry of entries)
				entry.isIntersecting ? visible.add(entry.target) : visible.delete(entry.target);
			const current = [...links.keys()].map(byId).filter((section) => visible.has(section)).pop();
			for (const [id, link] of links) {
				if (current?.id === id)
					link.setAttribute('aria-current', 'true');
				else
					link.removeAttribute('aria-current');
			}
		}, { rootMargin: '-15% 0px -75% 0px' });
		for (const id of links.keys())
			observer.observe(byId(id));
	}
})();
