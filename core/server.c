/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole life of a server, top to bottom: configuration, modules, store,
 * workers, listening; a signal; and all of it backwards.
 */
#include "server.h"

#include "auth/slot.h"
#include "base/clock.h"
#include "bus/bus.h"
#include "conf/conf.h"
#include "conf/core_options.h"
#include "core_sql.h"
#include "db/db.h"
#include "http/http.h"
#include "log/log.h"
#include "loop/offload.h"
#include "mod/mod.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- configuration and modules ---- */

/* Reads everything, loads the modules that the configuration names and checks their options.  All
 * mistakes are logged; -1 when there was one. */
static int
configure(struct server *server, const struct server_arguments *arguments)
{
	struct buf mistakes;
	int result = -1;

	buf_init(&mistakes, 0);
	server->core = (struct module){ .server = server,
		.name = "core",
		.statements = core_statements,
		.statement_count = CORE_STATEMENT_COUNT,
		.migrations = core_migrations,
		.migration_count = CORE_MIGRATION_COUNT };
	server->conf = conf_new();
	if (server->conf == NULL)
		goto out;
	result = arguments->config != NULL ? conf_read_file(server->conf, arguments->config) : 0;
	for (uint32_t i = 0; i < arguments->set_count; i++)
		if (conf_set(server->conf, arguments->sets[i]) != 0)
			result = -1;
	if (core_options_declare(server->conf) != 0 ||
	    mod_load(conf_text(server->conf, "server", "modules"),
		core_options_module_dir(server->conf), &server->modules,
		&server->module_count) != 0 ||
	    mod_order(server->modules, server->module_count) != 0)
		result = -1;
	for (uint32_t m = 0; m < server->module_count; m++)
		if (conf_declare(server->conf, server->modules[m].name, server->modules[m].options,
			server->modules[m].option_count) != 0)
			result = -1;
	/* Where a module is missing its section looks unknown: say only what is certain. */
	if (result == 0 ? conf_finish(server->conf, &mistakes) > 0
			: conf_finish_partly(server->conf, &mistakes) > 0) {
		(void)fputs(buf_text(&mistakes), stderr);
		result = -1;
	}
out:
	buf_fini(&mistakes);
	return result;
}

int
server_check(const struct server_arguments *arguments)
{
	struct server server = { .version = CONVRO_VERSION };
	int result = configure(&server, arguments);

	if (result == 0)
		(void)printf("%s: no mistakes\n",
		    arguments->config != NULL ? arguments->config : "built-in configuration");
	conf_free(server.conf);
	mod_free(server.modules, server.module_count);
	return result == 0 ? 0 : 1;
}

int
server_print_reference(const struct server_arguments *arguments, const char *form)
{
	struct server server = { .version = CONVRO_VERSION };
	struct buf out;
	int result = configure(&server, arguments);

	buf_init(&out, 0);
	if (result == 0) {
		core_options_reference(form, &out);
		for (uint32_t m = 0; m < server.module_count; m++)
			if (server.modules[m].option_count > 0)
				conf_reference(form, server.modules[m].name,
				    server.modules[m].descriptor->summary,
				    server.modules[m].options, server.modules[m].option_count,
				    &out);
		(void)fputs(buf_text(&out), stdout);
	}
	buf_fini(&out);
	conf_free(server.conf);
	mod_free(server.modules, server.module_count);
	return result == 0 ? 0 : 1;
}

/* ---- start ---- */

static uint32_t
cores(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count > 0 ? (uint32_t)count : 1;
}

static int
start_log(const struct server *server)
{
	return log_configure(log_get(), conf_text(server->conf, "log", "format"),
	    conf_text(server->conf, "log", "level"), conf_text(server->conf, "log", "file"));
}

static int
start_workers(struct server *server)
{
	uint32_t count = (uint32_t)conf_int(server->conf, "server", "workers");
	uint32_t threads = (uint32_t)conf_int(server->conf, "server", "offload_threads");

	server->worker_count = count != 0 ? count : cores();
	server->workers = workers_new(server, server->worker_count);
	server->offload = offload_new(threads != 0 ? threads : (cores() < 4 ? cores() : 4),
	    (uint32_t)conf_int(server->conf, "server", "offload_queue"));
	server->auth = calloc(1, sizeof(*server->auth));
	if (server->workers == NULL || server->offload == NULL || server->auth == NULL) {
		log_error("could not make %u workers: %s", server->worker_count, strerror(errno));
		return -1;
	}
	for (uint32_t i = 0; i < server->worker_count; i++)
		server->workers[i].offload = server->offload;
	return 0;
}

static int
worker_start(struct worker *worker, void *arg)
{
	struct server *server = arg;

	return db_worker_init(server->db, worker);
}

