/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the page and OpenAPI both tell: the routes that are registered, how
 * their fields are worded, and the errors each can answer.
 */
#ifndef STATUS_CATALOG_H
#define STATUS_CATALOG_H

#include "text.h"

#include <convro/module.h>

struct entry {
	const struct convro_route *route; /* borrowed until the process ends */
	const char *module, *version;
};

struct catalog {
	struct entry *entries; /* in the order of modules and tables; hidden ones left out */
	uint32_t count, capacity;
	bool failed; /* memory ran out */
};

/* `without`: up to two handlers whose routes are left out, NULL = none.  Thread: worker. */
void
catalog_read(struct convro_ctx *ctx, convro_handler *const without[2], struct catalog *catalog);
void catalog_free(struct catalog *catalog);
/* The entry of "GET /health", or NULL. */
const struct entry *catalog_find(const struct catalog *catalog, const char *name, size_t len);

/* The element of a list that came from the core, which may be newer than this module. */
static inline const void *
list_at(const struct convro_list *list, uint32_t index)
{
	return (const char *)list->items + (size_t)index * list->stride;
}

const char *route_method(const struct convro_route *route);       /* "POST" */
const char *group_name(const struct entry *entry);                /* the heading: "Auth" */
bool takes_body(const struct convro_route *route);                /* a JSON object */
bool has_field_in(const struct convro_route *route, uint32_t in); /* enum convro_in */

/* What a value looks like, in words: "text, 3 to 64 characters of a-z". */
void field_words(struct text *out, const struct convro_field *field);
/* The code that a missing or malformed value gets; `outer` is the array's field or NULL. */
const char *field_code(const struct convro_field *field, const struct convro_field *outer);

struct known_error {
	uint32_t status;
	const char *code;
	const char *summary; /* NULL = the code says it all */
};

struct known_errors {
	struct known_error *items; /* ascending by status, no code twice within one */
	uint32_t count, capacity;
	bool failed;
};

/* The errors of the route's table, of its fields, and those that every route of its kind has. */
void errors_read(const struct convro_route *route, struct known_errors *errors);
void errors_free(struct known_errors *errors);

#endif
