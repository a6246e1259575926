/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules: find, check, order, live.  Reading order: loop/module.h, load.c,
 * normalise.c, order.c, life.c; api.c is the table they get; describe.c prints
 * one without starting it.
 */
#ifndef MOD_MOD_H
#define MOD_MOD_H

#include "loop/module.h"
#include "server.h"

/* Loads the modules that `words` names, from `dir`; -1 after every mistake was logged; *out then
 * holds those that could be loaded.  Caller frees with mod_free; the code stays loaded.  Thread:
 * main. */
void mod_free(struct module *modules, uint32_t count);
int mod_load(const char *words, const char *dir, struct module **out, uint32_t *out_count);

/* Sorts the modules so that each comes after what it needs; -1 after every missing service or the
 * cycle was logged.  Fills in index. */
int mod_order(struct module *modules, uint32_t count);

/* Life.  init: in order, on main; what was done is undone by mod_fini, in reverse.  The worker
 * steps run on every worker.  0, or -1 after the reason was logged. */
int mod_init(struct server *server);
int mod_worker_init(struct server *server);
void mod_drain(struct server *server);
void mod_worker_fini(struct server *server);
void mod_fini(struct server *server);

/* Prints what is in a module's descriptor; exit status. */
int mod_describe(const char *path);

#endif
