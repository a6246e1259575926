/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server: one struct that everything hangs off, and its life from
 * configuration to the last worker's end (server.c, top to bottom).
 */
#ifndef SERVER_H
#define SERVER_H

#include "loop/module.h"
#include "loop/worker.h"

struct conf;
struct log;
struct db;
struct http;
struct bus;
struct auth_slot;
struct offload;

struct server {
	struct conf *conf;
	struct log *log;
	struct module core; /* statements and options of the core itself */
	struct module *modules;
	uint32_t module_count;
	struct worker *workers;
	uint32_t worker_count;
	struct offload *offload;
	struct db *db;
	struct bus *bus;
	struct auth_slot *auth;
	struct http *http;
	int64_t started_ms; /* of the monotonic clock */
	int64_t started_wall_us;
	const char *version;
};

/* Where the server was started from: file and command line. */
struct server_arguments {
	const char *config;      /* file, or NULL = built-in defaults */
	const char *const *sets; /* "section.option=value" */
	uint32_t set_count;
};

/* Runs until SIGTERM or SIGINT.  The process's exit status.  Thread: main. */
int server_run(const struct server_arguments *arguments);

/* The configuration is read and every module's options checked, all mistakes printed; exit status.
 */
int server_check(const struct server_arguments *arguments);

/* Prints every option of the core and of the modules that server.modules names, to stdout: `form`
 * "conf" is the annotated convro.conf, "man" the option sections of convro.conf(5).  Exit status.
 */
int server_print_reference(const struct server_arguments *arguments, const char *form);

#endif
