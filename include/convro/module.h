/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The umbrella: what a module includes, the table it works through and the
 * descriptor it gives.  A module exports one function, convro_module_v1, and
 * links against nothing of the server.
 */
#ifndef CONVRO_MODULE_H
#define CONVRO_MODULE_H

#include <convro/abi.h>
#include <convro/auth.h>
#include <convro/bus.h>
#include <convro/conf.h>
#include <convro/db.h>
#include <convro/dm_messages.h>
#include <convro/facts.h>
#include <convro/http.h>
#include <convro/json.h>
#include <convro/log.h>
#include <convro/mem.h>
#include <convro/realtime.h>
#include <convro/socket.h>
#include <convro/socketio.h>
#include <convro/work.h>

/* The server as a module sees it.  Members are appended only. */
struct convro_api {
	uint32_t size;
	uint16_t abi_major, abi_minor; /* of the running core */
	const struct convro_http_table *http;
	const struct convro_json_table *json;
	const struct convro_db_table *db;
	const struct convro_bus_table *bus;
	const struct convro_auth_table *auth;
	const struct convro_conf_table *conf;
	const struct convro_log_table *log;
	const struct convro_timer_table *timer;
	const struct convro_work_table *work;
	const struct convro_mem_table *mem;
	const struct convro_socket_table *socket;
};

/* All constant data: `convrod --describe x.so` prints a module without starting it. */
struct convro_module {
	uint32_t size;
	uint16_t abi_major, abi_minor; /* minor: the oldest core the module can live with */
	const char *name;              /* equals the file's name without .so: [a-z][a-z0-9_]* */
	const char *version;           /* of the module */
	const char *summary;           /* one line, lower case */
	const struct convro_api **api; /* where the core stores its table before init */

	struct convro_list needs;    /* const char *: services that must be there, "auth.v1" */
	struct convro_list wants;    /* const char *: services that may be absent */
	struct convro_list provides; /* struct convro_service */

	struct convro_list options;    /* struct convro_option; section [name] of convro.conf */
	struct convro_list statements; /* struct convro_statement, in the order of their numbers */
	uint32_t *statement_base; /* where the core stores the first one's number before init */
	struct convro_list migrations;    /* struct convro_migration, ascending versions */
	struct convro_list routes;        /* struct convro_route */
	struct convro_list hooks;         /* struct convro_hook */
	struct convro_list subscriptions; /* struct convro_subscription */

	/* Life.  Each may be NULL.  A status other than OK ends the start; the module has said why
	 * in the log, and what was done before is undone in reverse. */
	enum convro_status (*init)(struct convro_ctx *ctx,
	    void **self); /* main: read options, look up services, register */
	enum convro_status (*worker_init)(
	    struct convro_ctx *ctx, void *self); /* worker: timers, caches */
	void (*drain)(
	    struct convro_ctx *ctx, void *self); /* worker: tell clients, take on nothing new */
	void (*worker_fini)(struct convro_ctx *ctx, void *self); /* worker */
	void (*fini)(struct convro_ctx *ctx, void *self);        /* main */
};

#define CONVRO_MODULE_HEAD                                                                         \
	.size = sizeof(struct convro_module), .abi_major = CONVRO_ABI_MAJOR,                       \
	.abi_minor = CONVRO_ABI_MINOR

#if defined(__GNUC__)
#define CONVRO_EXPORT __attribute__((visibility("default")))
#else
#define CONVRO_EXPORT
#endif

/* The one symbol a module exports.  The table it returns is constant. */
CONVRO_EXPORT const struct convro_module *convro_module_v1(void);

#endif