static int
worker_listen(struct worker *worker, void *arg)
{
	struct server *server = arg;

	return http_worker_init(server->http, worker);
}

/* Everything up to accepting; -1 after the reason was logged, and then stop() undoes what was done.
 */
static int
start(struct server *server)
{
	server->started_ms = clock_mono_ms();
	server->started_wall_us = clock_wall_us();
	if (start_log(server) != 0 || start_workers(server) != 0)
		return -1;
	server->db = db_open(server);
	if (server->db == NULL || db_migrate(server->db) != 0 || db_start(server->db) != 0)
		return -1;
	server->bus = bus_new(server);
	if (server->bus == NULL || mod_init(server) != 0)
		return -1;
	server->http = http_new(server);
	if (server->http == NULL || http_listen(server->http) != 0)
		return -1;
	if (workers_start(server->workers, server->worker_count) != 0 ||
	    workers_each(server->workers, server->worker_count, worker_start, server) != 0 ||
	    mod_worker_init(server) != 0 ||
	    workers_each(server->workers, server->worker_count, worker_listen, server) != 0)
		return -1;
	return 0;
}

/* ---- stop ---- */

static int
worker_drain(struct worker *worker, void *arg)
{
	struct server *server = arg;

	http_worker_drain(server->http, worker);
	return 0;
}

static int
worker_busy(struct worker *worker, void *arg)
{
	(void)arg;
	return (int)http_worker_busy(worker) + (int)worker->context_count;
}

static int
worker_end_http(struct worker *worker, void *arg)
{
	struct server *server = arg;

	http_worker_fini(server->http, worker);
	return 0;
}

static int
worker_end_db(struct worker *worker, void *arg)
{
	struct server *server = arg;

	db_worker_fini(server->db, worker);
	return 0;
}

/* Tells clients, lets what is in flight end, and waits for it up to drain_timeout. */
static void
drain(struct server *server)
{
	int64_t until = clock_mono_ms() + conf_int(server->conf, "server", "drain_timeout");
	const struct timespec pause = { 0, 20 * 1000 * 1000 };

	(void)workers_each(server->workers, server->worker_count, worker_drain, server);
	mod_drain(server);
	while (workers_each(server->workers, server->worker_count, worker_busy, NULL) > 0) {
		if (clock_mono_ms() >= until) {
			log_warning(
			    "requests were still running at the end of drain_timeout: they get no answer");
			return;
		}
		(void)nanosleep(&pause, NULL);
	}
}

static void
stop(struct server *server)
{
	bool running = server->workers != NULL && server->workers[0].started;

	if (running && server->http != NULL) {
		drain(server);
		mod_worker_fini(server);
		(void)workers_each(server->workers, server->worker_count, worker_end_http, server);
	}
	if (server->db != NULL)
		db_stop(server->db);
	if (running && server->db != NULL)
		(void)workers_each(server->workers, server->worker_count, worker_end_db, server);
	offload_free(server->offload);
	if (server->workers != NULL)
		workers_stop(server->workers, server->worker_count);
	mod_fini(server);
	http_free(server->http);
	bus_free(server->bus);
	db_close(server->db);
	workers_free(server->workers, server->worker_count);
	free(server->auth);
	conf_free(server->conf);
	mod_free(server->modules, server->module_count);
}

/* ---- run ---- */

/* SIGPIPE never; the others are taken one by one by wait_for_end. */
static void
block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, set, NULL);
}

static void
wait_for_end(const sigset_t *set)
{
	for (;;) {
		int got = 0;

		if (sigwait(set, &got) != 0)
			continue;
		if (got == SIGHUP)
			log_reopen(log_get());
		else if (got == SIGTERM || got == SIGINT) {
			log_info("stopping on %s", got == SIGTERM ? "SIGTERM" : "SIGINT");
			return;
		}
	}
}

int
server_run(const struct server_arguments *arguments)
{
	struct server server = { .version = CONVRO_VERSION };
	sigset_t signals;
	int result;

	/* Before the first thread, so that all inherit the mask. */
	block_signals(&signals);
	result = configure(&server, arguments);
	if (result == 0)
		result = start(&server);
	if (result == 0) {
		/* On standard output, for scripts; the log is on standard error. */
		(void)printf("listening on %s\n", http_address(server.http));
		(void)fflush(stdout);
		log_info("convrod %s started: %u workers, %u modules, %s", server.version,
		    server.worker_count, server.module_count,
		    conf_text(server.conf, "storage", "engine"));
		wait_for_end(&signals);
	}
	stop(&server);
	if (result == 0)
		log_info("stopped");
	return result == 0 ? 0 : 1;
}
