/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker's reading connection, as reader.c (requests), reader_answers.c and
 * reader_connect.c (the connection) share it.  All of it belongs to the worker's thread.
 */
#ifndef DB_POSTGRESQL_READER_H
#define DB_POSTGRESQL_READER_H

#include "db/postgresql/postgresql.h"

#include <event2/event.h>

enum reader_phase { READER_AWAY, READER_CONNECTING, READER_UP };

/* What was sent, in the order of sending: a read, the Sync behind several of them, or a part of the
 * session's beginning with its Sync. */
struct slot {
	struct db_request *request; /* NULL: of the session, a Sync, or given up at its deadline */
	bool is_session, is_sync;
	bool was_aborted;      /* since one before it failed: it is sent again */
	uint32_t session_part; /* session_complain's n */
	uint32_t at;           /* of the request's calls: whose result comes next */
	uint32_t left;         /* results that are still to come */
	int64_t sent_ms;
	enum convro_status status;
};

struct reader {
	struct db_state *state;
	struct event_base *base;
	struct event *tick;         /* while anything is outstanding */
	struct event *input, *room; /* of the socket; NULL while there is none */
	struct arena *scratch;

	PGconn *conn;
	enum reader_phase phase;
	struct backoff backoff;
	int64_t since_ms; /* CONNECTING: when it began */
	bool heard;       /* this connection has answered: the store is back */

	struct db_request *first, **end; /* waiting */
	uint32_t waiting;
	struct slot *slots; /* a ring */
	uint32_t slot_size, slot_first, slot_count;
	uint32_t sent;                         /* slots of reads */
	struct db_request *again, **again_end; /* aborted ones, until their Sync */
	uint32_t again_count;
};

/* --- reader.c --- */

/* Sends what waits as far as there is room. */
void reader_pump(struct reader *reader);
/* Hands a request back. */
void reader_complete(struct reader *reader, struct db_request *request, enum convro_status status);
/* Puts those that were aborted before what waits. */
void reader_send_again(struct reader *reader);
/* Brings back what was sent, to be sent once more, and fails what was already. */
void reader_unsend(struct reader *reader);
/* Fails all that waits. */
void reader_refuse(struct reader *reader, enum convro_status status);
void reader_arm(struct reader *reader);
static inline struct slot *
reader_slot_at(struct reader *reader, uint32_t i)
{
	return &reader->slots[(reader->slot_first + i) % reader->slot_size];
}
/* A free place behind the others; there is always one (see slot_size). */
struct slot *reader_slot(struct reader *reader);

/* --- reader_answers.c --- */

/* Takes the answers that are here. */
void reader_drain(struct reader *reader);

/* --- reader_connect.c --- */

void reader_connect(struct reader *reader);
/* Closes the connection, tries again later. */
void reader_lose(struct reader *reader);
/* Closes it for good. */
void reader_close(struct reader *reader);
/* Sends what libpq holds back; loses the connection when that fails. */
void reader_flush(struct reader *reader);

#endif
