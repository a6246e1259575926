/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP client: see http.h.  How an answer is read is in response.c.
 */
#include "http.h"

#include "response.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INPUT_LEAST = 16 * 1024 };

static void on_ready(struct watch *watch, uint32_t events);

void
http_init(struct http *http, uint32_t count)
{
	http->count = count;
	http->list = allocate(count, sizeof(*http->list));
	for (uint32_t i = 0; i < count; i++) {
		http->list[i].all = http;
		http->list[i].number = i;
		http->list[i].input = allocate(1, INPUT_LEAST);
		http->list[i].input_room = INPUT_LEAST;
	}
}

static void
drop(struct http_connection *connection)
{
	if (connection->state == HTTP_DOWN)
		return;
	loop_unwatch(connection->all->loop, &connection->watch);
	(void)close(connection->watch.fd);
	connection->state = HTTP_DOWN;
}

void
http_fini(struct http *http)
{
	for (uint32_t i = 0; i < http->count; i++) {
		drop(&http->list[i]);
		free(http->list[i].request);
		free(http->list[i].input);
	}
	free(http->list);
}

static void
fail(struct http_connection *connection, const char *why)
{
	drop(connection);
	connection->all->events->failed(connection, why);
}

/* ---- the request ---- */

static void
send_rest(struct http_connection *connection)
{
	size_t left = connection->request_len - connection->request_sent;
	ssize_t sent = send(connection->watch.fd, connection->request + connection->request_sent,
	    left, MSG_NOSIGNAL);

	/* A broken connection is told by the next read. */
	if (sent > 0)
		connection->request_sent += (size_t)sent;
}

/* What the kernel does not take at once goes when it can. */
static void
begin(struct http_connection *connection)
{
	struct loop *loop = connection->all->loop;
	bool connecting = connection->state == HTTP_CONNECTING;

	connection->state = HTTP_BUSY;
	connection->input_len = 0;
	send_rest(connection);
	if (connection->request_sent < connection->request_len)
		loop_rewatch(loop, &connection->watch, EPOLLIN | EPOLLOUT);
	else if (connecting)
		loop_rewatch(loop, &connection->watch, EPOLLIN);
}

void
http_send(struct http_connection *connection, const char *request, size_t len)
{
	int fd;

	if (len > connection->request_room) {
		connection->request = reallocate(connection->request, len, 1);
		connection->request_room = len;
	}
	memcpy(connection->request, request, len);
	connection->request_len = len;
	connection->request_sent = 0;
	if (connection->state == HTTP_IDLE) {
		begin(connection);
		return;
	}
	fd = endpoint_connect(connection->all->endpoint);
	if (fd < 0) {
		connection->all->events->failed(connection, strerror(errno));
		return;
	}
	connection->watch = (struct watch){ .fd = fd, .ready = on_ready };
	connection->state = HTTP_CONNECTING;
	loop_watch(connection->all->loop, &connection->watch, EPOLLOUT);
}

static void
tcp_done(struct http_connection *connection)
{
	int error = 0;
	socklen_t len = sizeof(error);

	(void)getsockopt(connection->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error != 0)
		fail(connection, strerror(error));
	else
		begin(connection);
}

/* ---- the answer ---- */

static void
digest(struct http_connection *connection)
{
	struct response response;
	enum response_read status =
	    response_read(connection->input, connection->input_len, &response);

	if (status == RESPONSE_INCOMPLETE)
		return;
	if (status == RESPONSE_WRONG) {
		fail(connection, "an answer that is no HTTP, or has no length");
		return;
	}
	connection->state = HTTP_IDLE;
	if (response.close)
		drop(connection);
	connection->all->events->answered(
	    connection, response.status, response.body, response.body_len);
}

static void
receive(struct http_connection *connection)
{
	ssize_t got;

	if (connection->input_len == connection->input_room) {
		connection->input_room *= 2;
		connection->input = reallocate(connection->input, connection->input_room, 1);
	}
	got = recv(connection->watch.fd, connection->input + connection->input_len,
	    connection->input_room - connection->input_len, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0 && connection->state == HTTP_IDLE) {
		drop(connection); /* its keep-alive is over */
		return;
	}
	if (got <= 0) {
		fail(connection, got == 0 ? "the server closed the connection" : strerror(errno));
		return;
	}
	if (connection->state != HTTP_BUSY) {
		fail(connection, "an answer without a request");
		return;
	}
	connection->input_len += (size_t)got;
	digest(connection);
}

static void
on_ready(struct watch *watch, uint32_t events)
{
	struct http_connection *connection = (struct http_connection *)watch;

	if (connection->state == HTTP_CONNECTING) {
		tcp_done(connection);
		return;
	}
	if ((events & EPOLLOUT) != 0) {
		send_rest(connection);
		if (connection->request_sent == connection->request_len)
			loop_rewatch(connection->all->loop, &connection->watch, EPOLLIN);
	}
	if ((events & ~(uint32_t)EPOLLOUT) != 0)
		receive(connection);
}
