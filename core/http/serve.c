/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker's side of serving: accepting, the limits of it, drain and end.
 */
#include "http/front.h"
#include "http/internal.h"
#include "ws/socket.h"

#include <errno.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ACCEPT_AGAIN_MS   100 /* after descriptors ran out, or while the worker is full */
#define LINGER_TIMEOUT_MS 10000
#define WRITE_TIMEOUT_MS  30000 /* without any progress */

/* ---- accepting ---- */

static bool
is_full(const struct http_worker *http)
{
	uint32_t max = http->http->settings.max_connections;

	return max != 0 && http->front_count + sockets_count(http->worker) >= max;
}

static void
set_accepting(struct http_worker *http, bool accepting)
{
	const struct timeval again = { 0, ACCEPT_AGAIN_MS * 1000 };

	for (uint32_t i = 0; i < http->http->endpoint_count; i++) {
		if (http->evhtp[i] == NULL || http->evhtp[i]->server == NULL)
			continue;
		if (accepting)
			(void)evconnlistener_enable(http->evhtp[i]->server);
		else
			(void)evconnlistener_disable(http->evhtp[i]->server);
	}
	if (!accepting)
		(void)event_add(http->accept_again, &again);
}

static void
on_accept_again(evutil_socket_t fd, short what, void *arg)
{
	struct http_worker *http = arg;

	(void)fd;
	(void)what;
	if (!http->draining)
		set_accepting(http, !is_full(http));
}

void
http_check_limit(struct http_worker *http)
{
	if (is_full(http))
		set_accepting(http, false); /* further ones wait in the kernel's queue */
	else
		http->told_full = false;
}

/* Without a pause the loop would spin on a connection that cannot be accepted. */
static void
accept_failed(struct evconnlistener *listener, void *arg)
{
	int error = errno;
	evhtp_t *htp = arg; /* libevhtp's listener carries its instance */
	struct http_worker *http = htp->arg;

	(void)listener;
	if (!http->told_full)
		log_error("could not accept a connection: %s: raise the limit of open files or "
			  "lower [server] max_connections",
		    strerror(error));
	http->told_full = true;
	set_accepting(http, false);
}

static int
serve_endpoint(struct http_worker *http, uint32_t index)
{
	struct endpoint *endpoint = &http->http->endpoints[index];
	int *fd = &endpoint->fds[http->worker->index];
	evhtp_t *htp = evhtp_new(http->worker->base, http);

	if (htp == NULL)
		return -1;
	http->evhtp[index] = htp;
	evhtp_set_gencb(htp, front_triggered, http);
	evhtp_set_pre_accept_cb(htp, front_accepting, http);
	evhtp_set_post_accept_cb(htp, front_accepted, http);
	if (evhtp_accept_socket(htp, *fd, 0) != 0) /* it listens already */
		return -1;
	*fd = -1; /* the listener closes it */
	evconnlistener_set_error_cb(htp->server, accept_failed);
	return 0;
}

int
http_worker_init(struct http *http, struct worker *worker)
{
	for (uint32_t i = 0; i < http->endpoint_count; i++) {
		if (serve_endpoint(&http->workers[worker->index], i) != 0) {
			log_error("could not serve %s: out of memory", http->endpoints[i].text);
			return -1;
		}
	}
	return 0;
}

/* ---- state ---- */

static const struct timeval *
common_timeout(struct event_base *base, int64_t ms)
{
	const struct timeval in = { (time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000) };

	return event_base_init_common_timeout(base, &in);
}

static bool
trim(struct trimmer *trimmer)
{
	struct http_worker *http = LIST_OF(trimmer, struct http_worker, trimmer);

	return tide_is_out(&http->tide, http->front_count);
}

int
http_worker_prepare(struct http_worker *http, struct http *server, struct worker *worker)
{
	const struct http_settings *settings = &server->settings;
	struct event_base *base = worker->base;

	http->http = server;
	http->worker = worker;
	list_init(&http->fronts);
	list_init(&http->calls);
	buf_init(&http->head, 0);
	buf_init(&http->body, 0);
	worker->http = http;
	http->trimmer.trim = trim;
	trimmer_add(worker, &http->trimmer);
	http->input = malloc(HTTP_INPUT_SIZE);
	http->accept_again = evtimer_new(base, on_accept_again, http);
	http->request_timeout = common_timeout(base, settings->request_timeout_ms);
	http->idle_timeout = common_timeout(base, settings->idle_timeout_ms);
	http->answer_timeout = common_timeout(base, settings->answer_timeout_ms);
	http->linger_timeout = common_timeout(base, LINGER_TIMEOUT_MS);
	http->write_timeout = common_timeout(base, WRITE_TIMEOUT_MS);
	if (sockets_init(worker) != 0 || http->input == NULL || http->accept_again == NULL ||
	    http->request_timeout == NULL || http->idle_timeout == NULL ||
	    http->answer_timeout == NULL || http->linger_timeout == NULL ||
	    http->write_timeout == NULL)
		return -1;
	return 0;
}

void
http_worker_free(struct http_worker *http)
{
	if (http->worker == NULL)
		return;
	sockets_fini(http->worker);
	trimmer_remove(&http->trimmer);
	free(http->input);
	if (http->accept_again != NULL)
		event_free(http->accept_again);
	buf_fini(&http->head);
	buf_fini(&http->body);
	http->worker->http = NULL;
}

/* ---- drain and end ---- */

static void
stop_accepting(struct http_worker *http)
{
	http->draining = true;
	(void)event_del(http->accept_again);
	for (uint32_t i = 0; i < http->http->endpoint_count; i++)
		if (http->evhtp[i] != NULL && http->evhtp[i]->server != NULL)
			evhtp_unbind_socket(http->evhtp[i]);
}

void
http_worker_drain(struct http *http, struct worker *worker)
{
	struct http_worker *own = &http->workers[worker->index];

	stop_accepting(own);
	LIST_EACH_SAFE(at, &own->fronts)
	{
		struct front *front = LIST_OF(at, struct front, link);

		if (front->state == FRONT_IDLE && front->unread.len == 0)
			front_close(front);
	}
}

uint32_t
http_worker_busy(struct worker *worker)
{
	struct http_worker *http = http_of(worker);
	uint32_t busy;

	if (http == NULL)
		return 0;
	busy = http->unanswered + sockets_count(worker);
	LIST_EACH(at, &http->fronts)
	{
		const struct front *front = LIST_OF(at, struct front, link);

		busy += front->state == FRONT_WRITING || front->travel != NULL;
	}
	return busy;
}

void
http_worker_fini(struct http *http, struct worker *worker)
{
	struct http_worker *own = &http->workers[worker->index];
	struct list *first;

	stop_accepting(own);
	calls_forget(own); /* first: what closes here may end one */
	while ((first = list_first(&own->fronts)) != NULL) {
		struct front *front = LIST_OF(first, struct front, link);

		/* The modules have ended: nobody is told any more. */
		if (front->request != NULL)
			front->request->gone = NULL;
		if (front->travel != NULL)
			travel_forget(front->travel);
		front->travel = NULL;
		front_close(front);
	}
	sockets_drop(worker);
	for (uint32_t i = 0; i < http->endpoint_count; i++) {
		evhtp_free(own->evhtp[i]);
		own->evhtp[i] = NULL;
	}
}
