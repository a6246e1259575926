/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: one table of all options.
 */
#include "options.h"

#include "base.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PUSH_SESSIONS = 1000 };

enum kind { TEXT, COUNT, REAL, PIDS };

static const struct option {
	const char *name;
	enum kind kind;
	size_t member;
	const char *argument, *summary;
} table[] = {
#define OPTION(name, kind, member, argument, summary)                                              \
	{                                                                                          \
		"--" name, kind, offsetof(struct options, member), argument, summary               \
	}
	OPTION("url", TEXT, url, "URL", "the server: http://HOST:PORT"),
	OPTION("secret", TEXT, secret, "FILE",
	    "the server's auth.secret_file; without it nobody has a token"),
	OPTION("issuer", TEXT, issuer, "TEXT", "auth.issuer (convro)"),
	OPTION("audience", TEXT, audience, "TEXT", "auth.audience (convro)"),
	OPTION("store-epoch", COUNT, store, "N", "the store's epoch in tokens (1)"),
	OPTION("users", COUNT, users, "N", "how many users there are (1000)"),
	OPTION("first-user", COUNT, first_user, "K", "the id of the first (1)"),
	OPTION("sessions", COUNT, sessions, "N",
	    "use the sessions 1 to N (half of the users; push: 1000 at most)"),
	OPTION("connections", COUNT, connections, "N", "HTTP connections, or sockets (16)"),
	OPTION("handshakes", COUNT, handshakes, "N",
	    "connects under way at a time while sockets are opened (64)"),
	OPTION("rate", REAL, rate, "R",
	    "open loop: operations a second; 0 = closed loop (0); reconnect: messages"),
	OPTION("seconds", REAL, seconds, "S", "how long is measured (5)"),
	OPTION("warmup", REAL, warmup, "S", "how long the same runs before (1)"),
	OPTION("timeout", REAL, timeout, "S",
	    "for opening sockets, and for what is outstanding at the end (30)"),
	OPTION("rooms", COUNT, rooms, "N", "emit: how many rooms share the sockets (1)"),
	OPTION("emitters", COUNT, emitters, "N",
	    "emit: sockets that emit, at most one for each room (1)"),
	OPTION("depth", COUNT, depth, "N",
	    "outstanding per socket: ping; emit, closed loop, per emitter (8)"),
	OPTION("bytes", COUNT, bytes, "N",
	    "bytes of a message (send, push: ciphertext, 256; emit: text, 32)"),
	OPTION("page", COUNT, page, "N", "history, conversations: rows of a page (50)"),
	OPTION("path", TEXT, path, "PATH", "get: what to get (/)"),
	OPTION("password", TEXT, password, "TEXT", "login: everybody's password (bench-password)"),
	OPTION("socketio-path", TEXT, socketio_path, "PATH", "where Socket.IO is (/socket.io/)"),
	OPTION("server", PIDS, server, "PID,...", "the server's processes: their cost is printed"),
	OPTION("database", PIDS, database, "PID,...",
	    "the database's (the one that started all others is enough)"),
#undef OPTION
};

enum { OPTIONS = sizeof(table) / sizeof(*table) };

static _Noreturn void
usage(void)
{
	(void)puts(
	    "usage: convro-load SCENARIO --url URL [OPTION]...\n\n"
	    "  over HTTP      send push history conversations bundle resolve me login health get\n"
	    "  over Socket.IO connect idle ping emit reconnect\n");
	for (unsigned i = 0; i < OPTIONS; i++)
		(void)printf(
		    "  %-15s %-8s %s\n", table[i].name, table[i].argument, table[i].summary);
	exit(0);
}

static void
read_pids(const char *name, const char *value, struct processes *out)
{
	const char *at = value;
	char *end;

	out->count = 0;
	for (;;) {
		long pid = strtol(at, &end, 10);

		if (end == at || pid <= 0 || out->count == PROCESSES_MAX ||
		    (*end != ',' && *end != '\0'))
			die("%s: '%s' is no list of up to %d process ids", name, value,
			    PROCESSES_MAX);
		out->pids[out->count++] = (pid_t)pid;
		if (*end == '\0')
			return;
		at = end + 1;
	}
}

static void
set(struct options *options, const struct option *option, const char *value)
{
	char *member = (char *)options + option->member;
	char *end = NULL;
	double real;

	errno = 0;
	switch (option->kind) {
	case TEXT:
		*(const char **)(void *)member = value;
		return;
	case COUNT:
		*(uint64_t *)(void *)member = strtoull(value, &end, 10);
		if (errno != 0 || end == value || *end != '\0' || *value == '-')
			die("%s: '%s' is no number", option->name, value);
		return;
	case REAL:
		real = strtod(value, &end);
		if (end == value || *end != '\0' || !isfinite(real) || real < 0)
			die("%s: '%s' is no number", option->name, value);
		*(double *)(void *)member = real;
		return;
	case PIDS:
		read_pids(option->name, value, (struct processes *)(void *)member);
		return;
	}
}

static const struct option *
find(const char *name, size_t len)
{
	for (unsigned i = 0; i < OPTIONS; i++)
		if (strlen(table[i].name) == len && strncmp(table[i].name, name, len) == 0)
			return &table[i];
	die("unknown option '%s': see convro-load --help", name);
}

static void
check(struct options *options)
{
	if (options->scenario == NULL || options->url == NULL)
		die("which scenario, and where? see convro-load --help");
	if (options->users == 0 || options->connections == 0 || options->handshakes == 0)
		die("users, connections and handshakes are at least 1");
	if (options->seconds <= 0 || options->seconds > 3600 || options->warmup > 3600 ||
	    options->timeout <= 0 || options->timeout > 3600)
		die("seconds, warmup and timeout are at most 3600, and only warmup may be 0");
	if (options->sessions > 0)
		return;
	options->sessions = options->users > 1 ? options->users / 2 : 1;
	/* A socket for each. */
	if (strcmp(options->scenario, "push") == 0 && options->sessions > PUSH_SESSIONS)
		options->sessions = PUSH_SESSIONS;
}

void
options_read(int argc, char **argv, struct options *out)
{
	*out = (struct options){ .issuer = "convro",
		.audience = "convro",
		.socketio_path = "/socket.io/",
		.path = "/",
		.password = "bench-password",
		.store = 1,
		.users = 1000,
		.first_user = 1,
		.connections = 16,
		.handshakes = 64,
		.rooms = 1,
		.emitters = 1,
		.depth = 8,
		.page = 50,
		.seconds = 5,
		.warmup = 1,
		.timeout = 30 };
	for (int i = 1; i < argc; i++) {
		size_t len = strcspn(argv[i], "=");
		const struct option *option;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			usage();
		if (argv[i][0] != '-') {
			if (out->scenario != NULL)
				die("two scenarios: '%s' and '%s'", out->scenario, argv[i]);
			out->scenario = argv[i];
			continue;
		}
		option = find(argv[i], len);
		if (argv[i][len] == '=')
			set(out, option, argv[i] + len + 1);
		else if (i + 1 < argc)
			set(out, option, argv[++i]);
		else
			die("%s needs a value", argv[i]);
	}
	check(out);
}
