/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life of the store, in the order of the functions: find and open the driver,
 * start it with the statements of all modules, give each worker its share,
 * stop while the workers still run, close after them.  Migrations: migrate.c.
 */
#include "base/must.h"
#include "base/random.h"
#include "conf/conf.h"
#include "conf/core_options.h"
#include "core_sql.h"
#include "db/db.h"
#include "db/store.h"
#include "log/log.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef const struct db_driver *driver_entry(void);

static void
env_log(enum convro_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void
env_log(enum convro_log_level level, const char *format, ...)
{
	static const struct log_origin origin = { .module = "db" };
	va_list args;

	va_start(args, format);
	log_write_v(log_get(), level, &origin, format, args);
	va_end(args);
}

static void
env_complete(struct db_request *request)
{
	job_post(job_of(request));
}

static const struct db_driver *
driver_load(const struct conf *conf, const char *engine)
{
	const struct db_driver *driver;
	char path[PATH_MAX];
	driver_entry *entry;
	void *handle, *symbol;

	if (snprintf(path, sizeof(path), "%s/db_%s.so", core_options_driver_dir(conf), engine) >=
	    (int)sizeof(path)) {
		log_error("the path of the database driver is too long: %.100s...", path);
		return NULL;
	}
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL); /* never closed */
	if (handle == NULL) {
		log_error("could not load the database driver: %s", dlerror());
		return NULL;
	}
	symbol = dlsym(handle, "db_driver_v1");
	if (symbol == NULL) {
		log_error("\"%s\" is no database driver: it lacks db_driver_v1", path);
		return NULL;
	}
	/* ISO C has no cast from an object pointer to a function pointer; POSIX has both alike. */
	memcpy(&entry, &symbol, sizeof(entry));
	driver = entry();
	if (driver->version != DB_DRIVER_VERSION) {
		log_error("\"%s\" has driver version %u, this server needs %u: install both from "
			  "one release",
		    path, driver->version, (unsigned)DB_DRIVER_VERSION);
		return NULL;
	}
	return driver;
}

static void
fill_env(struct db *db)
{
	const struct conf *conf = db->server->conf;
	size_t url_len = 0;
	const uint8_t *secret_url = conf_secret(conf, "storage", "url", &url_len);

	db->env = (struct db_env){
		.version = DB_DRIVER_VERSION,
		.log = env_log,
		.complete = env_complete,
		.path = conf_text(conf, "storage", "path"),
		.durable = strcmp(conf_text(conf, "storage", "synchronous"), "normal") != 0,
		.readers = (uint32_t)conf_int(conf, "storage", "readers"),
		.queue_max = (uint32_t)conf_int(conf, "storage", "queue_max"),
		.group_max = (uint32_t)conf_int(conf, "storage", "group_max"),
		.cache_bytes = (uint64_t)conf_int(conf, "storage", "cache_size"),
		.worker_count = db->server->worker_count,
	};
	/* The file of the secret goes before the text, which may hold no password. */
	db->env.url =
	    secret_url != NULL ? (const char *)secret_url : conf_text(conf, "storage", "url");
}

struct db *
db_open(struct server *server)
{
	const char *engine = conf_text(server->conf, "storage", "engine");
	struct db *db = calloc(1, sizeof(*db));

	if (db == NULL) {
		log_error("out of memory for the database");
		return NULL;
	}
	db->server = server;
	db->is_postgresql = strcmp(engine, "postgresql") == 0;
	fill_env(db);
	db->driver = driver_load(server->conf, engine);
	if (db->driver != NULL)
		db->state = db->driver->open(&db->env);
	if (db->state == NULL) {
		free(db);
		return NULL;
	}
	return db;
}

int
db_run(struct db *db, uint32_t core_statement, struct convro_db_args args, struct arena *arena,
    struct convro_db_result *out)
{
	const struct db_statement *statement = &db->statements[core_statement];
	struct db_call call = { statement, args_copy(arena, statement, args) };

	if (call.args == NULL) {
		log_error("out of memory for statement %s", statement->name);
		return -1;
	}
	*out = (struct convro_db_result){ .size = sizeof(*out), .ncols = statement->column_count };
	return db->driver->run(db->state, &call, arena, out);
}

/* The first writer wins for ever, so the key is read back. */
static int
read_key(struct db *db, struct arena *arena)
{
	static const char name[] = "perm_key";
	uint8_t fresh[DB_KEY_LEN];
	const struct convro_db_val *key;
	struct convro_db_result rows;

	random_bytes(fresh, sizeof(fresh));
	if (db_run(db, CORE_META_PUT_BLOB,
		CONVRO_ARGS(
		    convro_text_n(name, sizeof(name) - 1), convro_blob(fresh, sizeof(fresh))),
		arena, &rows) != 0 ||
	    db_run(db, CORE_META_GET, CONVRO_ARGS(convro_text_n(name, sizeof(name) - 1)), arena,
		&rows) != 0)
		return -1;
	key = rows.nrows == 1 ? convro_at(&rows, 0, 1) : NULL;
	if (key == NULL || key->type != CONVRO_DB_BLOB || key->len != DB_KEY_LEN) {
		log_error("the database has no usable perm_key in convro_meta: restore it from a "
			  "backup, numbers depend on it");
		return -1;
	}
	memcpy(db->key, key->u.p, DB_KEY_LEN);
	db->has_key = true;
	return 0;
}

static uint32_t
group_max(const struct db *db)
{
	uint32_t wanted = db->env.group_max;

	return wanted > 0 && wanted < db->driver->group_max ? wanted : db->driver->group_max;
}

int
db_start(struct db *db)
{
	struct arena *arena = arena_new(1024);
	int result = -1;

	if (arena == NULL)
		log_error("out of memory for the start of the database");
	else if (statements_build(db) == 0)
		result = read_key(db, arena);
	arena_free(arena);
	if (result != 0)
		return -1;
	if (db->driver->start(db->state, db->statements, db->statement_count) != 0)
		return -1;
	db->started = true;
	db->writer = writer_new(db, db->env.queue_max, group_max(db));
	return db->writer != NULL ? 0 : -1;
}

int
db_worker_init(struct db *db, struct worker *worker)
{
	struct db_worker *jobs = calloc(1, sizeof(*jobs));

	if (jobs == NULL || jobs_init(jobs, db, worker) != 0) {
		log_error("out of memory for a worker's share of the database");
		free(jobs);
		return -1;
	}
	if (db->driver->worker_init != NULL &&
	    db->driver->worker_init(db->state, worker->index, worker->base) != 0) {
		jobs_fini(jobs);
		free(jobs);
		return -1;
	}
	worker->db = jobs;
	return 0;
}

void
db_worker_fini(struct db *db, struct worker *worker)
{
	struct db_worker *jobs = worker->db;

	if (jobs == NULL)
		return;
	jobs_flush(jobs);
	if (db->driver->worker_fini != NULL)
		db->driver->worker_fini(db->state, worker->index);
	worker->db = NULL; /* what still comes back is freed */
	jobs_fini(jobs);
	free(jobs);
}

void
db_stop(struct db *db)
{
	if (db == NULL || !db->started)
		return;
	if (db->driver->interrupt != NULL)
		db->driver->interrupt(db->state);
	if (db->writer != NULL)
		writer_stop(db->writer);
	db->driver->stop(db->state);
	db->started = false;
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	db_stop(db);
	db->driver->close(db->state);
	writer_free(db->writer);
	statements_free(db);
	free(db);
}
