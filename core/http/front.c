/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections, the reading side: from accept to a request, and the end.
 * The states are drawn in front.h; front_write.c is the other half.
 */
#include "http/front.h"

#include "base/must.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define UNREAD_MAX 65536 /* bytes taken in while a request is being answered */
#define TURN_MAX   32    /* pipelined requests of one connection before others get their turn */

/* ---- the end ---- */

/* libevhtp frees the connection, or has given it away. */
static void
front_free(struct front *front)
{
	struct http_worker *http = front->http;

	if (http->triggering == front)
		http->triggering = NULL;
	list_remove(&front->link);
	http->front_count--;
	(void)event_del(&front->timer);
	front_unwatch(front);
	if (front->fd >= 0)
		(void)close(front->fd);
	guard_fini(&front->guard);
	buf_fini(&front->unread);
	buf_fini(&front->unsent);
	free(front);
}

static evhtp_res
connection_ended(evhtp_connection_t *conn, void *arg)
{
	(void)conn;
	front_free(arg);
	return EVHTP_RES_OK;
}

void
front_close(struct front *front)
{
	struct http_request *request = front->request;
	struct travel *travel = front->travel;

	MUST(!front->in_trigger);
	if (request != NULL)
		request->client = NULL;
	evhtp_connection_free(front->conn); /* calls connection_ended */
	if (request != NULL)
		request_client_left(request);
	if (travel != NULL)
		travel_gone(travel);
}

/* Without its descriptor, which was given away. */
static void
free_detached(struct front *front)
{
	struct bufferevent *bev = evhtp_connection_take_ownership(front->conn); /* unhooks */

	evhtp_connection_free(front->conn);
	bufferevent_free(bev);
	front_free(front);
}

int
front_detach(struct front *front, struct buf *early)
{
	int fd = front->fd;

	MUST(front->trigger == NULL);
	if (front->in_trigger)
		buf_put(early, front->http->rest.data, front->http->rest.len);
	buf_put(early, front->unread.data, front->unread.len);
	front->request = NULL;
	front->travel = NULL;
	front->fd = -1;
	if (!front->in_trigger)
		free_detached(front);
	return fd;
}

/* ---- what to wait for ---- */

void
front_unwatch(struct front *front)
{
	(void)event_del(&front->io);
}

void
front_watch(struct front *front)
{
	short what = EV_PERSIST;

	if (!front->eof && front->unread.len < UNREAD_MAX)
		what |= EV_READ;
	if (front->unsent.len > 0)
		what |= EV_WRITE;
	if (event_get_events(&front->io) == what)
		return;
	(void)event_del(&front->io);
	(void)event_assign(
	    &front->io, front->http->worker->base, front->fd, what, front_ready, front);
	/* It fails without memory: then the connection ends with its deadline. */
	if (what != EV_PERSIST)
		(void)event_add(&front->io, NULL);
}

/* Keeps bytes whose time has not come; false when memory is out. */
static bool
keep(struct front *front, const char *data, size_t len)
{
	buf_put(&front->unread, data, len);
	front_watch(front);
	return !front->unread.failed;
}

/* ---- a request ---- */

/* What libevhtp gets to see, see front.h. */
static const char trigger[] = "GET / HTTP/1.1\r\nHost: convro\r\n\r\n";

void
front_triggered(evhtp_request_t *request, void *arg)
{
	struct http_worker *http = arg;
	struct front *front = http->triggering;

	front->trigger = request;
	request_begin(front, &front->guard.request);
}

/* Lets libevhtp have a request, unless it is one that leaves it anyway. */
static void
begin(struct front *front)
{
	struct evbuffer *input = bufferevent_get_input(front->bev);

	if (front->guard.request.upgrade)
		request_begin(front, &front->guard.request);
	else if (evbuffer_prepend(input, trigger, sizeof(trigger) - 1) == 0)
		front->htp_read(front->bev, front->htp_arg);
	else
		front->broken = true;
}

/* Whether bytes behind the request have to wait until something else comes. */
static bool
has_to_wait(const struct front *front)
{
	return front->state == FRONT_BUSY ||
	       (front->state == FRONT_WRITING && front->unsent.len > 0);
}

/* Starts the guard's request, with `len` bytes behind it.  True when it is answered already and the
 * next may be read; false when it is not (what is behind it was kept), or the front is freed. */
static bool
hand_over(struct front *front, const char *rest, size_t len)
{
	struct http_worker *http = front->http;
	bool alive;

	front->state = FRONT_BUSY;
	(void)event_del(&front->timer);
	http->triggering = front;
	http->rest = (struct slice){ rest, len };
	front->in_trigger = true;
	begin(front);
	alive = http->triggering == front; /* libevhtp drops the connection when memory is out */
	http->triggering = NULL;
	if (!alive)
		return false;
	if (front->fd < 0) {
		free_detached(front);
		return false;
	}
	front->in_trigger = false;
	guard_next(&front->guard);
	if (len > 0 && has_to_wait(front) && !keep(front, rest, len))
		front->broken = true;
	if (front->broken) {
		front_close(front);
		return false;
	}
	return front_settle(front);
}

/* ---- reading ---- */

static bool
is_reading(const struct front *front)
{
	return front->state == FRONT_IDLE || front->state == FRONT_READING;
}

/* Nothing is left to be read for now: sets the deadline that fits. */
static void
wait_for_more(struct front *front)
{
	if (front->eof) {
		front_close(front);
	} else if (guard_idle(&front->guard)) {
		guard_trim(&front->guard);
		if (front->http->draining)
			front_close(front);
		else
			front_set_timer(front, front->http->idle_timeout);
	} else if (front->state == FRONT_IDLE) {
		/* One deadline for the whole request, however its bytes trickle in. */
		front->state = FRONT_READING;
		front_set_timer(front, front->http->request_timeout);
	}
}

