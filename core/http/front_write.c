/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections, the writing side: an answer is written to the socket at once,
 * which spares a turn of the loop and two system calls; only what does not fit
 * waits until the socket takes more.  The answer's bytes are composed in reply.c:
 * libevhtp's own writer adds headers that contradict ours, sends a body to
 * HEAD, and takes three allocations per header.
 */
#include "base/must.h"
#include "http/front.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define THROW_AWAY_MAX (64u << 20) /* bytes a refused client may still send */

/* Waits until the socket takes the first of these bytes; copies them. */
static void
write_later(struct front *front, const void *data, size_t len)
{
	buf_put(&front->unsent, data, len);
	if (front->unsent.failed)
		front->broken = true; /* a half answer must not be taken for a whole one */
	else
		front_watch(front);
}

static void
wait_for_peer(struct front *front)
{
	/* Before an answer it is the request that has a deadline. */
	if (front->state == FRONT_WRITING)
		front_set_timer(front, front->http->write_timeout);
}

void
front_write(struct front *front, const void *head, size_t head_len, const void *body, size_t len)
{
	size_t head_sent, sent = 0;

	if (front->unsent.len == 0) {
		struct iovec parts[2] = { { (void *)(uintptr_t)head, head_len },
			{ (void *)(uintptr_t)body, len } };
		struct msghdr message = { .msg_iov = parts, .msg_iovlen = len > 0 ? 2 : 1 };
		ssize_t wrote = sendmsg(front->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (wrote < 0 && errno != EAGAIN && errno != EINTR) {
			front->broken = true;
			return;
		}
		sent = wrote > 0 ? (size_t)wrote : 0;
	}
	if (sent == head_len + len)
		return;
	head_sent = sent < head_len ? sent : head_len;
	write_later(front, (const char *)head + head_sent, head_len - head_sent);
	if (len > 0)
		write_later(
		    front, (const char *)body + (sent - head_sent), len - (sent - head_sent));
	wait_for_peer(front);
}

bool
front_write_rest(struct front *front)
{
	struct buf *unsent = &front->unsent;
	ssize_t wrote = send(front->fd, unsent->data + front->sent, unsent->len - front->sent,
	    MSG_NOSIGNAL | MSG_DONTWAIT);

	if (wrote < 0 && errno != EAGAIN && errno != EINTR) {
		front_close(front);
		return false;
	}
	if (wrote > 0) {
		front->sent += (size_t)wrote;
		wait_for_peer(front);
	}
	if (front->sent < unsent->len)
		return true;
	buf_fini(unsent);
	buf_init(unsent, 0);
	front->sent = 0;
	front_watch(front);
	if (front->state != FRONT_WRITING)
		return true;
	if (front_settle(front))
		front_go_on(front);
	return false; /* it may be freed */
}

static void
linger(struct front *front)
{
	/* Closing while the client still sends would reset the connection, and the answer with it.
	 */
	if (front->eof || shutdown(front->fd, SHUT_WR) != 0) {
		front_close(front);
		return;
	}
	front->state = FRONT_LINGER;
	front_set_timer(front, front->http->linger_timeout);
	buf_fini(&front->unread);
	buf_init(&front->unread, 0);
	front_watch(front);
}

void
front_throw_away(struct front *front, size_t len)
{
	front->thrown += len;
	if (front->thrown > THROW_AWAY_MAX)
		front_close(front);
}

bool
front_settle(struct front *front)
{
	if (front->state != FRONT_WRITING || front->in_trigger)
		return false; /* whoever called libevhtp settles afterwards */
	if (front->broken) {
		front_close(front);
		return false;
	}
	if (front->unsent.len > 0)
		return false; /* front_write_rest comes */
	if (front->close) {
		linger(front);
		return false;
	}
	/* libevhtp finds its request finished and everything written: it frees the request and
	 * readies its parser for the next. */
	if (front->trigger != NULL)
		front->htp_write(front->bev, front->htp_arg);
	front->trigger = NULL;
	front->state = FRONT_IDLE;
	return true;
}

void
front_answer(struct front *front, const struct buf *head, const void *body, size_t len, bool close)
{
	MUST(front->state == FRONT_BUSY);
	front->request = NULL;
	front->travel = NULL;
	front->close = close;
	front->state = FRONT_WRITING;
	if (head->failed)
		front->broken = true; /* memory ran out: rather nothing than half an answer */
	else
		front_write(front, head->data, head->len, body, len);
	if (front->trigger != NULL)
		evhtp_send_reply_end(front->trigger); /* marks it as finished */
	/* The next request is not begun from here: a module is on the stack. */
	if (front_settle(front))
		front_go_on(front);
}

static void
answer_client(struct http_request *request, struct http_answer *answer)
{
	bool close = answer_compose(request, answer, false);

	front_answer(request->client, &request->http->head, answer->body, answer->len, close);
}

static int
detach_client(struct http_request *request, struct buf *early)
{
	return front_detach(request->client, early);
}

const struct transport front_transport = {
	.mark = "",
	.authenticate = authenticate_bearer,
	.answer = answer_client,
	.detach = detach_client,
};

void
front_refuse(struct front *front, const struct guard_error *error)
{
	struct http_worker *http = front->http;
	char id[2 * REQUEST_ID_BYTES + 1];
	struct buf body;

	(void)event_del(&front->timer);
	http_make_id(http, id);
	buf_init(&body, 0);
	write_error(&body, error->code, error->message, id, NULL);
	buf_clear(&http->head);
	buf_printf(&http->head,
	    "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: application/json; charset=utf-8\r\n"
	    "Content-Length: %zu\r\nCache-Control: no-store\r\nX-Request-Id: %s\r\n"
	    "X-Content-Type-Options: nosniff\r\n%sConnection: close\r\n\r\n",
	    error->status, reason_phrase(error->status), http_date(http), body.len, id,
	    error->status == 503 ? "Retry-After: 1\r\n" : "");
	log_write(log_get(), CONVRO_LOG_DEBUG, &(struct log_origin){ .request_id = id },
	    "refused a request with %d %s: %s", error->status, error->code, error->message);
	front->close = true;
	front->state = FRONT_WRITING;
	if (http->head.failed || body.failed)
		front->broken = true;
	else
		front_write(front, http->head.data, http->head.len, body.data, body.len);
	buf_fini(&body);
	(void)front_settle(front);
}
