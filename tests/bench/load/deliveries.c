/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exactly once, and in order: see deliveries.h.
 */
#include "deliveries.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_LEAST = 65536 };

void
deliveries_init(struct deliveries *deliveries, struct measure *measure, struct requests *requests,
    uint32_t recipients)
{
	*deliveries = (struct deliveries){ .measure = measure,
		.requests = requests,
		.recipients = recipients,
		.room = ROOM_LEAST };
	deliveries->list = allocate(ROOM_LEAST, sizeof(*deliveries->list));
	deliveries->last_id = allocate(recipients, sizeof(*deliveries->last_id));
}

void
deliveries_fini(struct deliveries *deliveries)
{
	free(deliveries->list);
	free(deliveries->last_id);
}

struct delivery *
deliveries_begin(struct deliveries *deliveries, uint32_t slot, uint64_t intended)
{
	uint64_t number = deliveries->count++;

	if (number == deliveries->room) {
		deliveries->room *= 2;
		deliveries->list =
		    reallocate(deliveries->list, deliveries->room, sizeof(*deliveries->list));
	}
	deliveries->list[number] = (struct delivery){ .intended = intended, .slot = slot };
	request_message(deliveries->requests, 1 + number % deliveries->recipients, number);
	return &deliveries->list[number];
}

/* Also rows of others count, as a client that asks for what came after its last row would. */
static void
check_order(struct deliveries *deliveries, uint32_t recipient, const char *row, size_t len)
{
	static const char name[] = "\"id\":";
	const char *at = memmem(row, len, name, sizeof(name) - 1);
	uint64_t id = at != NULL ? strtoull(at + sizeof(name) - 1, NULL, 10) : 0;

	if (id <= deliveries->last_id[recipient])
		measure_error(deliveries->measure,
		    "recipient %" PRIu32 " got row %" PRIu64 " after %" PRIu64, recipient, id,
		    deliveries->last_id[recipient]);
	else
		deliveries->last_id[recipient] = id;
}

struct delivery *
deliveries_arrived(struct deliveries *deliveries, uint32_t recipient, const char *array, size_t len)
{
	static const char head[] = "[\"dm.message\",";
	struct delivery *delivery;
	uint64_t number;

	if (len < sizeof(head) || memcmp(array, head, sizeof(head) - 1) != 0)
		return NULL;
	check_order(deliveries, recipient, array, len);
	if (!request_number_of(deliveries->requests, array, len, &number))
		return NULL;
	if (number >= deliveries->count || number % deliveries->recipients != recipient) {
		measure_error(deliveries->measure, "message %" PRIu64 " came to recipient %" PRIu32,
		    number, recipient);
		return NULL;
	}
	delivery = &deliveries->list[number];
	if (delivery->arrived) {
		measure_error(deliveries->measure, "message %" PRIu64 " came twice", number);
		return NULL;
	}
	delivery->arrived = true;
	return delivery;
}

uint64_t
deliveries_answered(const struct deliveries *deliveries, uint64_t *missing)
{
	uint64_t answered = 0;

	*missing = 0;
	for (uint64_t i = 0; i < deliveries->count; i++) {
		if (deliveries->list[i].answered) {
			answered++;
			*missing += !deliveries->list[i].arrived;
		}
	}
	return answered;
}
