/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the module share.
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <convro/module.h>

extern const struct convro_api *convro;

struct conformance {
	const struct convro_socketio *io;
	const struct convro_realtime *realtime;
	struct convro_socketio_mount *raw, *sockets, *guarded;
};

/* ---- events.c: what the Socket.IO server does ---- */

void conformance_connected(struct convro_ctx *ctx, void *self,
    struct convro_socketio_socket *socket, const struct convro_node *auth, int recovered);
void conformance_disconnected(
    struct convro_ctx *ctx, void *self, struct convro_socketio_socket *socket, const char *why);
void conformance_event(struct convro_ctx *ctx, void *self, struct convro_socketio_socket *socket,
    const char *name, size_t name_len, const struct convro_socketio_args *args,
    struct convro_socketio_reply *reply);

/* ---- guarded.c: a server that looks at its clients first ---- */

void conformance_guard(struct convro_socketio_options *options);

/* ---- echo.c: the raw echoes ---- */

void conformance_message(struct convro_ctx *ctx, void *self, struct convro_engineio_socket *socket,
    int binary, const char *data, size_t len);
convro_handler conformance_ws_echo;

#endif
