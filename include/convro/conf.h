/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options: declared in the module's descriptor, read from the section of the
 * module's name in convro.conf.  The reader checks type and bounds before any
 * module starts, so the getters cannot fail on a declared option; asking for
 * an undeclared one is a bug and aborts.
 */
#ifndef CONVRO_CONF_H
#define CONVRO_CONF_H

#include <convro/abi.h>

enum convro_option_type {
	CONVRO_OPTION_TEXT = 1,
	CONVRO_OPTION_INT,      /* min..max */
	CONVRO_OPTION_BOOL,     /* on off (yes no true false 1 0) */
	CONVRO_OPTION_DURATION, /* "10s" "15m" "2h" "30d" "250ms"; read as milliseconds; min..max in
				   ms */
	CONVRO_OPTION_SIZE,     /* "16k" "1m" "64"; read as bytes; min..max in bytes */
	CONVRO_OPTION_CHOICE,   /* one of `values`; read as text */
	CONVRO_OPTION_WORDS,    /* blank-separated list; read as text */
	CONVRO_OPTION_RATE,     /* "60/h", "120/min", "10/15m", "50/s burst 500", "off"; read with
				   get_rate */
	CONVRO_OPTION_SECRET    /* never in the file itself: `<name>_file` names a file that others
				   cannot reach, or the environment holds CONVRO_<SECTION>_<NAME>,
				   or systemd has a credential <section>.<name> */
};

/* Element of a descriptor's list. */
struct convro_option {
	const char *name;    /* lower_snake */
	uint32_t type;       /* enum convro_option_type */
	uint32_t flags;      /* 0 */
	const char *initial; /* the default, as it would be written in the file; "" = none */
	const char *summary; /* one paragraph for convro.conf(5): what it does, what to weigh */
	const char *example; /* a value other than the default that a reader may copy */
	int64_t min, max;    /* bounds; both 0 = none */
	const char *values;  /* CHOICE: blank-separated */
};

/* A parsed CONVRO_OPTION_RATE. */
struct convro_rate {
	uint32_t size;
	uint32_t enabled; /* 0 = "off" */
	double per_second;
	double burst; /* most that may come at once; the count of the rate unless given */
};

struct convro_conf_table { /* thread: any; the values do not change while a worker runs a context */
	uint32_t size;

	/* The module's own option; the text is borrowed until the process ends, never NULL. */
	const char *(*get_text)(struct convro_ctx *ctx, const char *name);
	int64_t (*get_int)(struct convro_ctx *ctx,
	    const char *name); /* INT, BOOL (0, 1), DURATION (ms), SIZE (bytes) */
	/* A secret's bytes (a NUL behind them is not counted), borrowed until the process ends;
	 * NULL when none is configured. */
	const uint8_t *(*get_secret)(struct convro_ctx *ctx, const char *name, size_t *len);
	/* `out->size` is set by the caller. */
	void (*get_rate)(struct convro_ctx *ctx, const char *name, struct convro_rate *out);
};

#endif
