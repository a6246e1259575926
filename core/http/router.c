/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Router, see router.h.  Paths are compared as they are sent where they hold no
 * escape; else segment by segment, decoded, so that an escaped slash never
 * becomes a border between segments.
 */
#include "http/router.h"

#include "http/query.h"

#include <string.h>

static const char *const method_names[ROUTER_METHODS] = { NULL, "GET", "POST", "PUT", "DELETE",
	"PATCH", "OPTIONS" };

const char *
method_name(uint32_t method)
{
	return method > 0 && method < ROUTER_METHODS ? method_names[method] : "-";
}

uint32_t
method_number(struct slice name, bool *head)
{
	*head = slice_is(name, "HEAD");
	if (*head)
		return CONVRO_GET;
	for (uint32_t i = 1; i < ROUTER_METHODS; i++)
		if (slice_is(name, method_names[i]))
			return i;
	return 0;
}

int
router_init(struct router *router)
{
	map_init(&router->exact);
	router->named = NULL;
	router->arena = arena_new(4096);
	return router->arena != NULL ? 0 : -1;
}

void
router_fini(struct router *router)
{
	map_fini(&router->exact);
	arena_free(router->arena);
}

/* ---- building ---- */

/* NULL when the declared path is sound.  Counts its named segments. */
static const char *
check_path(const char *path, uint32_t *names)
{
	*names = 0;
	if (path == NULL || path[0] != '/')
		return "its path does not begin with a slash";
	for (const char *at = path; *at == '/';) {
		const char *segment = at + 1;
		size_t len = strcspn(segment, "/");

		at = segment + len;
		if (len == 0 && (*at == '/' || segment != path + 1))
			return "its path has an empty segment";
		if (segment[0] == '{') {
			if (len < 3 || strcspn(segment + 1, "}") != len - 2)
				return "a named segment of its path is malformed";
			if (++*names > ROUTER_NAMES_MAX)
				return "its path has too many named segments";
		} else if (strcspn(segment, "{}%?#") < len) {
			return "its path holds a character that has to be escaped";
		}
	}
	return NULL;
}

static void
add_word(char *allow, const char *word)
{
	size_t len = strlen(allow);

	if (len > 0) {
		memcpy(allow + len, ", ", 3);
		len += 2;
	}
	memcpy(allow + len, word, strlen(word) + 1);
}

static void
write_allow(struct route_path *path)
{
	const struct convro_route *get = path->methods[CONVRO_GET].route;

	path->allow[0] = '\0';
	for (uint32_t i = 1; i < CONVRO_OPTIONS; i++) {
		if (path->methods[i].route == NULL)
			continue;
		add_word(path->allow, method_names[i]);
		if (i == CONVRO_GET && (get->flags & CONVRO_ROUTE_NO_HEAD) == 0)
			add_word(path->allow, "HEAD");
	}
	add_word(path->allow, method_names[CONVRO_OPTIONS]);
}

static struct route_path *
find_declared(const struct router *router, const char *path, size_t len, uint32_t names)
{
	if (names == 0)
		return map_get(&router->exact, path, len);
	for (struct route_path *at = router->named; at != NULL; at = at->next)
		if (strcmp(at->path, path) == 0)
			return at;
	return NULL;
}

static struct route_path *
path_new(struct router *router, const char *path, size_t len, uint32_t names)
{
	struct route_path *new = arena_zero(router->arena, 1, sizeof(*new));
	char *copy = arena_copy(router->arena, path, len);

	if (new == NULL || copy == NULL)
		return NULL;
	*new = (struct route_path){ .path = copy, .len = len, .names = names };
	if (names == 0)
		return map_put(&router->exact, copy, len, new, NULL) == 0 ? new : NULL;
	new->next = router->named;
	router->named = new;
	return new;
}

