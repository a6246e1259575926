/* SPDX-License-Identifier: Apache-2.0 */
/*
 * push: a message is sent over HTTP and arrives at the recipient's socket as
 * dm.message.  An operation is an arrival; its latency counts from the moment
 * that the send was intended for.
 */
#include "deliveries.h"
#include "driver.h"
#include "http.h"
#include "sockets.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* How long a message that came already is given to come again. */
enum { DOUBLES_MS = 200 };

struct run {
	struct load *load;
	struct driver driver;
	struct http http;
	struct requests requests;
	struct sockets sockets; /* of the recipients */
	struct deliveries deliveries;
	uint64_t *current; /* the number of the message on each connection */
};

static void
event(struct client *client, const char *array, size_t len)
{
	struct run *run = client->all->arg;
	const struct delivery *delivery =
	    deliveries_arrived(&run->deliveries, client->number, array, len);

	if (delivery == NULL)
		return;
	driver_completed(&run->driver, delivery->intended, now_ns());
	if (delivery->answered)
		driver_release(&run->driver, delivery->slot);
}

/* A slot is free when its message was answered and has arrived. */
static void
answered(struct http_connection *connection, int status, const char *body, size_t len)
{
	struct run *run = connection->all->arg;
	struct delivery *delivery = &run->deliveries.list[run->current[connection->number]];

	delivery->answered = status == 201;
	if (!delivery->answered)
		measure_error(run->load->measure, "status %d: %.*s", status,
		    (int)(len < 200 ? len : 200), body);
	if (!delivery->answered || delivery->arrived)
		driver_release(&run->driver, connection->number);
}

static void
failed(struct http_connection *connection, const char *why)
{
	answered(connection, 0, why, strlen(why));
}

static const struct http_events events = { .answered = answered, .failed = failed };

static void
issue(struct driver *driver, uint32_t slot, uint64_t number, uint64_t intended)
{
	struct run *run = driver->arg;

	run->current[slot] = number;
	(void)deliveries_begin(&run->deliveries, slot, intended);
	http_send(&run->http.list[slot], run->requests.text, run->requests.len);
}

static void
send_all(struct run *run)
{
	const struct options *options = run->load->options;
	uint32_t count = (uint32_t)options->connections;

	run->http = (struct http){ .loop = run->load->loop,
		.endpoint = run->load->endpoint,
		.events = &events,
		.arg = run };
	http_init(&run->http, count);
	run->current = allocate(count, sizeof(*run->current));
	driver_init(&run->driver, run->load->loop, run->load->measure, count, options->rate);
	driver_run(&run->driver);
	(void)loop_run(run->load->loop, now_ns() + DOUBLES_MS * (uint64_t)NS_PER_MS);
	measure_more(run->load->measure, "sent", "%" PRIu64, run->deliveries.count);
	driver_fini(&run->driver);
	http_fini(&run->http);
	free(run->current);
}

void
scenario_push(struct load *load)
{
	const struct options *options = load->options;
	struct run run = { .load = load, .driver = { .issue = issue, .arg = &run } };
	uint32_t count = (uint32_t)options->sessions;

	requests_init(&run.requests, load);
	deliveries_init(&run.deliveries, load->measure, &run.requests, count);
	sockets_init(&run.sockets, load, count, &run);
	run.sockets.event = event;
	for (uint32_t i = 0; i < count; i++)
		run.sockets.list[i].user = RESPONDER_OF(i + 1);
	if (sockets_open(&run.sockets, NULL)) {
		say("%u recipients are connected", count);
		send_all(&run);
		sockets_close(&run.sockets);
		load->measure->resident_after = processes_resident(&options->server);
	}
	sockets_fini(&run.sockets);
	deliveries_fini(&run.deliveries);
	requests_fini(&run.requests);
}
