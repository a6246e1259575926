/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit: room emits, against ./dev conformance or a server with the same events:
 * sockets `join` rooms, other sockets `push` to a room, and everybody in it gets
 * `pushed`.  An operation is one delivery; its latency is counted from the
 * moment the emit was intended for.  --rate is deliveries a second.
 *
 * Each message carries its slot, its number within the room and the intended
 * time, so that every receiver sees whether one is missing, double or swapped.
 */
#include "driver.h"
#include "sockets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPEN_SLOTS = 65536, MESSAGE_MAX = 2048 };

struct room {
	uint32_t members;
	uint64_t emits; /* so far */
};

struct run {
	struct load *load;
	struct driver driver;
	struct sockets sockets; /* the receivers, then the emitters */
	uint32_t receivers, rooms, emitters;
	uint32_t joining;   /* acknowledgements that are awaited */
	uint64_t *received; /* per receiver */
	uint32_t *missing;  /* per slot: deliveries that are awaited */
	uint64_t emits;     /* in the window */
	struct room *room;
	char padding[MESSAGE_MAX];
};

static const char head[] = "[\"pushed\",\"";

/* A message like ["pushed","<slot> <number> <ns> xxxx"]. */
static void
delivered(struct client *client, const char *array, size_t len)
{
	struct run *run = client->all->arg;
	uint64_t field[3] = { 0 };
	size_t at = sizeof(head) - 1;

	if (len < at || memcmp(array, head, at) != 0)
		return; /* the greeting `auth` */
	for (unsigned i = 0; i < 3; i++, at++)
		for (; at < len && array[at] >= '0' && array[at] <= '9'; at++)
			field[i] = field[i] * 10 + (uint64_t)(array[at] - '0');
	if (client->number >= run->receivers || field[0] >= run->driver.slots ||
	    run->missing[field[0]] == 0) {
		measure_error(run->load->measure, "an unexpected message: %.*s", (int)len, array);
		return;
	}
	if (field[1] != run->received[client->number]++)
		measure_error(run->load->measure,
		    "socket %u got message %" PRIu64 " of its room instead of %" PRIu64,
		    client->number, field[1], run->received[client->number] - 1);
	driver_completed(&run->driver, field[2], now_ns());
	if (--run->missing[field[0]] == 0)
		driver_release(&run->driver, (uint32_t)field[0]);
}

static void
issue(struct driver *driver, uint32_t slot, uint64_t number, uint64_t intended)
{
	struct run *run = driver->arg;
	uint32_t room = (uint32_t)(number % run->rooms);
	struct client *emitter = &run->sockets.list[run->receivers + room % run->emitters];
	char array[MESSAGE_MAX + 128];
	int len = snprintf(array, sizeof(array),
	    "[\"push\",\"room-%u\",\"%u %" PRIu64 " %" PRIu64 " %s\"]", room, slot,
	    run->room[room].emits++, intended, run->padding);

	if (emitter->state != CLIENT_UP) {
		measure_error(run->load->measure, "an emitter was disconnected");
		return;
	}
	run->missing[slot] = run->room[room].members;
	if (intended >= driver->window && !driver->ended)
		run->emits++;
	client_emit(emitter, -1, array, (size_t)len);
}

static void
joined(struct client *client, uint64_t id)
{
	struct run *run = client->all->arg;

	(void)id;
	if (--run->joining == 0)
		loop_stop(run->load->loop);
}

static bool
join_rooms(struct run *run)
{
	const struct options *options = run->load->options;
	uint64_t until = now_ns() + (uint64_t)(options->timeout * NS_PER_S);

	run->joining = run->receivers;
	for (uint32_t i = 0; i < run->receivers; i++) {
		char array[64];
		int len = snprintf(array, sizeof(array), "[\"join\",\"room-%u\"]", i % run->rooms);

		run->room[i % run->rooms].members++;
		client_emit(&run->sockets.list[i], 0, array, (size_t)len);
	}
	if (loop_run(run->load->loop, until))
		return true;
	measure_error(run->load->measure, "%u sockets could not join their rooms", run->joining);
	return false;
}

static void
prepare(struct run *run)
{
	const struct options *options = run->load->options;
	uint64_t bytes = options->bytes > 0 ? options->bytes : 32;
	uint32_t slots = OPEN_SLOTS;
	double rate = options->rate * run->rooms / run->receivers;

	if (options->rate == 0)
		slots = (uint32_t)(options->depth * run->emitters);
	if (slots == 0 || slots > OPEN_SLOTS)
		die("depth: %" PRIu64 " emits outstanding are too many or none", options->depth);
	if (bytes >= MESSAGE_MAX)
		die("bytes: a message of %" PRIu64 " is too long", bytes);
	memset(run->padding, 'x', bytes > 32 ? bytes - 32 : 0);
	run->room = allocate(run->rooms, sizeof(*run->room));
	run->received = allocate(run->receivers, sizeof(*run->received));
	run->missing = allocate(slots, sizeof(*run->missing));
	driver_init(&run->driver, run->load->loop, run->load->measure, slots, rate);
}

void
scenario_emit(struct load *load)
{
	const struct options *options = load->options;
	struct run run = { .load = load,
		.driver = { .issue = issue, .arg = &run },
		.receivers = (uint32_t)options->connections,
		.rooms = (uint32_t)options->rooms,
		.emitters = (uint32_t)options->emitters };

	if (run.rooms == 0 || run.rooms > run.receivers)
		die("rooms: between 1 and the number of connections");
	if (run.emitters == 0 || run.emitters > run.rooms)
		die("emitters: at least one and at most one for each room");
	prepare(&run);
	sockets_init(&run.sockets, load, run.receivers + run.emitters, &run);
	run.sockets.event = delivered;
	run.sockets.acked = joined;
	if (sockets_open(&run.sockets, NULL) && join_rooms(&run)) {
		say("%u sockets are in %u rooms", run.receivers, run.rooms);
		driver_run(&run.driver);
		measure_more(load->measure, "emits", "%" PRIu64, run.emits);
		measure_more(load->measure, "sockets", "%u", run.receivers);
		measure_more(load->measure, "rooms", "%u", run.rooms);
		sockets_close(&run.sockets);
		load->measure->resident_after = processes_resident(&options->server);
	}
	sockets_fini(&run.sockets);
	driver_fini(&run.driver);
	free(run.room);
	free(run.received);
	free(run.missing);
}
