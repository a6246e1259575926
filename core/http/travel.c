/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request that arrived at one worker, the origin, and belongs to another, the
 * owner (route->worker).
 *
 * A plain request is copied to the owner; its connection stays and waits:
 *
 *	origin ──── request ───▶ owner
 *	origin ───(client gone)─▶ owner      at most once
 *	origin ◀──── answer ──── owner       exactly once
 *
 * `front` is touched by the origin alone, `request` by the owner alone, so each
 * side may end first: it clears its own, and the message from the other finds
 * nothing.  The struct is freed by the last message.
 *
 * An upgrade takes its descriptor along and does not come back.
 */
#include "base/arena.h"
#include "http/front.h"
#include "http/internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct travel {
	struct task request_task, gone_task, answer_task;
	atomic_uint refs; /* one until the answer is back, one while gone_task is on its way */
	struct worker *origin, *owner;

	struct front *front; /* origin; NULL once the connection is gone */
	bool told_gone;      /* origin */

	struct http_request *request; /* owner; NULL before and after */

	struct arena *arena; /* with the message, until the owner's context takes it over */
	struct message message;
	int fd;           /* an upgrade's connection, else -1 */
	struct buf early; /* what came behind the upgrade */

	struct buf answer; /* head and body; failed: memory ran out */
	bool close;
};

static void
unref(struct travel *travel)
{
	if (atomic_fetch_sub_explicit(&travel->refs, 1, memory_order_acq_rel) > 1)
		return;
	arena_free(travel->arena);
	buf_fini(&travel->early);
	buf_fini(&travel->answer);
	if (travel->fd >= 0)
		(void)close(travel->fd);
	free(travel);
}

/* ---- owner ---- */

static void
send_back(struct travel *travel)
{
	travel->request = NULL;
	worker_post(travel->origin, &travel->answer_task);
}

/* A context and a request around the message that arrived; NULL when memory is out. */
static struct http_request *
receive(struct worker *worker, struct travel *travel)
{
	struct convro_ctx *ctx = ctx_new(worker, &worker->server->core);
	struct http_request *request;

	if (ctx == NULL)
		return NULL;
	arena_free(ctx->arena);
	ctx->arena = travel->arena;
	travel->arena = NULL;
	request = request_new(http_of(worker), ctx);
	if (request != NULL) {
		request->message = travel->message;
		if (request_find_route(request))
			return request;
	}
	ctx_unref(ctx);
	return NULL;
}

/* The peer of an upgrade waits for the answer and has sent nothing else, so there is nothing to
 * linger for. */
static void
answer_upgrade(struct http_request *request, struct http_answer *answer)
{
	struct travel *travel = request->client;
	const struct buf *head = &request->http->head;

	(void)answer_compose(request, answer, true);
	if (!head->failed &&
	    send(travel->fd, head->data, head->len, MSG_NOSIGNAL | MSG_DONTWAIT) ==
		(ssize_t)head->len &&
	    answer->len > 0)
		(void)send(travel->fd, answer->body, answer->len, MSG_NOSIGNAL | MSG_DONTWAIT);
	unref(travel); /* closes the connection */
}

static int
detach_upgrade(struct http_request *request, struct buf *early)
{
	struct travel *travel = request->client;
	int fd = travel->fd;

	*early = travel->early;
	buf_init(&travel->early, 0);
	travel->fd = -1;
	unref(travel);
	return fd;
}

static void
answer_origin(struct http_request *request, struct http_answer *answer)
{
	struct travel *travel = request->client;
	const struct buf *head = &request->http->head;

	travel->close = answer_compose(request, answer, false);
	buf_put(&travel->answer, head->data, head->len);
	buf_put(&travel->answer, answer->body, answer->len);
	travel->answer.failed = travel->answer.failed || head->failed;
	send_back(travel);
}

static const struct transport origin_transport = {
	.mark = "",
	.authenticate = authenticate_bearer,
	.answer = answer_origin,
};
static const struct transport upgrade_transport = {
	.mark = "",
	.authenticate = authenticate_bearer,
	.answer = answer_upgrade,
	.detach = detach_upgrade,
};

static void
arrived(struct worker *worker, struct task *task)
{
	struct travel *travel = LIST_OF(task, struct travel, request_task);
	struct http_request *request = receive(worker, travel);

	if (request != NULL) {
		request->transport = travel->fd >= 0 ? &upgrade_transport : &origin_transport;
		request->client = travel;
		travel->request = request;
		request_run(request);
	} else if (travel->fd >= 0) {
		unref(travel); /* closes the connection */
	} else {
		travel->answer.failed = true;
		send_back(travel);
	}
}

static void
gone_arrived(struct worker *worker, struct task *task)
{
	struct travel *travel = LIST_OF(task, struct travel, gone_task);

	(void)worker;
	if (travel->request != NULL)
		request_client_left(travel->request);
	unref(travel);
}

/* ---- origin ---- */

static void
returned(struct worker *worker, struct task *task)
{
	static const struct guard_error full = { 503, "OVERLOADED", "out of memory" };
	struct travel *travel = LIST_OF(task, struct travel, answer_task);
	struct front *front = travel->front;

	(void)worker;
	travel->front = NULL;
	if (front != NULL) {
		front->travel = NULL;
		if (travel->answer.failed)
			front_refuse(front, &full);
		else
			front_answer(front, &travel->answer, NULL, 0, travel->close);
	}
	unref(travel);
}

void
travel_left(struct travel *travel)
{
	if (travel->told_gone)
		return;
	travel->told_gone = true;
	(void)atomic_fetch_add_explicit(&travel->refs, 1, memory_order_relaxed);
	worker_post(travel->owner, &travel->gone_task);
}

void
travel_gone(struct travel *travel)
{
	travel->front = NULL;
	travel_left(travel);
}

void
travel_forget(struct travel *travel)
{
	travel->front = NULL;
}

bool
travel_send(struct front *front, struct worker *owner, const struct guard_request *from)
{
	struct travel *travel = calloc(1, sizeof(*travel));

	if (travel == NULL)
		return false;
	travel->request_task.run = arrived;
	travel->gone_task.run = gone_arrived;
	travel->answer_task.run = returned;
	atomic_init(&travel->refs, 1);
	travel->origin = front->http->worker;
	travel->owner = owner;
	travel->fd = -1;
	buf_init(&travel->early, 0);
	buf_init(&travel->answer, 0);
	travel->arena = arena_new(4096);
	if (travel->arena == NULL || message_copy(&travel->message, travel->arena, from) != 0) {
		unref(travel);
		return false;
	}
	memcpy(travel->message.peer, front->peer, sizeof(front->peer));
	if (from->upgrade) {
		front_unwatch(front); /* before the owner may close it */
		travel->fd = front_detach(front, &travel->early);
	} else {
		travel->front = front;
		front->travel = travel;
	}
	if (travel->early.failed)
		unref(travel); /* closes the connection */
	else
		worker_post(owner, &travel->request_task);
	return true;
}
