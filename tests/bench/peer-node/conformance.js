// SPDX-License-Identifier: Apache-2.0
/*
 * socket.io with the events of Convro's conformance module and no token: for room emits side by side.
 *
 *	node conformance.js --port N
 */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { Server } from 'socket.io';
import { forgetRequests } from './realtime.js';

const { values: options } = parseArgs({ options: { port: { type: 'string' } } });
const server = createServer((request, response) => response.writeHead(404).end());
const io = new Server(server, { serveClient: false, pingInterval: 25000, pingTimeout: 20000, maxHttpBufferSize: 1e6,
	perMessageDeflate: false, httpCompression: false });
forgetRequests(io);

io.on('connection', (socket) => {
	socket.emit('auth', socket.handshake.auth);
	socket.on('message', (...args) => socket.emit('message-back', ...args));
	socket.on('message-with-ack', (...args) => args.pop()(...args));
	socket.on('join', (room, ack) => {
		socket.join(room);
		ack?.();
	});
	socket.on('push', (room, ...args) => io.to(room).emit('pushed', ...args));
});

server.listen({ host: '127.0.0.1', port: Number(options.port), backlog: 4096 }, () => console.error(`listening on http://127.0.0.1:${options.port}`));
for (const name of ['SIGTERM', 'SIGINT'])
	process.once(name, () => process.exit(0));
