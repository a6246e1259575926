// SPDX-License-Identifier: Apache-2.0
/*
 * nginx in front of a server, configured by packaging/doc/nginx.conf itself: only ports, names of files and
 * the certificate are put in. It runs in a directory of its own and ends with the test.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { HttpClient } from './http.js';
import { freePort, root } from './server.js';

const NGINX = '/usr/sbin/nginx';

/** Replaces what has to be there, so that the example cannot change unnoticed. */
function substitute(text, replacements) {
	for (const [from, to] of replacements) {
		assert.ok(text.includes(from), `packaging/doc/nginx.conf has no "${from.trim()}"`);
		text = text.replace(from, () => to);
	}
	return text;
}

function makeCertificate(dir) {
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
		'-subj', '/CN=convro.example.org', '-addext', 'subjectAltName=DNS:convro.example.org,IP:127.0.0.1',
		'-keyout', path.join(dir, 'key.pem'), '-out', path.join(dir, 'certificate.pem')], { stdio: 'pipe' });
}

function writeConfiguration(dir, server, port, plainPort) {
	const live = '/etc/letsencrypt/live/convro.example.org';
	fs.writeFileSync(path.join(dir, 'site.conf'), substitute(fs.readFileSync(path.join(root, 'packaging/doc/nginx.conf'), 'utf8'), [
		['server 127.0.0.1:8080;', `server 127.0.0.1:${server.port};`],
		['listen 80;', `listen 127.0.0.1:${plainPort};`],
		['\tlisten [::]:80;\n', ''], // not every machine has IPv6
		['listen 443 ssl http2;', `listen 127.0.0.1:${port} ssl http2;`],
		['\tlisten [::]:443 ssl http2;\n', ''],
		[`${live}/fullchain.pem`, path.join(dir, 'certificate.pem')],
		[`${live}/privkey.pem`, path.join(dir, 'key.pem')],
	]));
	const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => `${what}_temp_path ${dir}/${what};`);
	fs.writeFileSync(path.join(dir, 'nginx.conf'), [
		...(process.getuid() === 0 ? ['user root;'] : []), // the directory is nobody else's
		'daemon off;', 'worker_processes 1;', `pid ${dir}/nginx.pid;`, 'error_log stderr warn;',
		'events { worker_connections 1024; }',
		'http {', 'access_log off;', ...temporary, `include ${dir}/site.conf;`, '}', ''].join('\n'));
}

export async function startProxy(server) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'convro-nginx-'));
	const [port, plainPort] = [await freePort(), await freePort()];
	makeCertificate(dir);
	writeConfiguration(dir, server, port, plainPort);
	const child = spawn(NGINX, ['-p', dir, '-e', 'stderr', '-c', path.join(dir, 'nginx.conf')], { stdio: ['ignore', 'ignore', 'pipe'] });
	const ended = once(child, 'exit');
	const kill = () => child.kill('SIGTERM');
	process.on('exit', kill);
	let output = '';
	child.stderr.setEncoding('utf8').on('data', (chunk) => { output += chunk; });

	const ca = fs.readFileSync(path.join(dir, 'certificate.pem'));
	const url = `https://127.0.0.1:${port}`;
	const proxy = {
		url,
		ca,
		port,
		plainUrl: `http://127.0.0.1:${plainPort}`,
		http: new HttpClient(url, { ca }),
		log: () => output,
		async stop() {
			proxy.http.close();
			process.off('exit', kill);
			kill();
			await ended;
			fs.rmSync(dir, { recursive: true, force: true });
		},
	};
	for (let tries = 0; ; tries++) {
		try {
			await proxy.http.get('/health');
			return proxy;
		} catch (error) {
			if (tries === 100 || child.exitCode !== null) {
				await proxy.stop();
				throw new Error(`nginx does not answer (${error.message}):\n${output}`);
			}
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
	}
}
