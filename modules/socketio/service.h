/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service "realtime.v1" as other modules registered with it: sources, who
 * hears of acknowledgements, and the names of events on the wire.
 */
#ifndef SOCKETIO_SERVICE_H
#define SOCKETIO_SERVICE_H

#include "text.h"

#include <convro/realtime.h>

struct source {
	struct convro_realtime_source source;
	const void *module; /* whose code it is */
};

struct ack_handler {
	const char *event; /* owned: a copy */
	convro_pushed_ack *function;
	void *self;
	const void *module;
};

struct event_handler {
	const char *event; /* owned: a copy */
	convro_client_event *function;
	void *self;
	const void *module;
};

struct service {                /* built in init, then only read */
	struct source *sources; /* by order */
	uint32_t source_count;
	struct ack_handler *handlers;
	uint32_t handler_count;
	struct event_handler *events;
	uint32_t event_count;
	const char *event_names; /* the option: "event=name ..." */
	bool failed;             /* memory ran out while modules registered */
};

void service_fini(struct service *service);

void service_add_source(
    struct service *service, const void *module, const struct convro_realtime_source *source);
void service_add_handler(struct service *service, const void *module, const char *event,
    convro_pushed_ack *function, void *self);

void service_add_event(struct service *service, const void *module, const char *event,
    convro_client_event *function, void *self);
/* Who hears of a client's event; NULL = nobody. */
const struct event_handler *service_event(const struct service *service, struct slice event);

/* 1-based number of the handler of an event; 0 = none. */
uint32_t service_handler(const struct service *service, const char *event);

/* What an event is called on the wire. */
struct slice service_event_name(const struct service *service, const char *event);

/* NULL, or what is wrong with the option's text as a constant. */
const char *service_check_names(const char *words);

/* The ack id of an event is its cursor and its handler in one number, so that nothing needs to be
 * remembered between a push and its acknowledgement.  False when it would be above 2^53. */
bool service_ack_id(const struct service *service, uint32_t handler, int64_t cursor, uint64_t *out);
/* The way back; NULL for an id that was never given. */
const struct ack_handler *service_ack(const struct service *service, uint64_t id, int64_t *cursor);

#endif
