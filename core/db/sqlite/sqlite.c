/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver's table and the file: who may see it, who may open it, where it
 * is.  Then the connections and threads, opened in order and closed in reverse.
 */
#include "db/sqlite/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GROUP_MAX = 256 };

/* The lock goes with the descriptor, so a crash leaves none behind. */
static int
take_lock(const struct db_env *env)
{
	char path[4096];
	int fd;

	if (snprintf(path, sizeof(path), "%s.lock", env->path) >= (int)sizeof(path)) {
		env->log(
		    CONVRO_LOG_ERROR, "the path of the database is too long: %.100s...", env->path);
		return -1;
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		env->log(CONVRO_LOG_ERROR,
		    "could not open \"%s\": %s; create its directory for the server's user, or "
		    "set path in section [storage]",
		    path, strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (errno == EWOULDBLOCK)
		env->log(CONVRO_LOG_ERROR,
		    "another server uses the database \"%s\": stop it first, or set another path "
		    "in section [storage]",
		    env->path);
	else
		env->log(CONVRO_LOG_ERROR, "could not lock \"%s\": %s", path, strerror(errno));
	(void)close(fd);
	return -1;
}

/* SQLite gives its log and shared memory the mode of the database itself. */
static int
create_file(const struct db_env *env)
{
	struct stat status;
	int fd = open(env->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0) {
		env->log(CONVRO_LOG_ERROR, "could not open database \"%s\": %s", env->path,
		    strerror(errno));
		return -1;
	}
	if (fstat(fd, &status) == 0 && (status.st_mode & 077) != 0)
		env->log(CONVRO_LOG_WARNING,
		    "others may read the database \"%s\" (mode %03o): set mode 600", env->path,
		    (unsigned)status.st_mode & 0777);
	(void)close(fd);
	return 0;
}

static int
wrote_log(void *arg, sqlite3 *sqlite, const char *database, int pages)
{
	struct db_state *state = arg;

	(void)sqlite;
	(void)database;
	state->wal_pages = (uint32_t)pages;
	return SQLITE_OK;
}

static void
sqlite_close(struct db_state *state)
{
	readers_free(state->readers);
	checkpointer_free(state->checkpointer);
	group_fini(state);
	connection_close(&state->writer);
	if (state->lock_fd >= 0)
		(void)close(state->lock_fd);
	free(state);
}

static struct db_state *
sqlite_open(const struct db_env *env)
{
	struct db_state *state;

	if (env->version != DB_DRIVER_VERSION)
		return NULL;
	if (env->path[0] == '\0' || strcmp(env->path, ":memory:") == 0) {
		env->log(CONVRO_LOG_ERROR, "path in section [storage] must name a file, not \"%s\"",
		    env->path);
		return NULL;
	}
	/* SQLite's own statistics cost a global lock for each allocation.  Refused once SQLite is
	 * in use, which is no harm. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	state = calloc(1, sizeof(*state));
	if (state == NULL) {
		env->log(CONVRO_LOG_ERROR, "out of memory for the database");
		return NULL;
	}
	state->env = env;
	state->lock_fd = take_lock(env);
	if (state->lock_fd < 0 || create_file(env) != 0 ||
	    connection_open(&state->writer, env, ROLE_WRITER) != 0) {
		sqlite_close(state);
		return NULL;
	}
	(void)sqlite3_wal_hook(state->writer.sqlite, wrote_log, state);
	return state;
}

static int
sqlite_start(struct db_state *state, const struct db_statement *statements, uint32_t count)
{
	state->statements = statements;
	state->statement_count = count;
	if (check_statements(state) != 0 || group_init(state) != 0)
		return -1;
	if (connection_cache(&state->writer, count) != 0) {
		state->env->log(CONVRO_LOG_ERROR, "out of memory for %u statements", count);
		return -1;
	}
	state->checkpointer = checkpointer_start(state->env);
	return state->checkpointer != NULL ? readers_start(state) : -1;
}

static void
sqlite_read(struct db_state *state, uint32_t worker, struct db_request *requests)
{
	(void)worker;
	readers_submit(state->readers, requests);
}

/* One process and one transaction at a time: BEGIN IMMEDIATE of each migration is lock enough. */
static int
migrate_begin(struct db_state *state)
{
	(void)state;
	return 0;
}

static void
migrate_end(struct db_state *state)
{
	(void)state;
}

static void
sqlite_stop(struct db_state *state)
{
	readers_stop(state->readers);
}

static const struct db_driver driver = {
	.version = DB_DRIVER_VERSION,
	.engine = "sqlite",
	.group_max = GROUP_MAX,
	.open = sqlite_open,
	.close = sqlite_close,
	.migrate_begin = migrate_begin,
	.migrate_end = migrate_end,
	.migrate = sqlite_migrate,
	.run = sqlite_run,
	.start = sqlite_start,
	.read = sqlite_read,
	.group = sqlite_group,
	.stop = sqlite_stop,
};

const struct db_driver *
db_driver_v1(void)
{
	return &driver;
}
