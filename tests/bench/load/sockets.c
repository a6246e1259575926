/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and closing many sockets: see sockets.h.
 */
#include "sockets.h"

#include <stdlib.h>

static struct sockets *
sockets_of(const struct client *client)
{
	/* `all` is the first member. */
	return (struct sockets *)(void *)client->all;
}

static void
open_next(struct sockets *sockets)
{
	if (sockets->next < sockets->count) {
		struct client *client = &sockets->list[sockets->next++];

		client->started = now_ns();
		client_connect(client);
	}
}

static void
one_less(struct sockets *sockets)
{
	if (--sockets->left == 0)
		loop_stop(sockets->load->loop);
	else if (sockets->opening)
		open_next(sockets);
}

static void
connected(struct client *client)
{
	struct sockets *sockets = sockets_of(client);

	sockets->up++;
	if (sockets->latency != NULL)
		histogram_record(sockets->latency, now_ns() - client->started);
	one_less(sockets);
}

static void
closed(struct client *client, const char *why)
{
	struct sockets *sockets = sockets_of(client);

	if (why != NULL)
		measure_error(sockets->load->measure, "socket %u: %s", client->number, why);
	if (!sockets->opening)
		sockets->up--;
	if (sockets->opening || sockets->closing)
		one_less(sockets);
}

static void
event(struct client *client, const char *array, size_t len)
{
	struct sockets *sockets = sockets_of(client);

	if (sockets->event != NULL)
		sockets->event(client, array, len);
}

static void
acked(struct client *client, uint64_t id)
{
	struct sockets *sockets = sockets_of(client);

	if (sockets->acked != NULL)
		sockets->acked(client, id);
}

static const struct client_events events = {
	.connected = connected, .event = event, .acked = acked, .closed = closed
};

void
sockets_init(struct sockets *sockets, struct load *load, uint32_t count, void *arg)
{
	const struct options *options = load->options;

	*sockets = (struct sockets){ .load = load, .count = count };
	sockets->all = (struct clients){ .loop = load->loop,
		.endpoint = load->endpoint,
		.tokens = load->tokens,
		.events = &events,
		.arg = arg };
	clients_init(&sockets->all, options->socketio_path);
	sockets->list = allocate(count, sizeof(*sockets->list));
	for (uint32_t i = 0; i < count; i++) {
		sockets->list[i].all = &sockets->all;
		sockets->list[i].number = i;
		sockets->list[i].user = options->first_user + i % options->users;
	}
}

void
sockets_fini(struct sockets *sockets)
{
	for (uint32_t i = 0; i < sockets->count; i++)
		client_drop(&sockets->list[i]);
	free(sockets->list);
	clients_fini(&sockets->all);
}

static uint64_t
limit(const struct sockets *sockets)
{
	return now_ns() + (uint64_t)(sockets->load->options->timeout * NS_PER_S);
}

bool
sockets_open(struct sockets *sockets, struct histogram *latency)
{
	uint64_t handshakes = sockets->load->options->handshakes;

	/* The tokens first: making them is no part of a connect. */
	for (uint32_t i = 0; i < sockets->count; i++)
		(void)tokens_get(sockets->load->tokens, sockets->list[i].user);
	sockets->latency = latency;
	sockets->opening = true;
	sockets->left = sockets->count;
	for (uint64_t i = 0; i < handshakes; i++)
		open_next(sockets);
	if (sockets->left > 0 && !loop_run(sockets->load->loop, limit(sockets)))
		measure_error(sockets->load->measure, "%u of %u sockets were not up after %.1f s",
		    sockets->left, sockets->count, sockets->load->options->timeout);
	sockets->opening = false;
	return sockets->up == sockets->count;
}

void
sockets_close(struct sockets *sockets)
{
	sockets->closing = true;
	sockets->left = sockets->up;
	for (uint32_t i = 0; i < sockets->count; i++)
		if (sockets->list[i].state == CLIENT_UP)
			client_close(&sockets->list[i]);
	if (sockets->left > 0 && !loop_run(sockets->load->loop, limit(sockets)))
		measure_error(sockets->load->measure,
		    "the server did not end %u connections within %.1f s", sockets->left,
		    sockets->load->options->timeout);
	sockets->closing = false;
}
