/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection state recovery: who is away, and what was said meanwhile.  One log
 * per mount, for all workers, under one lock; bounded by bytes and by time.
 *
 * An offset is the log's tag and a number, so that a client's last argument that
 * happens to be a text is not taken for one.  What a catch-up tells is not in the
 * log; its offsets have the number of the session's first position and a count:
 * "<tag><number>.<count>".
 */
#ifndef SOCKETIO_RECOVERY_H
#define SOCKETIO_RECOVERY_H

#include "push.h"
#include "socket.h"

#define OFFSET_SIZE   64
#define IDENTITY_SIZE 32

/* What has to be known of a socket to let it come back.  Numbers are those of the log. */
struct socket_recovery {
	uint64_t started;  /* its first event has a higher one */
	uint64_t written;  /* of the last event that was written to it */
	uint64_t restored; /* events up to it were told when it came back */
	uint64_t
	    poisoned; /* what was written before the client was told a text that is no offset */
	uint64_t came_with; /* hash of the offset that the client had already; 0 = none */
	uint64_t asked_at;  /* of the last event that it is to acknowledge */
	uint64_t confirmed; /* it has acknowledged all up to here */
	int64_t asked;      /* cursor of the push at asked_at */
	int64_t acked;      /* cursor of the last push that was acknowledged */
	int64_t told_acked; /* cursor of the last push of the catch-up that is to be acknowledged */
	int64_t after;      /* the client said that it has pushes up to this cursor; negative: no */
	uint32_t told;      /* events of the catch-up that had an offset */
	uint32_t epoch;     /* of its token */
	bool is_poisoned;
	bool is_unfinished; /* the catch-up may still have something that is stored */
	bool is_behind;     /* it has come back, and what it missed is still being told */
	uint8_t identity_len;
	char identity[IDENTITY_SIZE];
	char pid[SID_LEN];
};

/* What a client that is back has missed. */
struct recovered {
	uint32_t count;
	struct push *missed[]; /* references */
};

/* NULL when memory or randomness is out.  Thread: main. */
struct recovery *recovery_new(struct mount *mount, uint32_t most_ms, size_t most_bytes);
void recovery_free(struct recovery *recovery);

/* The rest: worker. */

/* A socket's part; NULL when memory or randomness is out. */
struct socket_recovery *recovery_begin(struct station *station);
/* It connects, and is not one that has come back. */
void recovery_fresh(struct convro_socketio_socket *socket, struct slice offset);
/* The push was written to it, with or without an ack id. */
void recovery_wrote(struct convro_socketio_socket *socket, const struct push *push, bool wants_ack);
/* It acknowledged the push with that cursor. */
void recovery_acked(struct convro_socketio_socket *socket, int64_t cursor);
/* The offset of the next event that its catch-up tells. */
struct slice recovery_catch_up_offset(struct convro_socketio_socket *socket, char out[OFFSET_SIZE]);

/* Numbers the push, ends it and keeps it; false when memory is out. */
bool recovery_log(struct convro_ctx *ctx, struct recovery *recovery, struct push *push);
/* Takes references to the next pushes that the station has not seen; how many. */
uint32_t
recovery_read(struct recovery *recovery, struct station *station, struct push **out, uint32_t most);
/* Something is not in the log: whoever was there before cannot come back. */
void recovery_gap(struct recovery *recovery);
/* Forgets what is too old. */
void recovery_trim(struct convro_ctx *ctx, struct recovery *recovery);

/* Keeps the state of a socket that is ending, where the reason allows it. */
void recovery_save(struct convro_ctx *ctx, struct recovery *recovery,
    const struct convro_socketio_socket *socket, const char *why);
/* Forgets those of that identity whose token is older. */
void recovery_revoke(struct recovery *recovery, const void *identity, uint8_t len, uint32_t epoch);
/* The state that the client names, moved to the socket: ids and rooms.  NULL = none, and the socket
 * is as before.  Caller frees with recovered_free. */
struct recovered *recovery_take(struct convro_ctx *ctx, struct recovery *recovery,
    struct convro_socketio_socket *socket, struct slice pid, struct slice offset);
void recovered_free(struct recovered *recovered); /* NULL is allowed */

#endif
