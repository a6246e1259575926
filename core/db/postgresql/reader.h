/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker's reading connection, as reader.c (requests) and reader_connect.c
 * (the connection) share it.  All of it belongs to the worker's thread.
 */
#ifndef DB_POSTGRESQL_READER_H
#define DB_POSTGRESQL_READER_H

#include "db/postgresql/postgresql.h"

#include <event2/event.h>

enum reader_phase { READER_AWAY, READER_CONNECTING, READER_UP };

/* What was sent up to one Sync, in the order of sending. */
struct slot {
	struct db_request *request; /* NULL: of the session, or given up at its deadline */
	bool is_session;
	uint32_t session_part; /* session_complain's n */
	uint32_t at;           /* of the request's calls: whose result comes next */
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
	uint32_t sent; /* slots with a request of a module */
};

/* --- reader.c --- */

/* Sends what waits as far as there is room. */
void reader_pump(struct reader *reader);
/* Takes the answers that are here. */
void reader_drain(struct reader *reader);
/* Brings back what was sent, to be sent once more, and fails what was already. */
void reader_unsend(struct reader *reader);
/* Fails all that waits. */
void reader_refuse(struct reader *reader, enum convro_status status);
void reader_arm(struct reader *reader);
/* A free place behind the others; there is always one (see slot_size). */
struct slot *reader_slot(struct reader *reader);

/* --- reader_connect.c --- */

void reader_connect(struct reader *reader);
/* Closes the connection, tries again later. */
void reader_lose(struct reader *reader);
/* Closes it for good. */
void reader_close(struct reader *reader);
/* Sends what libpq holds back; loses the connection when that fails. */
void reader_flush(struct reader *reader);

#endif
