// SPDX-License-Identifier: Apache-2.0
/*
 * Socket.IO: a token in the handshake, the room of the device, ping and pong.
 */
import { Server } from 'socket.io';
import { Problem } from './values.js';

/** What the documentation of socket.io says to do for memory: the first request is not needed any more. */
export function forgetRequests(io) {
	io.engine.on('connection', (raw) => { raw.request = null; });
}

function refusal(error) {
	const code = error instanceof Problem ? error.code : 'UNAUTHORIZED';
	return Object.assign(new Error(code), { data: { error: code } });
}

/** `push(deviceId, event, payload)` for the routes. */
export function realtime(server, auth) {
	const io = new Server(server, { path: '/socket.io', serveClient: false, pingInterval: 25000, pingTimeout: 20000,
		maxHttpBufferSize: 1e6, perMessageDeflate: false, httpCompression: false });
	forgetRequests(io);

	io.use(async (socket, next) => {
		try {
			const token = socket.handshake.auth.token ?? socket.handshake.query.token;
			if (typeof token !== 'string' || token === '')
				throw new Problem(401, 'UNAUTHORIZED');
			socket.data.principal = await auth.verify(token);
			next();
		} catch (error) {
			next(refusal(error));
		}
	});

	io.on('connection', (socket) => {
		socket.join(`device:${socket.data.principal.deviceId}`);
		socket.on('ping', (...args) => {
			const pong = { timestamp: new Date().toISOString() };
			socket.emit('pong', pong);
			if (typeof args.at(-1) === 'function')
				args.at(-1)(pong);
		});
	});

	return { io, push: (deviceId, event, payload) => io.to(`device:${deviceId}`).emit(event, payload) };
}
