/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of mod/ share among themselves.
 */
#ifndef MOD_INTERNAL_H
#define MOD_INTERNAL_H

#include "loop/module.h"

/* Opens and checks one file; -1 after the reason was logged. */
int mod_open(const char *path, struct module *module);

/* Copies the descriptor and its lists to this core's struct sizes: short elements are filled up
 * with zeros, an unknown tail has to be all zeros.  -1 after the reason was logged.  What it
 * allocates lives as long as the process, like the module itself. */
int mod_normalise(const char *path, const struct convro_module *descriptor, struct module *module);

void mod_release(struct module *module);

/* The table that modules work through. */
extern const struct convro_api mod_api;

#endif
