/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Router: exact match on method and path, named segments, nothing else.  A
 * path without a name is found by one look in a map; the few with names are
 * tried one by one, and an exact path wins over them.  Built once at start and
 * then only read.  Pure: no request, no socket.
 */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "base/arena.h"
#include "base/map.h"
#include "base/text.h"
#include "http/fields.h"

#include <convro/http.h>

struct module;

#define ROUTER_METHODS    7 /* enum convro_method, from 1 */
#define ROUTER_NAMES_MAX  4 /* named segments of one path */
#define ROUTER_ALLOW_SIZE 64

/* A route together with whose it is. */
struct route_entry {
	const struct convro_route *route; /* NULL: this path has no such method */
	struct module *module;
};

struct route_path {
	const char *path; /* as declared */
	size_t len;
	struct route_path *next; /* among those with names */
	uint32_t names;          /* named segments */
	struct route_entry methods[ROUTER_METHODS];
	char allow[ROUTER_ALLOW_SIZE]; /* "GET, HEAD, OPTIONS" */
};

struct router {
	struct map exact; /* path -> struct route_path, those without names */
	struct route_path *named;
	struct arena *arena; /* holds the paths */
};

/* 0, or -1 when memory is out. */
int router_init(struct router *router);
void router_fini(struct router *router);

/* Adds a route; NULL, or a sentence (static) saying why not: it is there already, its path is
 * malformed, memory is out.  `route` and `module` are borrowed until router_fini.  Thread: main. */
const char *
router_add(struct router *router, struct module *module, const struct convro_route *route);

/* The path that `path` (as sent, its escapes whole) names, NULL = none.  Fills values[] with the
 * named segments, decoded into the arena; *count is their number, or *count is UINT32_MAX and the
 * result NULL when memory is out.  Thread: any. */
const struct route_path *router_find(const struct router *router, struct arena *arena,
    struct slice path, struct path_value values[ROUTER_NAMES_MAX], uint32_t *count);

/* Its name; "-" for a number that is none. */
const char *method_name(uint32_t method);
/* enum convro_method of a method's name; HEAD is CONVRO_GET with *head set; 0 = unknown. */
uint32_t method_number(struct slice name, bool *head);

#endif
