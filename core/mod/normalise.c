/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A module may have been compiled against older or newer headers.  Its structs
 * are copied to the sizes of this core, once, so that nothing behind this file
 * has to know.
 */
#include "log/log.h"
#include "mod/internal.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What an element must at least have, and what it is called in a sentence. */
struct element {
	const char *what;
	size_t size;  /* in this core */
	size_t least; /* in the first release */
};

static const struct element options = { "option", sizeof(struct convro_option),
	sizeof(struct convro_option) };
static const struct element statements = { "statement", sizeof(struct convro_statement),
	sizeof(struct convro_statement) };
static const struct element migrations = { "migration", sizeof(struct convro_migration),
	sizeof(struct convro_migration) };
static const struct element routes = { "route", sizeof(struct convro_route),
	sizeof(struct convro_route) };
static const struct element fields = { "field", sizeof(struct convro_field),
	sizeof(struct convro_field) };
static const struct element answers = { "answer", sizeof(struct convro_answer),
	sizeof(struct convro_answer) };
static const struct element errors = { "error", sizeof(struct convro_error),
	sizeof(struct convro_error) };
static const struct element hooks = { "hook", sizeof(struct convro_hook),
	sizeof(struct convro_hook) };
static const struct element subscriptions = { "subscription", sizeof(struct convro_subscription),
	sizeof(struct convro_subscription) };
static const struct element services = { "service", sizeof(struct convro_service),
	sizeof(struct convro_service) };
static const struct element words = { "word", sizeof(const char *), sizeof(const char *) };

/* The copies are const to everybody but the one who made them. */
static void
release(const void *copy)
{
	free((void *)(uintptr_t)copy);
}

static bool
is_zero(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] != 0)
			return false;
	return true;
}

/* The list's elements in this core's size; NULL for an empty list or after the reason was logged
 * (told apart by `ok`). */
static void *
copy_list(const char *path, const struct convro_list *list, const struct element *element, bool *ok)
{
	char *copy;

	if (list->count == 0)
		return NULL;
	if (list->items == NULL || list->stride < element->least || list->count > UINT16_MAX) {
		log_error(
		    "module %s: its list of %ss is malformed: build it against this server's headers",
		    path, element->what);
		*ok = false;
		return NULL;
	}
	copy = calloc(list->count, element->size);
	if (copy == NULL) {
		log_error("module %s: out of memory", path);
		*ok = false;
		return NULL;
	}
	for (uint32_t i = 0; i < list->count; i++) {
		const char *from = (const char *)list->items + (size_t)i * list->stride;
		size_t len = list->stride < element->size ? list->stride : element->size;

		memcpy(copy + i * element->size, from, len);
		if (list->stride > element->size && !is_zero(from + len, list->stride - len)) {
			log_error(
			    "module %s: %s number %u uses members that this server does not know: update the server",
			    path, element->what, i);
			*ok = false;
		}
	}
	return copy;
}

static void
renew_list(const char *path, struct convro_list *list, const struct element *element, bool *ok)
{
	list->items = copy_list(path, list, element, ok);
	list->stride = (uint32_t)element->size;
	if (list->items == NULL)
		list->count = 0;
}

static void
renew_fields(const char *path, struct convro_list *list, int depth, bool *ok)
{
	struct convro_field *copy = copy_list(path, list, &fields, ok);

	if (copy != NULL && depth > 4) {
		log_error("module %s: fields nested more than 4 deep", path);
		*ok = false;
	}
	for (uint32_t i = 0; copy != NULL && *ok && i < list->count; i++)
		renew_fields(path, &copy[i].items, depth + 1, ok);
	list->items = copy;
	list->stride = sizeof(*copy);
	if (copy == NULL)
		list->count = 0;
}

int
mod_normalise(const char *path, const struct convro_module *descriptor, struct module *module)
{
	struct convro_module *own = calloc(1, sizeof(*own));
	size_t len = descriptor->size < sizeof(*own) ? descriptor->size : sizeof(*own);
	struct convro_route *own_routes;
	bool ok = true;

	if (own == NULL) {
		log_error("module %s: out of memory", path);
		return -1;
	}
	memcpy(own, descriptor, len);
	if (descriptor->size > sizeof(*own) &&
	    !is_zero((const char *)descriptor + len, descriptor->size - len)) {
		log_error(
		    "module %s: its descriptor uses members that this server does not know: update the server",
		    path);
		return -1;
	}
	if (own->version == NULL || own->summary == NULL || own->api == NULL) {
		log_error("module %s: its descriptor lacks version, summary or api", path);
		return -1;
	}
	own_routes = copy_list(path, &own->routes, &routes, &ok);
	for (uint32_t i = 0; own_routes != NULL && ok && i < own->routes.count; i++) {
		renew_fields(path, &own_routes[i].fields, 0, &ok);
		renew_list(path, &own_routes[i].answers, &answers, &ok);
		renew_list(path, &own_routes[i].errors, &errors, &ok);
	}
	renew_list(path, &own->needs, &words, &ok);
	renew_list(path, &own->wants, &words, &ok);
	*module = (struct module){
		.name = own->name,
		.descriptor = own,
		.handle = module->handle,
		.options = copy_list(path, &own->options, &options, &ok),
		.option_count = own->options.count,
		.statements = copy_list(path, &own->statements, &statements, &ok),
		.statement_count = own->statements.count,
		.migrations = copy_list(path, &own->migrations, &migrations, &ok),
		.migration_count = own->migrations.count,
		.routes = own_routes,
		.route_count = own->routes.count,
		.hooks = copy_list(path, &own->hooks, &hooks, &ok),
		.hook_count = own->hooks.count,
		.subscriptions = copy_list(path, &own->subscriptions, &subscriptions, &ok),
		.subscription_count = own->subscriptions.count,
		.services = copy_list(path, &own->provides, &services, &ok),
		.service_count = own->provides.count,
	};
	return ok ? 0 : -1;
}

static void
release_fields(const struct convro_list *list)
{
	const struct convro_field *items = list->items;

	for (uint32_t i = 0; i < list->count; i++)
		release_fields(&items[i].items);
	release(items);
}

void
mod_release(struct module *module)
{
	for (uint32_t i = 0; module->routes != NULL && i < module->route_count; i++) {
		release_fields(&module->routes[i].fields);
		release(module->routes[i].answers.items);
		release(module->routes[i].errors.items);
	}
	if (module->descriptor != NULL) {
		release(module->descriptor->needs.items);
		release(module->descriptor->wants.items);
	}
	release(module->options);
	release(module->statements);
	release(module->migrations);
	release(module->routes);
	release(module->hooks);
	release(module->subscriptions);
	release(module->services);
	release(module->descriptor);
	*module = (struct module){ .name = "released" };
}
