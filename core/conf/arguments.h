/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convrod's command line, taken apart; main.c acts on it.  See convrod(8).
 */
#ifndef CONF_ARGUMENTS_H
#define CONF_ARGUMENTS_H

#include "base/buf.h"

enum arguments_command {
	ARGUMENTS_RUN,
	ARGUMENTS_CHECK,
	ARGUMENTS_DESCRIBE,
	ARGUMENTS_REFERENCE,
	ARGUMENTS_VERSION,
	ARGUMENTS_HELP,
};

/* All texts are borrowed from argv. */
struct arguments {
	enum arguments_command command;
	const char *config;   /* NULL = not given */
	const char *describe; /* the module's file */
	const char *form;     /* of the reference: "conf" or "man" */
	const char **sets;    /* "section.option=value", in their order */
	uint32_t set_count;
};

/* 0; -1 after putting a sentence (lower case, no full stop) into `why`.  arguments_fini in any
 * case. */
int arguments_parse(int argc, const char *const *argv, struct arguments *out, struct buf *why);
void arguments_fini(struct arguments *arguments);

/* What --help prints. */
extern const char arguments_usage[];

#endif
