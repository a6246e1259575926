/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver's table, and its life: one server per database, then the
 * connections, opened in order and closed in reverse.
 */
#include "db/postgresql/postgresql.h"

#include "base/clock.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
	LOCK_WAIT_MS = 2000, /* for a server that is just ending */
	LOCK_POLL_MS = 100,
};

/* libpq's own message about a URL may quote the password in it, so it is not asked for. */
static bool
check_url(const struct db_env *env)
{
	PQconninfoOption *options;

	if (env->url == NULL || env->url[0] == '\0') {
		env->log(CONVRO_LOG_ERROR,
		    "no address of PostgreSQL: set url or url_file in section [storage]");
		return false;
	}
	options = PQconninfoParse(env->url, NULL);
	if (options == NULL)
		env->log(CONVRO_LOG_ERROR, "url in section [storage] is no connection string of "
					   "libpq: see its manual, section Connection Strings");
	PQconninfoFree(options);
	return options != NULL;
}

static int
take_server_lock(struct db_state *state)
{
	static const struct timespec pause = { 0, LOCK_POLL_MS * 1000000L };
	int64_t until_ms = clock_mono_ms() + LOCK_WAIT_MS;
	int outcome;

	while ((outcome = guard_take(state)) == 0 && clock_mono_ms() < until_ms)
		(void)nanosleep(&pause, NULL);
	if (outcome == 0)
		state->env->log(CONVRO_LOG_ERROR,
		    "another server uses this database: stop it first, or set another url in "
		    "section [storage]");
	return outcome == 1 ? 0 : -1;
}

static void
postgresql_close(struct db_state *state)
{
	free(state->readers); /* each ended with its worker */
	writer_fini(state);
	PQfinish(state->migration);
	PQfinish(state->setup);
	PQfinish(state->guard); /* last: the lock goes with it */
	if (state->wake_fd >= 0)
		(void)close(state->wake_fd);
	free(state);
}

static struct db_state *
postgresql_open(const struct db_env *env)
{
	struct db_state *state;

	if (env->version != DB_DRIVER_VERSION || !check_url(env))
		return NULL;
	state = calloc(1, sizeof(*state));
	if (state == NULL) {
		env->log(CONVRO_LOG_ERROR, "out of memory for the database");
		return NULL;
	}
	state->env = env;
	state->readers =
	    calloc((size_t)env->worker_count * env->readers + 1u, sizeof(*state->readers));
	state->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (state->readers == NULL || state->wake_fd < 0) {
		env->log(CONVRO_LOG_ERROR, "out of memory or descriptors for the database");
		postgresql_close(state);
		return NULL;
	}
	if (take_server_lock(state) != 0) {
		postgresql_close(state);
		return NULL;
	}
	return state;
}

static int
postgresql_start(struct db_state *state, const struct db_statement *statements, uint32_t count)
{
	int outcome;

	state->statements = statements;
	state->statement_count = count;
	outcome = check_statements(state);
	PQfinish(state->setup);
	state->setup = NULL;
	return outcome == 0 ? writer_start(state) : -1;
}

static void
interrupt(struct db_state *state)
{
	atomic_store(&state->interrupted, true);
	(void)eventfd_write(state->wake_fd, 1);
}

static void
stop(struct db_state *state)
{
	atomic_store(&state->stopping, true);
	interrupt(state);
}

static const struct db_driver driver = {
	.version = DB_DRIVER_VERSION,
	.engine = "postgresql",
	.group_max = GROUP_MAX,
	.open = postgresql_open,
	.close = postgresql_close,
	.migrate_begin = postgresql_migrate_begin,
	.migrate_end = postgresql_migrate_end,
	.migrate = postgresql_migrate,
	.run = postgresql_run,
	.start = postgresql_start,
	.worker_init = reader_init,
	.worker_fini = reader_fini,
	.read = reader_read,
	.release = rows_release,
	.group = postgresql_group,
	.interrupt = interrupt,
	.stop = stop,
};

const struct db_driver *
db_driver_v1(void)
{
	return &driver;
}
