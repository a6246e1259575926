/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A loaded module: its descriptor, normalised to this core's own struct sizes,
 * and its state.  It stands here since every context names one; mod/ fills it in.
 */
#ifndef LOOP_MODULE_H
#define LOOP_MODULE_H

#include <convro/module.h>
#include <stdbool.h>

struct server;
struct buf;

struct module {
	struct server *server; /* borrowed */
	const char
	    *name; /* = descriptor->name; the core itself is a module "core" without a descriptor */
	const struct convro_module *descriptor;
	void *self;     /* what init gave */
	void *handle;   /* dlopen's; never closed */
	uint32_t index; /* in server->modules, in start order */

	/* The descriptor's lists copied to this core's element sizes. */
	const struct convro_option *options;
	uint32_t option_count;
	const struct convro_statement *statements;
	uint32_t statement_count;
	uint32_t statement_base; /* number of its first statement in the server's table */
	const struct convro_migration *migrations;
	uint32_t migration_count;
	const struct convro_route *routes;
	uint32_t route_count;
	const struct convro_hook *hooks;
	uint32_t hook_count;
	const struct convro_subscription *subscriptions;
	uint32_t subscription_count;
	const struct convro_service *services;
	uint32_t service_count;
	bool initialised;
};

#endif
