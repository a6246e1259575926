/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of messages across an outage: see stream.h.  A request that fails is
 * expected then, and its message may or may not have been taken.
 */
#include "stream.h"

#include <inttypes.h>

/* What is outstanding is looked at this often in the end. */
enum { LOOK_MS = 50 };

static void
answered(struct http_connection *connection, int status, const char *body, size_t len)
{
	struct stream *stream = connection->all->arg;
	uint32_t number = connection->number;

	(void)body;
	(void)len;
	stream->deliveries.list[stream->current[number]].answered = status == 201;
	stream->idle[stream->nidle++] = number;
}

static void
failed(struct http_connection *connection, const char *why)
{
	answered(connection, 0, why, 0);
}

static const struct http_events events = { .answered = answered, .failed = failed };

/* While the server is away all connections may wait: then a message less is sent. */
static void
send_next(struct timer *timer)
{
	struct stream *stream = timer->arg;
	uint64_t now = now_ns();

	if (stream->nidle > 0) {
		uint32_t slot = stream->idle[--stream->nidle];

		stream->current[slot] = stream->deliveries.count;
		(void)deliveries_begin(&stream->deliveries, slot, now);
		http_send(&stream->http.list[slot], stream->requests.text, stream->requests.len);
	}
	stream->next += stream->interval;
	loop_at(stream->load->loop, timer, stream->next > now ? stream->next : now);
}

void
stream_init(struct stream *stream, struct load *load, uint32_t recipients)
{
	*stream = (struct stream){ .load = load,
		.http = { .loop = load->loop,
		    .endpoint = load->endpoint,
		    .events = &events,
		    .arg = stream },
		.timer = { .fire = send_next, .arg = stream },
		.interval = (uint64_t)(NS_PER_S / load->options->rate),
		.nidle = STREAM_CONNECTIONS };
	requests_init(&stream->requests, load);
	deliveries_init(&stream->deliveries, load->measure, &stream->requests, recipients);
	http_init(&stream->http, STREAM_CONNECTIONS);
	for (uint32_t i = 0; i < STREAM_CONNECTIONS; i++)
		stream->idle[i] = i;
}

void
stream_fini(struct stream *stream)
{
	loop_cancel(stream->load->loop, &stream->timer);
	http_fini(&stream->http);
	deliveries_fini(&stream->deliveries);
	requests_fini(&stream->requests);
}

void
stream_start(struct stream *stream)
{
	stream->next = now_ns();
	loop_at(stream->load->loop, &stream->timer, stream->next);
}

void
stream_arrived(struct stream *stream, uint32_t recipient, const char *array, size_t len)
{
	(void)deliveries_arrived(&stream->deliveries, recipient, array, len);
}

uint64_t
stream_last_id(const struct stream *stream, uint32_t recipient)
{
	return stream->deliveries.last_id[recipient];
}

void
stream_end(struct stream *stream)
{
	struct measure *measure = stream->load->measure;
	uint64_t until = now_ns() + (uint64_t)(stream->load->options->timeout * NS_PER_S);
	uint64_t taken, missing;

	loop_cancel(stream->load->loop, &stream->timer);
	for (;;) {
		taken = deliveries_answered(&stream->deliveries, &missing);
		if ((missing == 0 && stream->nidle == STREAM_CONNECTIONS) || now_ns() >= until)
			break;
		(void)loop_run(stream->load->loop, now_ns() + LOOK_MS * (uint64_t)NS_PER_MS);
	}
	if (taken == 0)
		measure_error(measure, "the server took no message at all");
	if (missing > 0)
		measure_error(
		    measure, "%" PRIu64 " of %" PRIu64 " messages did not arrive", missing, taken);
	measure_more(measure, "messagesSent", "%" PRIu64, stream->deliveries.count);
	measure_more(measure, "messagesTaken", "%" PRIu64, taken);
	measure_more(measure, "messagesMissing", "%" PRIu64, missing);
}
