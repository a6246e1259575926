/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command line says.
 */
#ifndef LOAD_OPTIONS_H
#define LOAD_OPTIONS_H

#include "process.h"

#include <stdbool.h>

struct options {
	const char *scenario;
	const char *url;
	const char *secret; /* a file; NULL = nobody has a token */
	const char *issuer, *audience;
	const char *socketio_path;
	const char *path;     /* of the scenario get */
	const char *password; /* of the scenario login */
	uint64_t store;
	uint64_t users, first_user;
	uint64_t sessions;
	uint64_t connections;
	uint64_t handshakes; /* connects under way at a time while sockets are opened */
	uint64_t rooms, emitters, depth;
	uint64_t bytes; /* of a message */
	uint64_t page;
	double rate;    /* 0 = closed loop */
	double seconds; /* what is measured */
	double warmup;
	double timeout; /* for opening sockets, and for what is outstanding at the end */
	struct processes server, database;
};

/* Ends the program after telling what is wrong, or after printing the usage. */
void options_read(int argc, char **argv, struct options *out);

#endif
