/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket connections after the handshake: a slab entry with one event each,
 * and buffers only while bytes are pending (design: realtime, section 3).  What
 * modules may do with one is in <convro/socket.h>; the framing is frame.h.
 * Reading order: socket.c (life, reading), socket_write.c (queue),
 * shared_frame.h, deflate.h.
 */
#ifndef WS_SOCKET_H
#define WS_SOCKET_H

#include "base/buf.h"
#include "base/slab.h"
#include "loop/ctx.h"
#include "ws/frame.h"

#include <convro/socket.h>
#include <event2/event_struct.h>

/* A worker's sockets; worker->sockets points to it. */
struct sockets {
	struct worker *worker;
	struct slab slab;
	struct list all;
	struct list turn; /* those with something to do at the end of this loop turn */
	struct event *turn_event;
	uint32_t count; /* whose closed() is still to come */
	struct tide tide;
	struct trimmer trimmer;
	char *buffer;               /* for reading, shared by all */
	struct ws_deflate *deflate; /* owned: of all that agreed on compression */
};

enum socket_state {
	SOCKET_OPEN,
	SOCKET_CLOSING, /* our close frame is on its way, the peer's is awaited */
	SOCKET_ENDING,  /* no more reading: what is queued is written, then the end */
	SOCKET_DEAD,    /* closed() is to be called */
	SOCKET_LINGER   /* closed() was called; the peer reads the rest and closes */
};

struct queued {
	struct queued *next;
	struct convro_frame *frame; /* one reference */
};

struct convro_socket {
	struct event
	    event; /* reading; writing while the queue is blocked; the closing time limit */
	struct ws_reader reader;
	struct list link; /* in sockets->all */
	struct list turn; /* in sockets->turn */
	struct sockets *sockets;
	struct module *module; /* whose code the events run */
	const struct convro_socket_events *events;
	void *arg;
	struct queued *first, *last;
	uint32_t queued_bytes;
	uint32_t first_sent; /* bytes of `first` that are written */
	struct buf
	    *early; /* owned: what came behind the handshake, until the first turn, or NULL */
	const char *why;
	int64_t
	    close_by_ms; /* monotonic; from CLOSING on: the connection ends at the latest then */
	int fd;
	uint16_t code;
	uint8_t state;            /* enum socket_state */
	unsigned window_bits : 4; /* of permessage-deflate, 9..15; 0 = not agreed on */
	bool blocked : 1;         /* waits until the peer takes more */
};

/* Per worker.  0, or -1 when memory is out.  Thread: main or worker. */
int sockets_init(struct worker *worker);
/* Drops every connection without a word to modules, and to peers no other than what is queued: at a
 * worker's end, after they were told to close.  Thread: worker. */
void sockets_drop(struct worker *worker);
void sockets_fini(struct worker *worker);
/* Sockets whose closed() is still to come.  Thread: worker. */
uint32_t sockets_count(const struct worker *worker);

/* Whether a module wants permessage-deflate, perhaps with an older and shorter struct. */
bool socket_wants_deflate(const struct convro_socket_events *events);
/* A socket without a connection; NULL when memory is out.  `window_bits` of permessage-deflate, 0 =
 * it was not agreed on.  socket_start has to follow. */
struct convro_socket *socket_new(struct worker *worker, struct module *module,
    const struct convro_socket_events *events, void *arg, unsigned window_bits);
/* Takes the descriptor, writes `head` (the handshake's answer) first and reads `early` (bytes that
 * came behind the handshake, taken) as the peer's first.  Whatever fails is told by closed(),
 * later.
 */
void socket_start(struct convro_socket *socket, int fd, const struct buf *head, struct buf *early);

extern const struct convro_socket_table socket_table;

/* ---- between socket.c and socket_write.c ---- */

/* closed() follows at the end of the turn, and then the end. */
void socket_die(struct convro_socket *socket, unsigned code, const char *why);
/* The socket is looked at once more in this loop turn. */
void socket_schedule(struct convro_socket *socket);
/* Queues a frame, also on a socket that is closing; takes the reference. */
void socket_queue(struct convro_socket *socket, struct convro_frame *frame);
/* Writes what the peer takes; true when nothing is left. */
bool socket_flush(struct convro_socket *socket);
/* Waits for what the state asks for: until close_by_ms, where that is set. */
void socket_wait(struct convro_socket *socket);
/* Leaves OPEN: the rest has to be done within `ms`. */
void socket_limit(struct convro_socket *socket, int64_t ms);
/* Control frames. */
void socket_send_close(struct convro_socket *socket, unsigned code, const char *reason);
void socket_send_pong(struct convro_socket *socket, const char *data, size_t len);

#endif
