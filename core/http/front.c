/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections, the reading side: from accept to a request, and the end.
 * The states are drawn in front.h; front_write.c is the other half.
 */
#include "http/front.h"

#include "base/must.h"

#include <stdlib.h>

#define UNREAD_MAX 65536 /* bytes taken in while a request is being answered */
#define TURN_MAX   32    /* pipelined requests of one connection before others get their turn */

#define WRITE_TIMEOUT_S 30 /* without any progress */

static void pump(struct front *front);

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
	guard_fini(&front->guard);
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

int
front_detach(struct front *front, struct buf *early)
{
	struct http_worker *http = front->http;
	struct evbuffer *rest =
	    front->in_trigger ? http->leftover : bufferevent_get_input(front->bev);
	size_t len = evbuffer_get_length(rest);
	char *room = buf_room(early, len);
	int fd = bufferevent_getfd(front->bev);

	if (room != NULL && len > 0)
		buf_wrote(early, (size_t)evbuffer_remove(rest, room, len));
	front->request = NULL;
	front->travel = NULL;
	front->detached = true;
	(void)evhtp_connection_take_ownership(front->conn); /* unhooks, keeps the bufferevent */
	(void)bufferevent_setfd(front->bev, -1);            /* so that freeing it closes nothing */
	if (!front->in_trigger) {
		evhtp_connection_free(front->conn);
		bufferevent_free(front->bev);
		front_free(front);
	}
	return fd;
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

/* Starts the guard's request.  True when it is answered already and the next may be read; false
 * when it is not, or the front is freed. */
static bool
hand_over(struct front *front)
{
	struct http_worker *http = front->http;
	struct bufferevent *bev = front->bev;
	struct evbuffer *input = bufferevent_get_input(bev);
	bool alive;

	front->state = FRONT_BUSY;
	(void)event_del(&front->timer);
	if (evbuffer_add_buffer(http->leftover, input) != 0 ||
	    evbuffer_prepend(input, trigger, sizeof(trigger) - 1) != 0) {
		(void)evbuffer_drain(http->leftover, evbuffer_get_length(http->leftover));
		front_close(front);
		return false;
	}
	http->triggering = front;
	front->in_trigger = true;
	front->htp_read(bev, front->htp_arg);
	alive = http->triggering == front; /* libevhtp drops the connection when memory is out */
	http->triggering = NULL;
	if (!alive || front->detached) {
		(void)evbuffer_drain(http->leftover, evbuffer_get_length(http->leftover));
		if (alive) {
			bufferevent_free(bev);
			front_free(front);
		}
		return false;
	}
	front->in_trigger = false;
	guard_next(&front->guard);
	if (evbuffer_get_length(http->leftover) > 0)
		(void)evbuffer_prepend_buffer(input, http->leftover);
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

static void
pump(struct front *front)
{
	struct evbuffer *input = bufferevent_get_input(front->bev);
	unsigned turns = 0;

	while (is_reading(front) && evbuffer_get_length(input) > 0) {
		struct evbuffer_iovec piece;
		size_t consumed = 0;

		if (turns == TURN_MAX) {
			bufferevent_trigger(front->bev, EV_READ,
			    BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
			return;
		}
		(void)evbuffer_peek(input, -1, NULL, &piece, 1);
		switch (guard_feed(&front->guard, piece.iov_base, piece.iov_len, &consumed)) {
		case GUARD_MORE:
			(void)evbuffer_drain(input, consumed);
			break;
		case GUARD_CONTINUE:
			(void)evbuffer_drain(input, consumed);
			(void)bufferevent_write(
			    front->bev, GUARD_CONTINUE_LINE, sizeof(GUARD_CONTINUE_LINE) - 1);
			break;
		case GUARD_REQUEST:
			(void)evbuffer_drain(input, consumed);
			turns++;
			if (!hand_over(front))
				return;
			break;
		case GUARD_ERROR:
			(void)evbuffer_drain(input, consumed);
			front_refuse(front, &front->guard.error);
			return;
		}
	}
	if (is_reading(front))
		wait_for_more(front);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct front *front = arg;

	(void)bev;
	if (front->state == FRONT_LINGER)
		front_throw_away(front);
	else if (is_reading(front))
		pump(front);
}

static void
on_write(struct bufferevent *bev, void *arg)
{
	struct front *front = arg;

	(void)bev;
	if (front->state == FRONT_WRITING && front_settle(front))
		pump(front);
}

static void
on_event(struct bufferevent *bev, short events, void *arg)
{
	struct front *front = arg;

	/* Deferred events come together: an end that was read does not hide an error. */
	if ((events & (BEV_EVENT_ERROR | BEV_EVENT_TIMEOUT | BEV_EVENT_WRITING)) != 0) {
		front_close(front);
		return;
	}
	front->eof = true;
	if (front->state == FRONT_LINGER)
		front_close(front);
	else if (is_reading(front) && evbuffer_get_length(bufferevent_get_input(bev)) == 0)
		front_close(front);
	else if (front->state == FRONT_BUSY && front->request != NULL)
		request_client_left(front->request); /* it may still read: it gets its answer */
	else if (front->state == FRONT_BUSY && front->travel != NULL)
		travel_left(front->travel);
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

evhtp_res
front_accepted(evhtp_connection_t *conn, void *arg)
{
	struct http_worker *http = arg;
	struct front *front = calloc(1, sizeof(*front));
	const struct timeval write_timeout = { WRITE_TIMEOUT_S, 0 };
	bufferevent_event_cb htp_event;

	if (front == NULL)
		return EVHTP_RES_ERROR; /* libevhtp closes the connection */
	front->http = http;
	front->conn = conn;
	front->bev = evhtp_connection_get_bev(conn);
	list_init(&front->link);
	list_push_back(&http->fronts, &front->link);
	http->front_count++;
	tide_rise(&http->tide, http->front_count);
	guard_init(&front->guard, &http->http->settings.limits);
	address_text(conn->saddr, front->peer);
	bufferevent_getcb(
	    front->bev, &front->htp_read, &front->htp_write, &htp_event, &front->htp_arg);
	bufferevent_setcb(front->bev, on_read, on_write, on_event, front);
	bufferevent_setwatermark(front->bev, EV_READ, 0, UNREAD_MAX);
	(void)bufferevent_set_timeouts(front->bev, NULL, &write_timeout);
	(void)event_assign(&front->timer, http->worker->base, -1, 0, on_timer, front);
	front_set_timer(front, http->idle_timeout);
	if (evhtp_connection_set_hook(
		conn, evhtp_hook_on_connection_fini, (evhtp_hook)connection_ended, front) != 0) {
		front_free(front);
		return EVHTP_RES_ERROR;
	}
	http_check_limit(http);
	return EVHTP_RES_OK;
}