/* Takes in bytes until there are no more, or a request has to wait for its answer.  The front may
 * be freed. */
static void
pump(struct front *front, const char *data, size_t len)
{
	unsigned turns = 0;

	while (is_reading(front) && len > 0) {
		size_t consumed = 0;
		enum guard_event event;

		if (turns == TURN_MAX) {
			if (keep(front, data, len))
				event_active(&front->io, EV_TIMEOUT, 0);
			else
				front_close(front);
			return;
		}
		event = guard_feed(&front->guard, data, len, &consumed);
		data += consumed;
		len -= consumed;
		switch (event) {
		case GUARD_MORE:
			break;
		case GUARD_CONTINUE:
			front_write(
			    front, GUARD_CONTINUE_LINE, sizeof(GUARD_CONTINUE_LINE) - 1, NULL, 0);
			break;
		case GUARD_REQUEST:
			turns++;
			if (!hand_over(front, data, len))
				return;
			break;
		case GUARD_ERROR:
			front_refuse(front, &front->guard.error);
			return;
		}
	}
	if (is_reading(front))
		wait_for_more(front);
}

/* Goes on with what was kept. */
static void
pump_kept(struct front *front)
{
	struct buf kept = front->unread;

	buf_init(&front->unread, 0);
	front_watch(front);
	pump(front, kept.data, kept.len);
	buf_fini(&kept);
}

void
front_go_on(struct front *front)
{
	if (front->unread.len > 0)
		event_active(&front->io, EV_TIMEOUT, 0);
	else
		wait_for_more(front);
}

static void
input_ended(struct front *front)
{
	front->eof = true;
	front_watch(front);
	if (front->state == FRONT_LINGER || (is_reading(front) && front->unread.len == 0))
		front_close(front);
	else if (front->state == FRONT_BUSY && front->request != NULL)
		request_client_left(front->request); /* it may still read: it gets its answer */
	else if (front->state == FRONT_BUSY && front->travel != NULL)
		travel_left(front->travel);
}

static void
read_some(struct front *front)
{
	char *input = front->http->input;
	size_t room = HTTP_INPUT_SIZE;
	ssize_t got;

	if (!is_reading(front) && front->state != FRONT_LINGER)
		room = UNREAD_MAX - front->unread.len; /* it is watched while there is room */
	got = recv(front->fd, input, room, MSG_DONTWAIT);
	if (got == 0) {
		input_ended(front);
	} else if (got < 0) {
		if (errno != EAGAIN && errno != EINTR)
			front_close(front);
	} else if (front->state == FRONT_LINGER) {
		front_throw_away(front, (size_t)got);
	} else if (is_reading(front) && front->unread.len == 0) {
		pump(front, input, (size_t)got);
	} else if (!keep(front, input, (size_t)got)) {
		front_close(front);
	}
}

void
front_ready(evutil_socket_t fd, short what, void *arg)
{
	struct front *front = arg;

	(void)fd;
	if ((what & EV_WRITE) != 0 && !front_write_rest(front))
		return;
	if ((what & EV_TIMEOUT) != 0 && is_reading(front))
		pump_kept(front); /* what has arrived since is there in the next turn */
	else if ((what & EV_READ) != 0)
		read_some(front);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct front *front = arg;

	(void)fd;
	(void)what;
	if (front->state == FRONT_READING) {
		guard_expire(&front->guard);
		front_refuse(front, &front->guard.error);
	} else {
		front_close(front);
	}
}

void
front_set_timer(struct front *front, const struct timeval *timeout)
{
	(void)event_add(&front->timer, timeout);
}

/* ---- accept ---- */

/* libevhtp gets no descriptor: what it does not have it can neither read nor write nor close. */
evhtp_res
front_accepting(evhtp_connection_t *conn, void *arg)
{
	struct http_worker *http = arg;

	http->accepted = conn->sock;
	conn->sock = -1;
	return EVHTP_RES_OK;
}

/* False when memory is out. */
static bool
listen_to(struct front *front)
{
	struct event_base *base = front->http->worker->base;

	(void)event_assign(&front->timer, base, -1, 0, on_timer, front);
	(void)event_assign(&front->io, base, front->fd, EV_PERSIST | EV_READ, front_ready, front);
	front_set_timer(front, front->http->idle_timeout);
	return event_add(&front->io, NULL) == 0 &&
	       evhtp_connection_set_hook(front->conn, evhtp_hook_on_connection_fini,
		   (evhtp_hook)connection_ended, front) == 0;
}

evhtp_res
front_accepted(evhtp_connection_t *conn, void *arg)
{
	struct http_worker *http = arg;
	struct front *front = calloc(1, sizeof(*front));
	bufferevent_event_cb htp_event;

	if (front == NULL) {
		(void)close(http->accepted);
		return EVHTP_RES_ERROR; /* libevhtp drops its connection */
	}
	front->http = http;
	front->conn = conn;
	front->fd = http->accepted;
	front->bev = evhtp_connection_get_bev(conn);
	list_init(&front->link);
	list_push_back(&http->fronts, &front->link);
	http->front_count++;
	tide_rise(&http->tide, http->front_count);
	guard_init(&front->guard, &http->http->settings.limits);
	buf_init(&front->unread, 0);
	buf_init(&front->unsent, 0);
	address_text(conn->saddr, front->peer);
	bufferevent_getcb(
	    front->bev, &front->htp_read, &front->htp_write, &htp_event, &front->htp_arg);
	bufferevent_setcb(front->bev, NULL, NULL, NULL, NULL);
	if (!listen_to(front)) {
		front_free(front);
		return EVHTP_RES_ERROR;
	}
	http_check_limit(http);
	return EVHTP_RES_OK;
}
