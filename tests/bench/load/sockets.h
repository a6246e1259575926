/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many sockets: opened a few at a time, and closed all together.
 */
#ifndef LOAD_SOCKETS_H
#define LOAD_SOCKETS_H

#include "client.h"
#include "scenario.h"

struct sockets {
	struct clients all; /* first */
	struct client *list;
	uint32_t count;
	uint32_t up;
	uint32_t next; /* to open */
	uint32_t left; /* whose outcome is not known yet, or whose end is awaited */
	bool opening, closing;
	struct load *load;                                                   /* borrowed */
	struct histogram *latency;                                           /* borrowed */
	void (*event)(struct client *client, const char *array, size_t len); /* the scenario's */
	void (*acked)(struct client *client, uint64_t id);
};

/* `count` clients of the users first_user, first_user + 1, ... (again from the first when there
 * are fewer users), none connected; the scenario may set other users, and `event` and `acked`. */
void sockets_init(struct sockets *sockets, struct load *load, uint32_t count, void *arg);
void sockets_fini(struct sockets *sockets);

/* Connects all, options.handshakes at a time; their latencies go to `latency` unless it is NULL.
 * True when all are up; else the errors are in the measurement. */
bool sockets_open(struct sockets *sockets, struct histogram *latency);

/* Disconnects all that are up and waits for the server's ends, for at most options.timeout. */
void sockets_close(struct sockets *sockets);

#endif
