/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ping: connected sockets emit `ping` and get `pong` (wire contract, section 3):
 * one event to the server and one back.  Answers come in the order of the
 * events, so each socket has a queue of the slots that wait on it; --depth says
 * how many.
 */
#include "driver.h"
#include "sockets.h"

#include <stdlib.h>
#include <string.h>

struct run {
	struct load *load;
	struct driver driver;
	struct sockets sockets;
	uint32_t depth;
	uint32_t *queue; /* slots, `depth` for each socket, a ring */
	uint32_t *first; /* of each socket, counts up */
	uint32_t *after_last;
};

static void
event(struct client *client, const char *array, size_t len)
{
	static const char head[] = "[\"pong\"";
	struct run *run = client->all->arg;
	uint32_t number = client->number, slot;

	if (len < sizeof(head) || memcmp(array, head, sizeof(head) - 1) != 0)
		return;
	if (run->first[number] == run->after_last[number]) {
		measure_error(run->load->measure, "socket %u got a pong without a ping", number);
		return;
	}
	slot = run->queue[number * run->depth + run->first[number]++ % run->depth];
	driver_completed(&run->driver, run->driver.intended[slot], now_ns());
	driver_release(&run->driver, slot);
}

/* Slots belong to sockets, so none has more than `depth` of them. */
static void
issue(struct driver *driver, uint32_t slot, uint64_t number, uint64_t intended)
{
	static const char array[] = "[\"ping\"]";
	struct run *run = driver->arg;
	uint32_t socket = slot % run->sockets.count;
	struct client *client = &run->sockets.list[socket];

	(void)number;
	(void)intended;
	if (client->state != CLIENT_UP)
		return; /* the loss is counted; its slots stay taken */
	run->queue[socket * run->depth + run->after_last[socket]++ % run->depth] = slot;
	client_emit(client, -1, array, sizeof(array) - 1);
}

void
scenario_ping(struct load *load)
{
	const struct options *options = load->options;
	struct run run = { .load = load,
		.driver = { .issue = issue, .arg = &run },
		.depth = (uint32_t)options->depth };
	uint32_t count = (uint32_t)options->connections;

	if (options->depth == 0 || options->depth > UINT16_MAX || count > UINT16_MAX)
		die("depth and connections are at most %d and not 0", UINT16_MAX);
	run.queue = allocate((size_t)count * run.depth, sizeof(*run.queue));
	run.first = allocate(count, sizeof(*run.first));
	run.after_last = allocate(count, sizeof(*run.after_last));
	driver_init(&run.driver, load->loop, load->measure, count * run.depth, options->rate);
	sockets_init(&run.sockets, load, count, &run);
	run.sockets.event = event;
	if (sockets_open(&run.sockets, NULL)) {
		say("%u sockets are up", count);
		driver_run(&run.driver);
		sockets_close(&run.sockets);
		load->measure->resident_after = processes_resident(&options->server);
	}
	sockets_fini(&run.sockets);
	driver_fini(&run.driver);
	free(run.queue);
	free(run.first);
	free(run.after_last);
}
