/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of the core itself: sections server, storage and log.  The tables
 * in core_options.c are the only place that knows their defaults and bounds.
 */
#ifndef CONF_CORE_OPTIONS_H
#define CONF_CORE_OPTIONS_H

#include "conf/conf.h"

/* Declares the three sections and their checks; -1 when memory is out.  Thread: main. */
int core_options_declare(struct conf *conf);

/* Where modules and drivers are: the option, or where the server was installed.  Borrowed until
 * conf_free. */
const char *core_options_module_dir(const struct conf *conf);
const char *core_options_driver_dir(const struct conf *conf);

/* The three sections as conf_reference prints them, in the form "conf" behind the file's head. */
void core_options_reference(const char *form, struct buf *out);

#endif