static const char *
add_at(struct router *router, struct module *module, const struct convro_route *route,
    const char *path, uint32_t names)
{
	size_t len = strlen(path);
	struct route_path *at = find_declared(router, path, len, names);

	if (at == NULL)
		at = path_new(router, path, len, names);
	if (at == NULL)
		return "out of memory";
	if (at->methods[route->method].route != NULL)
		return "there is such a route already";
	at->methods[route->method] = (struct route_entry){ route, module };
	write_allow(at);
	return NULL;
}

const char *
router_add(struct router *router, struct module *module, const struct convro_route *route)
{
	uint32_t names;
	const char *why = check_path(route->path, &names);
	size_t len;
	char *slashed;

	if (why != NULL)
		return why;
	if (route->method < CONVRO_GET || route->method > CONVRO_OPTIONS)
		return "unknown method";
	if (route->handler == NULL)
		return "it has no handler";
	why = add_at(router, module, route, route->path, names);
	if (why != NULL || (route->flags & CONVRO_ROUTE_PREFIX) == 0)
		return why;

	len = strlen(route->path);
	slashed = arena_alloc(router->arena, len + 2);
	if (slashed == NULL)
		return "out of memory";
	memcpy(slashed, route->path, len);
	memcpy(slashed + len, "/", 2);
	return add_at(router, module, route, slashed, names);
}

/* ---- finding ---- */

/* The segment at `path` and what follows it. */
static struct slice
take_segment(struct slice *path)
{
	const char *start = path->data + 1; /* behind the slash */
	const char *slash = memchr(start, '/', path->len - 1);
	size_t len = slash != NULL ? (size_t)(slash - start) : path->len - 1;

	path->data += len + 1;
	path->len -= len + 1;
	return (struct slice){ start, len };
}

/* Compares a whole path with a declared one; both begin with a slash.  -1 = memory is out. */
static int
matches(const struct route_path *declared, struct arena *arena, struct slice path,
    struct path_value values[ROUTER_NAMES_MAX], uint32_t *count)
{
	struct slice pattern = { declared->path, declared->len };

	*count = 0;
	while (pattern.len > 0 && path.len > 0) {
		struct slice want = take_segment(&pattern);
		struct slice got = take_segment(&path);
		char *decoded = arena_alloc(arena, got.len + 1);
		size_t len;

		if (decoded == NULL)
			return -1;
		if (!percent_decode(got.data, got.len, false, decoded, &len))
			return 0;
		decoded[len] = '\0';
		got = (struct slice){ decoded, len };
		if (want.len > 0 && want.data[0] == '{') {
			if (len == 0)
				return 0;
			values[(*count)++] =
			    (struct path_value){ want.data + 1, want.len - 2, got };
		} else if (!slice_equal(want, got)) {
			return 0;
		}
	}
	return pattern.len == 0 && path.len == 0;
}

/* A path with escapes may still mean an exact one: "/v1/%61uth/me". */
static const struct route_path *
find_exact_decoded(const struct router *router, struct arena *arena, struct slice path, bool *full)
{
	struct path_value values[ROUTER_NAMES_MAX];
	struct route_path *at;
	size_t cursor = 0;

	while ((at = map_next(&router->exact, &cursor)) != NULL) {
		uint32_t count;
		int match = matches(at, arena, path, values, &count);

		*full = match < 0;
		if (match != 0)
			return match > 0 ? at : NULL;
	}
	return NULL;
}

const struct route_path *
router_find(const struct router *router, struct arena *arena, struct slice path,
    struct path_value values[ROUTER_NAMES_MAX], uint32_t *count)
{
	const struct route_path *at = map_get(&router->exact, path.data, path.len);
	bool full = false;

	*count = 0;
	if (at != NULL || path.len == 0 || path.data[0] != '/')
		return at;
	for (at = router->named; at != NULL; at = at->next) {
		int match = matches(at, arena, path, values, count);

		if (match > 0)
			return at;
		full = full || match < 0;
	}
	*count = 0;
	if (!full && memchr(path.data, '%', path.len) != NULL)
		at = find_exact_decoded(router, arena, path, &full);
	if (full)
		*count = UINT32_MAX;
	return full ? NULL : at;
}
