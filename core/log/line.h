/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of the log, as bytes: the pure half of log.c.
 */
#ifndef LOG_LINE_H
#define LOG_LINE_H

#include "log/log.h"

#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX 2048 /* bytes, with the newline */

enum log_form {
	LOG_TEXT,         /* 2026-01-31T12:34:56.000Z info  module: message request=ID */
	LOG_JSON,         /* {"time":…,"level":…,"module":…,"request":…,"message":…} */
	LOG_JOURNAL_TEXT, /* <6>module: message request=ID, as sd-daemon(3) has it */
	LOG_JOURNAL_JSON, /* <6>{…} */
};

/* Writes the line into `out` and says how many bytes it took.  Its end is always whole: what is too
 * long is cut within the message, which then ends with "...". */
size_t log_line(enum log_form form, enum convro_log_level level, int64_t time_us,
    const struct log_origin *origin, const char *message, char out[LOG_LINE_MAX]);

#endif
