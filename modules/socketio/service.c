/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What modules registered with the service "realtime.v1".
 */
#include "service.h"

#include "packet.h"

#include <stdlib.h>

void
service_fini(struct service *service)
{
	for (uint32_t i = 0; i < service->handler_count; i++)
		free((void *)(uintptr_t)service->handlers[i].event);
	for (uint32_t i = 0; i < service->event_count; i++)
		free((void *)(uintptr_t)service->events[i].event);
	free(service->events);
	free(service->handlers);
	free(service->sources);
	*service = (struct service){ 0 };
}

void
service_add_source(
    struct service *service, const void *module, const struct convro_realtime_source *source)
{
	size_t size = source->size < sizeof(*source) ? source->size : sizeof(*source);
	struct source *sources =
	    realloc(service->sources, (service->source_count + 1) * sizeof(*sources));
	struct convro_realtime_source copy = { 0 };
	uint32_t at = service->source_count;

	if (sources == NULL) {
		service->failed = true;
		return;
	}
	memcpy(&copy, source, size);
	service->sources = sources;
	for (; at > 0 && sources[at - 1].source.order > copy.order; at--)
		sources[at] = sources[at - 1];
	sources[at] = (struct source){ copy, module };
	service->source_count++;
}

void
service_add_handler(struct service *service, const void *module, const char *event,
    convro_pushed_ack *function, void *self)
{
	struct ack_handler *handlers =
	    realloc(service->handlers, (service->handler_count + 1) * sizeof(*handlers));
	char *name = strdup(event);

	if (handlers != NULL)
		service->handlers = handlers;
	if (handlers == NULL || name == NULL) {
		free(name);
		service->failed = true;
		return;
	}
	handlers[service->handler_count++] = (struct ack_handler){ name, function, self, module };
}

void
service_add_event(struct service *service, const void *module, const char *event,
    convro_client_event *function, void *self)
{
	struct event_handler *events =
	    realloc(service->events, (service->event_count + 1) * sizeof(*events));
	char *name = strdup(event);

	if (events != NULL)
		service->events = events;
	if (events == NULL || name == NULL) {
		free(name);
		service->failed = true;
		return;
	}
	events[service->event_count++] = (struct event_handler){ name, function, self, module };
}

const struct event_handler *
service_event(const struct service *service, struct slice event)
{
	for (uint32_t i = service->event_count; i > 0; i--)
		if (slice_equal(slice_of(service->events[i - 1].event), event))
			return &service->events[i - 1];
	return NULL;
}

uint32_t
service_handler(const struct service *service, const char *event)
{
	for (uint32_t i = 0; i < service->handler_count; i++)
		if (strcmp(service->handlers[i].event, event) == 0)
			return i + 1;
	return 0;
}

/* ---- names ---- */

/* The next "event=name" of the words; false at the end. */
static bool
next_pair(const char **words, struct slice *event, struct slice *name)
{
	const char *at = *words + strspn(*words, " \t");
	size_t len = strcspn(at, " \t");
	const char *equals = memchr(at, '=', len);

	*words = at + len;
	if (len == 0)
		return false;
	*event = (struct slice){ at, equals != NULL ? (size_t)(equals - at) : len };
	*name = (struct slice){ NULL, 0 };
	if (equals != NULL)
		*name = (struct slice){ equals + 1, len - event->len - 1 };
	return true;
}

const char *
service_check_names(const char *words)
{
	struct slice event, name;

	while (next_pair(&words, &event, &name)) {
		if (event.len == 0 || name.len == 0)
			return "a word is not of the form event=name";
		if (!packet_event_name_ok(name))
			return "a name is one that the protocol keeps for itself";
		if (!text_is_utf8(name.data, name.len))
			return "a name is not UTF-8";
	}
	return NULL;
}

struct slice
service_event_name(const struct service *service, const char *event)
{
	const char *words = service->event_names != NULL ? service->event_names : "";
	struct slice original, name;

	while (next_pair(&words, &original, &name))
		if (slice_equal(original, slice_of(event)))
			return name;
	return slice_of(event);
}

/* ---- ack ids ---- */

bool
service_ack_id(const struct service *service, uint32_t handler, int64_t cursor, uint64_t *out)
{
	uint64_t count = service->handler_count;

	if (handler == 0 || handler > count || cursor <= 0 ||
	    (uint64_t)cursor > (PACKET_MAX_ID - count) / count)
		return false;
	*out = (uint64_t)cursor * count + (handler - 1);
	return true;
}

const struct ack_handler *
service_ack(const struct service *service, uint64_t id, int64_t *cursor)
{
	uint64_t count = service->handler_count;

	if (count == 0 || id / count == 0 || id > PACKET_MAX_ID)
		return NULL;
	*cursor = (int64_t)(id / count);
	return &service->handlers[id % count];
}
