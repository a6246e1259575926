/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks, facts and services: the tables that server start builds from the
 * modules' descriptors, and the group table of the ABI.
 */
#ifndef BUS_BUS_H
#define BUS_BUS_H

#include "loop/ctx.h"

#include <convro/bus.h>

struct bus;
struct server;

/* Built from the loaded modules; NULL when memory is out.  Thread: main. */
struct bus *bus_new(struct server *server);
void bus_free(struct bus *bus);

/* True when any hook waits at `point`: spares the round on the hot path.  Thread: worker. */
bool bus_has_hooks(const struct bus *bus, const char *point);

extern const struct convro_bus_table bus_table;

#endif
