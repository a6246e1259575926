/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convrod: from the command line (conf/arguments.h) to what was asked for.
 * The server's life is server.c.
 */
#include "base/buf.h"
#include "conf/arguments.h"
#include "log/log.h"
#include "mod/mod.h"
#include "server.h"

#include <convro/abi.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef CONVRO_CONFIG_FILE
#define CONVRO_CONFIG_FILE "/etc/convro/convro.conf"
#endif

#define EXIT_USAGE 2

/* The installed file, or NULL when there is none.  One that exists but cannot be read is not passed
 * over: the reader tells. */
static const char *
default_config(void)
{
	if (access(CONVRO_CONFIG_FILE, F_OK) == 0 || errno != ENOENT)
		return CONVRO_CONFIG_FILE;
	log_info("there is no %s, so every option has its default", CONVRO_CONFIG_FILE);
	return NULL;
}

/* Ends with the status of what was printed: a full disk is no success. */
static int
flushed(void)
{
	return fflush(stdout) == 0 && ferror(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
carry_out(const struct arguments *arguments)
{
	struct server_arguments server = { .config = arguments->config,
		.sets = arguments->sets,
		.set_count = arguments->set_count };

	switch (arguments->command) {
	case ARGUMENTS_RUN:
	case ARGUMENTS_CHECK:
		if (server.config == NULL)
			server.config = default_config();
		return arguments->command == ARGUMENTS_RUN ? server_run(&server)
							   : server_check(&server);
	case ARGUMENTS_DESCRIBE:
		return mod_describe(arguments->describe);
	case ARGUMENTS_REFERENCE:
		/* Of the program, not of an installation: the installed file is not read. */
		return server_print_reference(&server, arguments->form);
	case ARGUMENTS_VERSION:
		printf(
		    "convrod %s (abi %d.%d)\n", CONVRO_VERSION, CONVRO_ABI_MAJOR, CONVRO_ABI_MINOR);
		return flushed();
	case ARGUMENTS_HELP:
		fputs(arguments_usage, stdout);
		return flushed();
	}
	return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	struct arguments arguments;
	struct buf why;
	int status;

	buf_init(&why, 0);
	if (arguments_parse(argc, (const char *const *)argv, &arguments, &why) == 0) {
		status = carry_out(&arguments);
	} else {
		fprintf(stderr, "convrod: %s\n", buf_text(&why));
		status = EXIT_USAGE;
	}
	arguments_fini(&arguments);
	buf_fini(&why);
	return status;
}
