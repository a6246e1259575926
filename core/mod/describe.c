/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convrod --describe x.so: what a module would add, without starting it.
 */
#include "mod/internal.h"
#include "mod/mod.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static void
print_words(const char *heading, const struct convro_list *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		(void)printf(
		    "%-10s%s\n", i == 0 ? heading : "", ((const char *const *)list->items)[i]);
}

static const char *
method_name(uint32_t method)
{
	static const char *const names[] = { "?", "GET", "POST", "PUT", "DELETE", "PATCH",
		"OPTIONS" };

	return method < sizeof(names) / sizeof(names[0]) ? names[method] : names[0];
}

int
mod_describe(const char *path)
{
	struct module module;
	char real[PATH_MAX];

	if (realpath(path, real) == NULL) {
		perror(path);
		return 1;
	}
	if (mod_open(real, &module) != 0) {
		mod_release(&module);
		return 1;
	}
	(void)printf("module    %s %s\nabout     %s\nabi       %u.%u\n", module.name,
	    module.descriptor->version, module.descriptor->summary, module.descriptor->abi_major,
	    module.descriptor->abi_minor);
	for (uint32_t i = 0; i < module.service_count; i++)
		(void)printf("%-10s%s\n", i == 0 ? "provides" : "", module.services[i].name);
	print_words("needs", &module.descriptor->needs);
	print_words("wants", &module.descriptor->wants);
	for (uint32_t i = 0; i < module.route_count; i++)
		(void)printf("%-10s%-7s%s%s\n", i == 0 ? "routes" : "",
		    method_name(module.routes[i].method), module.routes[i].path,
		    module.routes[i].access == CONVRO_PUBLIC ? " (public)" : "");
	for (uint32_t i = 0; i < module.option_count; i++)
		(void)printf("%-10s%s = %s\n", i == 0 ? "options" : "", module.options[i].name,
		    module.options[i].initial != NULL ? module.options[i].initial : "");
	for (uint32_t i = 0; i < module.hook_count; i++)
		(void)printf("%-10s%s\n", i == 0 ? "hooks" : "", module.hooks[i].point);
	for (uint32_t i = 0; i < module.subscription_count; i++)
		(void)printf("%-10s%s\n", i == 0 ? "listens" : "", module.subscriptions[i].event);
	for (uint32_t i = 0; i < module.migration_count; i++)
		(void)printf("%-10s%04u %s\n", i == 0 ? "tables" : "", module.migrations[i].version,
		    module.migrations[i].name);
	mod_release(&module);
	return 0;
}
