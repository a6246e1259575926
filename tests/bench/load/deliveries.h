/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages on their way from HTTP to the sockets of their recipients: each has
 * to arrive exactly once, and those of one recipient in the order of their ids.
 * Message `number` goes to recipient number % recipients, who is the responder
 * of session 1 + number % recipients.
 */
#ifndef LOAD_DELIVERIES_H
#define LOAD_DELIVERIES_H

#include "request.h"

struct delivery {
	uint64_t intended;
	uint32_t slot;
	bool answered; /* the server has taken it; else nobody knows */
	bool arrived;
};

struct deliveries {
	struct measure *measure;   /* borrowed */
	struct requests *requests; /* borrowed */
	uint32_t recipients;
	struct delivery *list; /* by number */
	uint64_t count, room;
	uint64_t *last_id; /* of all rows that a recipient got; 0 = none */
};

void deliveries_init(struct deliveries *deliveries, struct measure *measure,
    struct requests *requests, uint32_t recipients);
void deliveries_fini(struct deliveries *deliveries);

/* Notes the next message and writes its request. */
struct delivery *deliveries_begin(struct deliveries *deliveries, uint32_t slot, uint64_t intended);

/* The message that an event of Socket.IO brought; NULL when it brought none, or when the complaint
 * is in the measurement. */
struct delivery *deliveries_arrived(
    struct deliveries *deliveries, uint32_t recipient, const char *array, size_t len);

/* How many were taken by the server, and how many of these have not arrived. */
uint64_t deliveries_answered(const struct deliveries *deliveries, uint64_t *missing);

#endif
