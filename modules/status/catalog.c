/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registered routes, and their fields in words.  errors.c adds what each
 * can answer.
 */
#include "status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	struct catalog *catalog;
	convro_handler *const *without;
};

static void
visit(void *arg, const char *module, const char *version, const struct convro_route *route)
{
	struct reading *reading = arg;
	struct catalog *catalog = reading->catalog;

	if ((route->flags & CONVRO_ROUTE_HIDDEN) != 0 || route->handler == reading->without[0] ||
	    route->handler == reading->without[1])
		return;
	if (catalog->count == catalog->capacity) {
		uint32_t capacity = catalog->capacity != 0 ? catalog->capacity * 2 : 32;
		struct entry *entries =
		    reallocarray(catalog->entries, capacity, sizeof(*catalog->entries));

		if (entries == NULL) {
			catalog->failed = true;
			return;
		}
		catalog->entries = entries;
		catalog->capacity = capacity;
	}
	catalog->entries[catalog->count++] = (struct entry){ route, module, version };
}

void
catalog_read(struct convro_ctx *ctx, convro_handler *const without[2], struct catalog *catalog)
{
	struct reading reading = { catalog, without };

	*catalog = (struct catalog){ 0 };
	convro->http->each_route(ctx, visit, &reading);
}

void
catalog_free(struct catalog *catalog)
{
	free(catalog->entries);
	*catalog = (struct catalog){ 0 };
}

const struct entry *
catalog_find(const struct catalog *catalog, const char *name, size_t len)
{
	for (uint32_t i = 0; i < catalog->count; i++) {
		const struct convro_route *route = catalog->entries[i].route;
		const char *method = route_method(route);
		size_t method_len = strlen(method), path_len = strlen(route->path);

		if (len == method_len + 1 + path_len && memcmp(name, method, method_len) == 0 &&
		    name[method_len] == ' ' &&
		    memcmp(name + method_len + 1, route->path, path_len) == 0)
			return &catalog->entries[i];
	}
	return NULL;
}

const char *
route_method(const struct convro_route *route)
{
	static const char *const names[] = { "?", "GET", "POST", "PUT", "DELETE", "PATCH",
		"OPTIONS" };

	return route->method < sizeof(names) / sizeof(names[0]) ? names[route->method] : names[0];
}

const char *
group_name(const struct entry *entry)
{
	return entry->route->group != NULL ? entry->route->group : entry->module;
}

bool
takes_body(const struct convro_route *route)
{
	return (route->flags & CONVRO_ROUTE_RAW) == 0 &&
	       (route->method == CONVRO_POST || route->method == CONVRO_PUT ||
		   route->method == CONVRO_PATCH);
}

bool
has_field_in(const struct convro_route *route, uint32_t in)
{
	for (uint32_t i = 0; i < route->fields.count; i++)
		if (((const struct convro_field *)list_at(&route->fields, i))->in == in)
			return true;
	return false;
}

/* ---- fields in words ---- */

#define BYTES "byte"

/* "1 byte", "16 KiB", "3"; `unit` is in the singular, NULL = none. */
static void
put_amount(struct text *out, int64_t amount, const char *unit)
{
	bool bytes = unit != NULL && strcmp(unit, BYTES) == 0;

	if (bytes && amount >= 4096 && amount % 1024 == 0)
		text_printf(out, "%" PRId64 " KiB", amount / 1024);
	else
		text_printf(out, "%" PRId64 "%s%s%s", amount, unit != NULL ? " " : "",
		    unit != NULL ? unit : "", unit != NULL && amount != 1 ? "s" : "");
}

static void
put_range(struct text *out, int64_t min, int64_t max, const char *unit)
{
	bool bytes = unit != NULL && strcmp(unit, BYTES) == 0;

	if (min == 0 && max == 0)
		return;
	text_puts(out, ", ");
	if (max == 0) {
		text_puts(out, "at least ");
		put_amount(out, min, unit);
	} else if (min == max) {
		text_puts(out, unit == NULL ? "always " : "");
		put_amount(out, min, unit);
	} else if (min == 0 && unit != NULL) {
		text_puts(out, "at most ");
		put_amount(out, max, unit);
	} else {
		put_amount(out, min, bytes ? unit : NULL);
		text_puts(out, " to ");
		put_amount(out, max, unit);
	}
}

static void
put_choice(struct text *out, const char *values)
{
	for (const char *at = values; *at != '\0';) {
		size_t len = strcspn(at, " ");

		if (at != values)
			text_puts(out, at[len] == '\0' ? " or " : ", ");
		text_put(out, at, len);
		at += len;
		at += strspn(at, " ");
	}
}

static void
put_text_words(struct text *out, const struct convro_field *field)
{
	text_puts(out, "text");
	put_range(out, field->min, field->max, "character");
	if (field->chars != NULL) {
		text_puts(out, field->min != 0 || field->max != 0 ? " of " : " of the characters ");
		text_puts(out, field->chars);
	}
	put_range(out, 0, field->max_bytes, BYTES);
}

void
field_words(struct text *out, const struct convro_field *field)
{
	switch (field->type) {
	case CONVRO_TEXT:
		put_text_words(out, field);
		break;
	case CONVRO_INT:
		text_puts(out, "integer");
		put_range(out, field->min, field->max, NULL);
		break;
	case CONVRO_ID:
		text_puts(out, "positive integer");
		break;
	case CONVRO_BOOL:
		text_puts(out, "true or false");
		break;
	case CONVRO_HEX16:
		text_puts(out, "16 hex digits");
		break;
	case CONVRO_HEX8:
		text_puts(out, "8 hex digits");
		break;
	case CONVRO_BINARY:
		text_puts(out, "base64");
		put_range(out, field->min, field->max, BYTES);
		break;
	case CONVRO_CHOICE:
		put_choice(out, field->values);
		break;
	case CONVRO_TIME:
		text_puts(out, "time, ISO 8601");
		break;
	case CONVRO_NUMBER:
		text_puts(out, "convro number, +99 and 6 to 12 digits");
		break;
	case CONVRO_OBJECT:
		text_puts(out, "object");
		put_range(out, field->min, field->max, BYTES);
		break;
	case CONVRO_ARRAY:
		text_puts(out, "array");
		put_range(out, field->min, field->max, "element");
		break;
	default:
		text_puts(out, "value");
	}
}

const char *
field_code(const struct convro_field *field, const struct convro_field *outer)
{
	if (field->error != NULL)
		return field->error;
	if (outer != NULL && outer->error != NULL)
		return outer->error;
	return field->in == CONVRO_QUERY ? "INVALID_QUERY" : "INVALID_BODY";
}
