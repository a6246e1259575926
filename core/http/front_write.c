/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections, the writing side: an answer is written to the socket at once,
 * which spares a turn of the loop and two system calls; only what does not fit
 * goes through the bufferevent.  The answer's bytes are composed in reply.c:
 * libevhtp's own writer adds headers that contradict ours, sends a body to
 * HEAD, and takes three allocations per header.
 */
#include "base/must.h"
#include "http/front.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define THROW_AWAY_MAX (64u << 20) /* bytes a refused client may still send */

/* Writes now what the socket takes, and leaves the rest to the bufferevent. */
static void
write_out(struct front *front, const struct buf *head, const void *body, size_t len)
{
	struct evbuffer *output = bufferevent_get_output(front->bev);
	size_t total = head->len + len;
	size_t head_sent, sent = 0;

	if (evbuffer_get_length(output) == 0) {
		struct iovec parts[2] = { { head->data, head->len },
			{ (void *)(uintptr_t)body, len } };
		struct msghdr message = { .msg_iov = parts, .msg_iovlen = len > 0 ? 2 : 1 };
		ssize_t wrote =
		    sendmsg(bufferevent_getfd(front->bev), &message, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (wrote < 0 && errno != EAGAIN && errno != EINTR) {
			front->broken = true;
			return;
		}
		sent = wrote > 0 ? (size_t)wrote : 0;
	}
	if (sent == total)
		return;
	head_sent = sent < head->len ? sent : head->len;
	if (evbuffer_expand(output, total - sent) != 0 ||
	    bufferevent_write(front->bev, head->data + head_sent, head->len - head_sent) != 0 ||
	    (len > 0 && bufferevent_write(front->bev, (const char *)body + (sent - head_sent),
			    len - (sent - head_sent)) != 0))
		front->broken = true; /* a half answer must not be taken for a whole one */
}

static void
linger(struct front *front)
{
	/* Closing while the client still sends would reset the connection, and the answer with it.
	 */
	if (front->eof || shutdown(bufferevent_getfd(front->bev), SHUT_WR) != 0) {
		front_close(front);
		return;
	}
	front->state = FRONT_LINGER;
	front_set_timer(front, front->http->linger_timeout);
	front_throw_away(front);
}

void
front_throw_away(struct front *front)
{
	struct evbuffer *input = bufferevent_get_input(front->bev);
	size_t len = evbuffer_get_length(input);

	front->thrown += len;
	(void)evbuffer_drain(input, len);
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
	if (evbuffer_get_length(bufferevent_get_output(front->bev)) > 0)
		return false; /* on_write comes */
	if (front->close) {
		linger(front);
		return false;
	}
	/* libevhtp finds its request finished and everything written: it frees the request and
	 * readies its parser for the next. */
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
		write_out(front, head, body, len);
	evhtp_send_reply_end(front->trigger); /* marks it as finished */
	/* The next request is not begun from here: a module is on the stack. */
	if (front_settle(front))
		bufferevent_trigger(
		    front->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
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
		write_out(front, &http->head, body.data, body.len);
	buf_fini(&body);
	(void)front_settle(front);
}
