/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convro-load - the load generator of ./dev bench.  One scenario a run, one
 * thread, one JSON object with the figures at the end (measure.c).
 *
 *	driver.c      open and closed loop, safe against coordinated omission
 *	client.c      Socket.IO;  http.c  HTTP;  both on loop.c, an epoll loop
 *	request.c     the requests;  deliveries.c  exactly once, and in order
 *	connect.c idle.c ping.c emit.c reconnect.c push.c requests.c   the scenarios
 */
#include "scenario.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static const struct scenario {
	const char *name;
	void (*run)(struct load *load);
} scenarios[] = {
	{ "connect", scenario_connect },
	{ "idle", scenario_idle },
	{ "ping", scenario_ping },
	{ "emit", scenario_emit },
	{ "reconnect", scenario_reconnect },
	{ "push", scenario_push },
};

/* As many descriptors as the system allows, and timers that are on time. */
static void
prepare(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	(void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	if (sodium_init() < 0)
		die("libsodium does not start");
}

static void
run(struct load *load)
{
	const char *name = load->options->scenario;

	for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++) {
		if (strcmp(scenarios[i].name, name) == 0) {
			scenarios[i].run(load);
			return;
		}
	}
	if (!scenario_requests(load, name))
		die("no scenario '%s': see convro-load --help", name);
}

int
main(int argc, char **argv)
{
	static struct measure measure;
	struct options options;
	struct token_key key;
	struct tokens tokens;
	struct endpoint endpoint;
	struct loop loop;
	struct load load = { .options = &options,
		.measure = &measure,
		.loop = &loop,
		.endpoint = &endpoint,
		.tokens = &tokens };
	int status;

	options_read(argc, argv, &options);
	prepare();
	if (!endpoint_parse(options.url, &endpoint))
		die("'%s' is no http://HOST:PORT that can be resolved", options.url);
	if (options.secret != NULL) {
		token_key_load(options.secret, &key);
		key.issuer = options.issuer;
		key.audience = options.audience;
		key.store = options.store;
	}
	tokens_init(
	    &tokens, options.secret != NULL ? &key : NULL, options.first_user, options.users);
	loop_init(&loop);
	measure_init(&measure, &options);
	run(&load);
	status = measure_print(&measure);
	tokens_fini(&tokens);
	loop_fini(&loop);
	sodium_memzero(&key, sizeof(key));
	return status;
}
