/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect: authenticated Socket.IO connects, one operation each: TCP, upgrade,
 * Engine.IO, CONNECT with the token.  Each socket leaves in good order and the
 * next begins when the server has closed it; the latency ends with the answer
 * to CONNECT.
 */
#include "client.h"
#include "driver.h"
#include "scenario.h"

#include <stdlib.h>

struct run {
	struct load *load;
	struct driver driver;
	struct clients all;
	struct client *list;
};

static void
connected(struct client *client)
{
	struct run *run = client->all->arg;

	driver_completed(&run->driver, client->started, now_ns());
	client_close(client);
}

static void
closed(struct client *client, const char *why)
{
	struct run *run = client->all->arg;

	if (why != NULL)
		measure_error(run->load->measure, "%s", why);
	driver_release(&run->driver, client->number);
}

static void
ignored(struct client *client, const char *array, size_t len)
{
	(void)client;
	(void)array;
	(void)len;
}

static const struct client_events events = {
	.connected = connected, .closed = closed, .event = ignored
};

static void
issue(struct driver *driver, uint32_t slot, uint64_t number, uint64_t intended)
{
	struct run *run = driver->arg;
	struct client *client = &run->list[slot];

	client->started = intended;
	client->user = run->load->options->first_user + number % run->load->options->users;
	client_connect(client);
}

void
scenario_connect(struct load *load)
{
	const struct options *options = load->options;
	uint32_t count = (uint32_t)options->connections;
	struct run run = { .load = load,
		.driver = { .issue = issue },
		.all = { .loop = load->loop,
		    .endpoint = load->endpoint,
		    .tokens = load->tokens,
		    .events = &events } };

	run.driver.arg = run.all.arg = &run;
	clients_init(&run.all, options->socketio_path);
	run.list = allocate(count, sizeof(*run.list));
	for (uint32_t i = 0; i < count; i++) {
		run.list[i].all = &run.all;
		run.list[i].number = i;
	}
	for (uint64_t i = 0; i < options->users; i++)
		(void)tokens_get(load->tokens, options->first_user + i);
	driver_init(&run.driver, load->loop, load->measure, count, options->rate);
	driver_run(&run.driver);
	for (uint32_t i = 0; i < count; i++)
		client_drop(&run.list[i]);
	driver_fini(&run.driver);
	free(run.list);
	clients_fini(&run.all);
}
