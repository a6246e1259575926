/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of modules: as named in the configuration, but each after the
 * modules whose services it needs, and, where that makes no cycle, wants.
 */
#include "log/log.h"
#include "mod/mod.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool
provides(const struct module *module, const char *service)
{
	for (uint32_t i = 0; i < module->service_count; i++)
		if (strcmp(module->services[i].name, service) == 0)
			return true;
	return false;
}

static int
check_services(const struct module *modules, uint32_t count)
{
	int result = 0;

	for (uint32_t m = 0; m < count; m++) {
		const struct convro_list *needs = &modules[m].descriptor->needs;

		for (uint32_t i = 0; i < needs->count; i++) {
			const char *service = ((const char *const *)needs->items)[i];
			bool found = false;

			for (uint32_t other = 0; other < count; other++)
				found = found || provides(&modules[other], service);
			if (!found) {
				log_error(
				    "module %s needs the service %s, which no module in [server] modules provides: "
				    "add one that does, or take %s out",
				    modules[m].name, service, modules[m].name);
				result = -1;
			}
		}
		for (uint32_t i = 0; i < modules[m].service_count; i++) {
			for (uint32_t other = 0; other < m; other++) {
				if (provides(&modules[other], modules[m].services[i].name)) {
					log_error(
					    "modules %s and %s both provide the service %s: load one of them",
					    modules[other].name, modules[m].name,
					    modules[m].services[i].name);
					result = -1;
				}
			}
		}
	}
	return result;
}

/* True when all of `list` that some module provides is provided by a placed one. */
static bool
is_met(const struct module *modules, uint32_t count, const bool *placed,
    const struct convro_list *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		for (uint32_t other = 0; other < count; other++)
			if (!placed[other] &&
			    provides(&modules[other], ((const char *const *)list->items)[i]))
				return false;
	return true;
}

/* The first module that may come next; wants are given up before needs are. */
static uint32_t
next_module(const struct module *modules, uint32_t count, const bool *placed)
{
	for (int with_wants = 1; with_wants >= 0; with_wants--) {
		for (uint32_t m = 0; m < count; m++) {
			const struct convro_module *descriptor = modules[m].descriptor;

			if (!placed[m] && is_met(modules, count, placed, &descriptor->needs) &&
			    (!with_wants || is_met(modules, count, placed, &descriptor->wants)))
				return m;
		}
	}
	return count;
}

int
mod_order(struct module *modules, uint32_t count)
{
	struct module *sorted = calloc(count + 1, sizeof(*sorted));
	bool *placed = calloc(count + 1, sizeof(*placed));
	int result = -1;

	if (sorted == NULL || placed == NULL) {
		log_error("out of memory while ordering modules");
		goto out;
	}
	if (check_services(modules, count) != 0)
		goto out;
	for (uint32_t n = 0; n < count; n++) {
		uint32_t m = next_module(modules, count, placed);

		if (m == count) {
			for (m = 0; m < count; m++)
				if (!placed[m])
					log_error(
					    "module %s needs a service that, in a circle, needs its own",
					    modules[m].name);
			goto out;
		}
		placed[m] = true;
		sorted[n] = modules[m];
		sorted[n].index = n;
	}
	if (count > 0)
		memcpy(modules, sorted, count * sizeof(*modules));
	result = 0;
out:
	free(sorted);
	free(placed);
	return result;
}
