/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See cluster.h.  initdb refuses root, so root becomes "postgres" for it.  The
 * server dies with the test, however the test ends.
 */
#include "cluster.h"

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char dir[64];
static char conninfo[1024];
static char given_server[512]; /* of a cluster that is not ours */
static char database[64];      /* made on it */
static pid_t server;

bool
cluster_is_ours(void)
{
	return dir[0] != '\0';
}

#ifdef POSTGRES_BINDIR

static char data[96];
static const char *fsync_setting;

/* In the child: no root, output to dir/log, death with the parent. */
static void
become_server_user(pid_t parent)
{
	char log[128];
	int fd;

	if (geteuid() == 0) {
		const struct passwd *user = getpwnam("postgres");

		if (user == NULL || initgroups(user->pw_name, user->pw_gid) != 0 ||
		    setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
			_exit(126);
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGINT);
	if (getppid() != parent)
		_exit(126);
	(void)snprintf(log, sizeof(log), "%s/log", dir);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0 || chdir(dir) != 0)
		_exit(126);
}

static pid_t
launch(const char *const *argv)
{
	pid_t parent = getpid(), pid = fork();
	char *args[24];
	size_t i;

	if (pid != 0)
		return pid;
	become_server_user(parent);
	for (i = 0; argv[i] != NULL && i + 1 < sizeof(args) / sizeof(args[0]); i++)
		args[i] = strdup(argv[i]);
	args[i] = NULL;
	(void)execv(args[0], args);
	_exit(127);
}

static bool
answers(void)
{
	for (int tries = 0; tries < 600; tries++) {
		struct timespec pause = { .tv_nsec = 50000000 };

		if (PQping(conninfo) == PQPING_OK)
			return true;
		if (waitpid(server, NULL, WNOHANG) == server) {
			server = 0;
			return false;
		}
		(void)nanosleep(&pause, NULL);
	}
	return false;
}

static bool
launch_server(void)
{
	const char *const run[] = { POSTGRES_BINDIR "/postgres", "-D", data, "-k", dir, "-c",
		"listen_addresses=", "-c", fsync_setting, "-c", "shared_buffers=32MB", NULL };

	server = launch(run);
	return server > 0 && answers();
}

static const char *
start_own(bool with_fsync)
{
	const char *const init[] = { POSTGRES_BINDIR "/initdb", "-D", data, "-U", "convro", "-A",
		"trust", "-E", "UTF8", "--locale=C", "--no-sync", NULL };
	int status = -1;
	pid_t pid;

	fsync_setting = with_fsync ? "fsync=on" : "fsync=off";
	(void)snprintf(dir, sizeof(dir), "/tmp/convro-pg-XXXXXX");
	if (mkdtemp(dir) == NULL) {
		dir[0] = '\0';
		return NULL;
	}
	if (geteuid() == 0) {
		const struct passwd *user = getpwnam("postgres");

		if (user == NULL || chown(dir, user->pw_uid, user->pw_gid) != 0)
			return NULL;
	}
	(void)snprintf(data, sizeof(data), "%s/data", dir);
	(void)snprintf(conninfo, sizeof(conninfo), "host=%s user=convro dbname=postgres", dir);
	pid = launch(init);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
		(void)fprintf(stderr, "initdb failed with status %d\n", status);
		return NULL;
	}
	return launch_server() ? conninfo : NULL;
}

#else

static bool
launch_server(void)
{
	return false;
}

static const char *
start_own(bool with_fsync)
{
	(void)with_fsync;
	return NULL;
}

#endif

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

/* CONVRO_TEST_PG as "key='value' ..." without its database: a socket directory
 * ("/run/postgresql"), a URL or a connection string.  False when it is none. */
static bool
read_given(const char *given, char *out, size_t size)
{
	char *message = NULL;
	size_t len = 0;
	PQconninfoOption *options;

	if (*given == '/') {
		(void)snprintf(out, size, "host=%s", given);
		return true;
	}
	options = PQconninfoParse(given, &message);
	if (options == NULL) {
		(void)fprintf(stderr, "CONVRO_TEST_PG: %s", message);
		PQfreemem(message);
		return false;
	}
	for (const PQconninfoOption *option = options; option->keyword != NULL; option++) {
		int added;

		if (option->val == NULL || strcmp(option->keyword, "dbname") == 0)
			continue;
		added = snprintf(out + len, size - len, "%s='%s' ", option->keyword, option->val);
		if (added < 0 || (size_t)added >= size - len)
			break;
		len += (size_t)added;
	}
	PQconninfoFree(options);
	return len > 0;
}

/* Runs one command outside any transaction on the cluster that was given. */
static bool
command(const char *what)
{
	char sql[160], where[600];
	PGconn *conn;
	PGresult *result;
	bool ok;

	(void)snprintf(where, sizeof(where), "%s dbname=postgres", given_server);
	(void)snprintf(sql, sizeof(sql), "%s %s", what, database);
	conn = PQconnectdb(where);
	result = PQexec(conn, sql);
	ok = PQresultStatus(result) == PGRES_COMMAND_OK;
	if (!ok)
		(void)fprintf(stderr, "%s: %s", sql, PQerrorMessage(conn));
	PQclear(result);
	PQfinish(conn);
	return ok;
}

const char *
cluster_start(bool with_fsync)
{
	const char *given = getenv("CONVRO_TEST_PG");

	if (given == NULL || *given == '\0')
		return start_own(with_fsync);
	if (!read_given(given, given_server, sizeof(given_server)))
		return NULL;
	(void)snprintf(database, sizeof(database), "convro_test_%ld", (long)getpid());
	if (!command("CREATE DATABASE")) {
		database[0] = '\0';
		return NULL;
	}
	(void)snprintf(conninfo, sizeof(conninfo), "%s dbname=%s", given_server, database);
	return conninfo;
}

static void
end_server(int signal_number)
{
	if (server <= 0)
		return;
	(void)kill(server, signal_number);
	(void)waitpid(server, NULL, 0);
	server = 0;
}

void
cluster_crash(void)
{
	end_server(SIGQUIT); /* "immediate" */
}

void
cluster_revive(void)
{
	if (server == 0 && !launch_server()) {
		(void)fprintf(stderr, "PostgreSQL did not come back\n");
		abort();
	}
}

void
cluster_stop(void)
{
	if (database[0] != '\0')
		(void)command("DROP DATABASE");
	end_server(SIGINT); /* "fast" */
	if (dir[0] != '\0')
		(void)nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
