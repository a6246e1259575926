/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kit's life, its queue and its requests.  What a module asks for is queued
 * and answered once the call has returned, as the real core does it.
 */
#include "private.h"

#include "base/isotime.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATEMENT_BASE = 1000, NEVER_RECYCLE = 1 << 20, JOBS_MOST = 1000000 };

void
kit_broken(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fputs("kit: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
	abort();
}

/* ---- memory and sets ---- */

void *
kit_alloc(struct kit *kit, size_t len)
{
	void *data = arena_zero(kit->arena, 1, len != 0 ? len : 1);

	if (data == NULL)
		kit_broken("out of memory");
	return data;
}

const char *
kit_copy(struct kit *kit, const char *text)
{
	const char *copy = text != NULL ? arena_copy(kit->arena, text, strlen(text)) : NULL;

	if (text != NULL && copy == NULL)
		kit_broken("out of memory");
	return copy;
}

const struct kit_set *
kit_find(const struct kit_set *sets, const char *name)
{
	for (; sets != NULL; sets = sets->next)
		if (strcmp(sets->name, name) == 0)
			return sets;
	return NULL;
}

/* The newest of a name is found first. */
void
kit_put(struct kit *kit, struct kit_set **sets, const char *name, const void *data, size_t len)
{
	struct kit_set *set = kit_alloc(kit, sizeof(*set));

	*set = (struct kit_set){ *sets, kit_copy(kit, name), data, len };
	*sets = set;
}

/* ---- life ---- */

struct kit *
kit_new(const struct convro_module *module)
{
	struct kit *kit = calloc(1, sizeof(*kit));

	if (kit == NULL || (kit->arena = arena_new(65536)) == NULL ||
	    router_init(&kit->router) != 0)
		kit_broken("out of memory");
	kit->descriptor = module;
	list_init(&kit->worker.contexts);
	spare_init(&kit->worker.spare_contexts);
	/* A context's memory is freed at its end, so that a sanitizer sees who uses it after. */
	kit->worker.spare_contexts.count = NEVER_RECYCLE;
	kit->worker.worker_count = 1;
	kit->worker.workers = &kit->worker;
	kit->module.name = module->name;
	kit->module.descriptor = module;
	kit->jobs_end = &kit->jobs;
	kit->runs_end = &kit->runs;
	kit->facts_end = &kit->facts;
	kit->pushes_end = &kit->pushes;
	buf_init(&kit->trace, 0);
	buf_init(&kit->log, 0);
	kit->memory = -1;
	kit->wall_us = KIT_NOW_US;
	kit->mono_ms = 1000000;
	kit->body = kit->error = kit->field = "";
	for (uint8_t i = 0; i < sizeof(kit->permutation_key); i++)
		kit->permutation_key[i] = i;
	kit_caller(kit, 7, (int64_t)0xa1b2c3d4e5f60708, "241772", NULL);
	kit_address(kit, "192.0.2.1");
	kit->api = (struct convro_api){ .size = sizeof(kit->api),
		.abi_major = CONVRO_ABI_MAJOR,
		.abi_minor = CONVRO_ABI_MINOR,
		.http = &kit_http,
		.json = kit_json(),
		.db = &kit_db,
		.bus = &kit_bus,
		.auth = &kit_auth,
		.conf = &kit_conf,
		.log = &kit_log,
		.timer = &kit_timer,
		.work = &kit_work,
		.mem = &kit_mem };
	*module->api = &kit->api;
	if (module->statement_base != NULL)
		*module->statement_base = STATEMENT_BASE;
	kit->module.statement_base = STATEMENT_BASE;
	kit->module.statements = module->statements.items;
	kit->module.statement_count = module->statements.count;
	return kit;
}

void
kit_option(struct kit *kit, const char *name, const char *text)
{
	kit_put(kit, &kit->options, name, kit_copy(kit, text), strlen(text));
}

void
kit_secret(struct kit *kit, const char *name, const void *data, size_t len)
{
	uint8_t *copy = kit_alloc(kit, len + 1);

	memcpy(copy, data, len);
	kit_put(kit, &kit->secrets, name, copy, len);
}

void
kit_service(struct kit *kit, const char *name, const void *table)
{
	kit_put(kit, &kit->services, name, table, 0);
}

void
kit_without(struct kit *kit, const char *service)
{
	kit_put(kit, &kit->services, service, NULL, 0);
}

/* Judges the tables as the real core does at its start. */
static void
add_routes(struct kit *kit)
{
	const struct convro_route *routes = kit->descriptor->routes.items;

	for (uint32_t i = 0; i < kit->descriptor->routes.count; i++) {
		const char *field, *why;

		why = fields_check(
		    routes[i].fields.items, routes[i].fields.count, routes[i].path, &field);
		if (why != NULL)
			kit_broken("%s: field %s: %s", routes[i].path, field, why);
		why = router_add(&kit->router, &kit->module, &routes[i]);
		if (why != NULL)
			kit_broken("%s: %s", routes[i].path, why);
	}
}

enum convro_status
kit_start(struct kit *kit)
{
	enum convro_status status = CONVRO_OK;
	struct convro_ctx *ctx;

	add_routes(kit);
	ctx = kit_ctx(kit);
	if (kit->descriptor->init != NULL)
		status = kit->descriptor->init(ctx, &kit->module.self);
	kit->started = status == CONVRO_OK;
	ctx_unref(ctx);
	if (kit->started && kit->descriptor->worker_init != NULL) {
		ctx = kit_ctx(kit);
		status = kit->descriptor->worker_init(ctx, kit->module.self);
		ctx_unref(ctx);
	}
	kit->worker_started = status == CONVRO_OK;
	kit_settle(kit);
	return status;
}

void *
kit_self(struct kit *kit)
{
	return kit->module.self;
}

void
kit_free(struct kit *kit)
{
	struct convro_ctx *ctx;

	if (kit == NULL)
		return;
	kit_settle(kit);
	ctx = kit_ctx(kit);
	if (kit->worker_started && kit->descriptor->worker_fini != NULL)
		kit->descriptor->worker_fini(ctx, kit->module.self);
	if (kit->started && kit->descriptor->fini != NULL)
		kit->descriptor->fini(ctx, kit->module.self);
	ctx_unref(ctx);
	if (kit->worker.context_count != 0)
		kit_broken("%u contexts never ended", kit->worker.context_count);
	router_fini(&kit->router);
	buf_fini(&kit->trace);
	buf_fini(&kit->log);
	arena_free(kit->arena);
	*kit->descriptor->api = NULL;
	free(kit);
}

/* ---- contexts and the queue ---- */

struct convro_ctx *
kit_ctx(struct kit *kit)
{
	struct convro_ctx *ctx = ctx_new(&kit->worker, &kit->module);

	if (ctx == NULL)
		kit_broken("out of memory");
	return ctx;
}

void
kit_queue(struct kit *kit, struct kit_job *job)
{
	job->next = NULL;
	*kit->jobs_end = job;
	kit->jobs_end = &job->next;
}

void
kit_settle(struct kit *kit)
{
	for (uint32_t ran = 0; kit->jobs != NULL; ran++) {
		struct kit_job *job = kit->jobs;

		if (ran == JOBS_MOST)
			kit_broken("the module never comes to rest");
		kit->jobs = job->next;
		if (kit->jobs == NULL)
			kit->jobs_end = &kit->jobs;
		job->run(job);
	}
}

void
kit_run(struct kit *kit, convro_task *function, void *arg)
{
	struct convro_ctx *ctx = kit_ctx(kit);

	function(ctx, arg);
	ctx_unref(ctx);
	kit_settle(kit);
}

/* ---- requests ---- */

void
kit_caller(
    struct kit *kit, int64_t user_id, int64_t device_id, const char *number, const char *username)
{
	kit->caller = (struct convro_principal){ .size = sizeof(kit->caller),
		.user_id = user_id,
		.device_id = device_id,
		.expires_at = INT64_MAX,
		.number = kit_copy(kit, number),
		.username = kit_copy(kit, username) };
}

void
kit_address(struct kit *kit, const char *address)
{
	kit->address = kit_copy(kit, address);
}

/* The query and the body, in the contract's order; false when it was answered. */
static bool
read_request(struct convro_ctx *ctx, struct slice query, struct path_value *path, uint32_t names)
{
	struct http_request *request = ctx->request;
	const struct convro_route *route = request->route;
	const struct json_value *body = NULL;
	struct fields_input input = { .arena = ctx->arena,
		.fields = route->fields.items,
		.count = route->fields.count,
		.query = &request->query,
		.path = path,
		.path_count = names };
	struct fields_error error;
	const char *text = request->body;
	enum json_status status;

	if (query_parse(ctx->arena, query.data, query.len, &request->query) != QUERY_OK)
		return kit_http.fail(ctx, 400, "INVALID_QUERY") != CONVRO_OK;
	if ((route->flags & CONVRO_ROUTE_RAW) != 0)
		return true;
	if (*text == '\0' && (route->flags & CONVRO_ROUTE_EMPTY_BODY) != 0)
		text = "{}";
	if (route->method != CONVRO_GET) {
		status = json_parse(ctx->arena, text, strlen(text), NULL, &body, NULL);
		if (status != JSON_OK && status != JSON_NUL)
			return kit_http.fail(ctx, 400, "INVALID_JSON") != CONVRO_OK;
		if (status == JSON_NUL || body->type != JSON_OBJECT)
			return kit_http.fail(ctx, 400, "INVALID_BODY") != CONVRO_OK;
	}
	input.body = body;
	request->values = arena_zero(ctx->arena, (size_t)input.count + 1, sizeof(*request->values));
	if (request->values == NULL)
		kit_broken("out of memory");
	if (fields_read(&input, request->values, &error) == FIELDS_OK)
		return true;
	return kit_http.fail_field(ctx, error.status, error.code, error.field) != CONVRO_OK;
}

static int
run_request(struct kit *kit, uint32_t method, const char *target, const char *body)
{
	struct convro_ctx *ctx = kit_ctx(kit);
	struct http_request *request = arena_zero(ctx->arena, 1, sizeof(*request));
	struct path_value names[ROUTER_NAMES_MAX];
	size_t len = strcspn(target, "?");
	const char *query = target[len] == '?' ? target + len + 1 : "";
	uint32_t count = 0;
	const struct route_path *path =
	    router_find(&kit->router, ctx->arena, (struct slice){ target, len }, names, &count);

	if (request == NULL || !kit->started)
		kit_broken("a request before kit_start");
	if (path == NULL || path->methods[method].route == NULL)
		kit_broken("the module has no route for %s", target);
	request->kit = kit;
	request->route = path->methods[method].route;
	request->body = arena_copy(ctx->arena, body != NULL ? body : "", body ? strlen(body) : 0);
	ctx->request = request;
	if (request->route->access == CONVRO_BEARER) {
		struct convro_principal *caller = arena_alloc(ctx->arena, sizeof(*caller));

		*caller = kit->caller;
		ctx->principal = caller;
	}
	ctx_ref(ctx); /* until it is answered */
	kit->status = 0;
	if (read_request(ctx, slice_of(query), names, count) &&
	    request->route->handler(ctx, kit->module.self) != CONVRO_OK)
		(void)kit_http.fail(ctx, 500, "INTERNAL_ERROR");
	ctx_unref(ctx);
	kit_settle(kit);
	if (kit->status == 0)
		kit_broken("%s was not answered", target);
	return kit->status;
}

int
kit_get(struct kit *kit, const char *path)
{
	return run_request(kit, CONVRO_GET, path, NULL);
}

int
kit_post(struct kit *kit, const char *path, const char *body)
{
	return run_request(kit, CONVRO_POST, path, body);
}

int
kit_delete(struct kit *kit, const char *path)
{
	return run_request(kit, CONVRO_DELETE, path, NULL);
}

const char *
kit_body(struct kit *kit)
{
	return kit->body;
}

const char *
kit_error(struct kit *kit)
{
	return kit->error;
}

const char *
kit_field(struct kit *kit)
{
	return kit->field;
}

uint32_t
kit_retry_after(struct kit *kit)
{
	return kit->retry_after;
}

const char *
kit_member_of(struct kit *kit, const char *json, const char *path)
{
	const struct json_value *at = NULL;
	struct json_writer writer;
	struct buf out;
	const char *text;

	if (json_parse(kit->arena, json, strlen(json), NULL, &at, NULL) != JSON_OK)
		kit_broken("no JSON: %s", json);
	while (*path != '\0' && at != NULL) {
		size_t len = strcspn(path, ".");

		if (at->type == JSON_ARRAY)
			at = json_item(at, (uint32_t)strtoul(path, NULL, 10));
		else
			at = json_member_n(at, path, len);
		path += len + (path[len] == '.');
	}
	if (at == NULL)
		return "";
	buf_init(&out, 0);
	json_writer_init(&writer, &out);
	if (at->type == JSON_TEXT)
		buf_put(&out, at->u.text, at->count);
	else
		json_put_value(&writer, NULL, at);
	text = kit_copy(kit, buf_text(&out));
	buf_fini(&out);
	return text;
}

const char *
kit_member(struct kit *kit, const char *path)
{
	return kit_member_of(kit, kit->body, path);
}
