/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a worker's connection comes and goes without ever blocking its event
 * base.  As soon as the server has let us in, settings, statements and the
 * first reads are sent in one go.
 */
#include "db/postgresql/reader.h"

#include "base/arena.h"
#include "base/clock.h"

static void
forget_event(struct event **event)
{
	if (*event != NULL)
		event_free(*event);
	*event = NULL;
}

void
reader_close(struct reader *reader)
{
	/* Before the socket goes: the event base still watches it. */
	forget_event(&reader->input);
	forget_event(&reader->room);
	PQfinish(reader->conn);
	reader->conn = NULL;
	reader->phase = READER_AWAY;
}

void
reader_lose(struct reader *reader)
{
	reader_close(reader);
	reader->heard = false;
	backoff_failed(&reader->backoff, clock_mono_ms());
	reader_unsend(reader);
	reader_arm(reader);
}

/* --- when it stands --- */

static void
came(evutil_socket_t fd, short what, void *arg)
{
	struct reader *reader = arg;

	(void)fd;
	(void)what;
	if (PQconsumeInput(reader->conn) == 0) {
		complain_conn(reader->state, "lost the connection to the database", reader->conn);
		reader_lose(reader);
		return;
	}
	reader_drain(reader);
	/* Good-bye of the server while nothing is asked. */
	if (reader->phase == READER_UP && PQstatus(reader->conn) == CONNECTION_BAD)
		reader_lose(reader);
	else if (reader->phase == READER_UP)
		reader_flush(reader);
}

static void
has_room(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	reader_flush(arg);
}

void
reader_flush(struct reader *reader)
{
	int unsent = PQflush(reader->conn);

	if (unsent > 0)
		(void)event_add(reader->room, NULL);
	else if (unsent < 0)
		reader_lose(reader);
}

static bool
watch(struct reader *reader)
{
	int fd = PQsocket(reader->conn);

	forget_event(&reader->input);
	forget_event(&reader->room);
	reader->input = event_new(reader->base, fd, EV_READ | EV_PERSIST, came, reader);
	reader->room = event_new(reader->base, fd, EV_WRITE, has_room, reader);
	return reader->input != NULL && reader->room != NULL && event_add(reader->input, NULL) == 0;
}

static bool
begin_session(struct reader *reader)
{
	uint32_t syncs;

	arena_reset(reader->scratch);
	if (PQsetnonblocking(reader->conn, 1) != 0 || PQenterPipelineMode(reader->conn) == 0 ||
	    session_send(reader->state, reader->conn, ROLE_READER, reader->scratch, &syncs) != 0)
		return false;
	for (uint32_t i = 0; i < syncs; i++) {
		struct slot *slot = reader_slot(reader);

		slot->is_session = true;
		slot->session_part = i;
	}
	return watch(reader);
}

static void
connected(struct reader *reader)
{
	const char *fault = connect_fault(reader->conn);

	if (fault != NULL) {
		complain(reader->state, "could not use the database", fault);
		reader_lose(reader);
	} else if (!begin_session(reader)) {
		complain_conn(
		    reader->state, "could not set up a connection to the database", reader->conn);
		reader_lose(reader);
	} else {
		reader->phase = READER_UP;
		reader_flush(reader);
		reader_pump(reader);
		reader_arm(reader);
	}
}

/* --- until it stands --- */

static void step(evutil_socket_t fd, short what, void *arg);

/* libpq may open another socket between two steps, so each has an event of its own. */
static void
wait_for_step(struct reader *reader, short events)
{
	forget_event(&reader->input);
	reader->input = event_new(reader->base, PQsocket(reader->conn), events, step, reader);
	if (reader->input == NULL || event_add(reader->input, NULL) != 0) {
		complain(reader->state, "could not connect to the database", "out of memory");
		reader_lose(reader);
	}
}

static void
step(evutil_socket_t fd, short what, void *arg)
{
	struct reader *reader = arg;

	(void)fd;
	(void)what;
	/* The event is of no more use, and libpq may close its socket in the next call. */
	forget_event(&reader->input);
	switch (PQconnectPoll(reader->conn)) {
	case PGRES_POLLING_READING:
		wait_for_step(reader, EV_READ);
		break;
	case PGRES_POLLING_WRITING:
		wait_for_step(reader, EV_WRITE);
		break;
	case PGRES_POLLING_OK:
		connected(reader);
		break;
	default:
		complain_conn(reader->state, "could not connect to the database", reader->conn);
		reader_lose(reader);
		break;
	}
}

void
reader_connect(struct reader *reader)
{
	reader->conn = connect_begin(reader->state);
	reader->phase = READER_CONNECTING;
	reader->since_ms = clock_mono_ms();
	if (reader->conn != NULL && PQstatus(reader->conn) != CONNECTION_BAD) {
		wait_for_step(reader, EV_WRITE);
		return;
	}
	if (reader->conn != NULL)
		complain_conn(reader->state, "could not connect to the database", reader->conn);
	else
		complain(reader->state, "could not connect to the database", "out of memory");
	reader_lose(reader);
}
