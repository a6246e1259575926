/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: levels, context fields, sinks (stderr as text or JSON; a file).
 */
#ifndef LOG_LOG_H
#define LOG_LOG_H

#include <convro/log.h>
#include <stdarg.h>
#include <stdbool.h>

struct log;

/* Where a line comes from; any may be NULL. */
struct log_origin {
	const char *module;
	const char *request_id;
};

/* Lines go to stderr as text until log_configure.  Never NULL. */
struct log *log_get(void);
/* `format` "text" or "json"; `level` "error" ... "debug"; `file` "" = stderr.  -1 when the file
 * cannot be opened (said on stderr).  Thread: main. */
int log_configure(struct log *log, const char *format, const char *level, const char *file);
/* Opens the file again (logrotate); nothing to do for stderr. */
void log_reopen(struct log *log);

bool log_enabled(const struct log *log, enum convro_log_level level);
/* One line, written with one write(2), cut at 2 KiB; control characters are escaped, so that no
 * input can forge a line.  Thread: any. */
void log_write(struct log *log, enum convro_log_level level, const struct log_origin *origin,
    const char *format, ...) __attribute__((format(printf, 4, 5)));
void log_write_v(struct log *log, enum convro_log_level level, const struct log_origin *origin,
    const char *format, va_list args) __attribute__((format(printf, 4, 0)));

#define log_error(...)   log_write(log_get(), CONVRO_LOG_ERROR, NULL, __VA_ARGS__)
#define log_warning(...) log_write(log_get(), CONVRO_LOG_WARNING, NULL, __VA_ARGS__)
#define log_info(...)    log_write(log_get(), CONVRO_LOG_INFO, NULL, __VA_ARGS__)
#define log_debug(...)   log_write(log_get(), CONVRO_LOG_DEBUG, NULL, __VA_ARGS__)

#endif
