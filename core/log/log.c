/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: where lines go and which are wanted.  No lock: a line is laid out
 * on the stack (line.c) and leaves in one write(2), which the kernel keeps
 * whole for files opened to append.
 *
 * A file is reopened with dup2 onto the same descriptor, so that a thread that
 * is writing never sees it closed.
 */
#include "log/log.h"

#include "base/clock.h"
#include "log/line.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct log {
	_Atomic int fd;    /* where lines go */
	_Atomic int level; /* the least grave that is written */
	_Atomic int form;  /* enum log_form */
	int file_fd;       /* of the file, kept while the server lives; -1 without one.  main */
	char *file;        /* owned, or NULL.  main */
};

/* There is one log, as there is one standard error. */
static struct log the_log = {
	.fd = STDERR_FILENO, .level = CONVRO_LOG_INFO, .form = LOG_TEXT, .file_fd = -1
};

struct log *
log_get(void)
{
	return &the_log;
}

/* Whether standard error leads to the journal: systemd tells its device and inode. */
static bool
stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char actual[64];
	struct stat info;

	if (stream == NULL || fstat(STDERR_FILENO, &info) != 0)
		return false;
	snprintf(actual, sizeof(actual), "%ju:%ju", (uintmax_t)info.st_dev, (uintmax_t)info.st_ino);
	return strcmp(actual, stream) == 0;
}

static int
level_of(const char *name)
{
	static const char *const names[] = { "error", "warning", "info", "debug" };

	for (int i = 0; i < 4; i++) {
		if (strcmp(names[i], name) == 0)
			return i;
	}
	return CONVRO_LOG_INFO;
}

static int
open_file(const char *file)
{
	return open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

/* Makes the open `fd` the log's file; -1 with errno. */
static int
use_file(struct log *log, int fd)
{
	if (log->file_fd < 0) {
		log->file_fd = fd;
		return 0;
	}
	if (dup3(fd, log->file_fd, O_CLOEXEC) < 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	close(fd);
	return 0;
}

int
log_configure(struct log *log, const char *format, const char *level, const char *file)
{
	bool json = strcmp(format, "json") == 0;
	enum log_form form = json ? LOG_JSON : LOG_TEXT;
	char *copy = NULL;
	int fd;

	if (*file != '\0') {
		copy = strdup(file);
		fd = open_file(file);
		if (copy == NULL || fd < 0 || use_file(log, fd) != 0) {
			log_write(log, CONVRO_LOG_ERROR, NULL,
			    "could not open the log file \"%s\": %s", file,
			    copy == NULL ? "out of memory" : strerror(errno));
			if (copy == NULL && fd >= 0)
				close(fd);
			free(copy);
			return -1;
		}
	} else if (stderr_is_journal()) {
		form = json ? LOG_JOURNAL_JSON : LOG_JOURNAL_TEXT;
	}
	free(log->file);
	log->file = copy;
	atomic_store(&log->level, level_of(level));
	atomic_store(&log->form, (int)form);
	atomic_store(&log->fd, copy != NULL ? log->file_fd : STDERR_FILENO);
	return 0;
}

void
log_reopen(struct log *log)
{
	int fd;

	if (log->file == NULL)
		return;
	fd = open_file(log->file);
	if (fd < 0 || use_file(log, fd) != 0)
		log_write(log, CONVRO_LOG_ERROR, NULL,
		    "could not open the log file \"%s\" again, the old one stays in use: %s",
		    log->file, strerror(errno));
}

bool
log_enabled(const struct log *log, enum convro_log_level level)
{
	return (int)level <= atomic_load_explicit(&log->level, memory_order_relaxed);
}

void
log_write_v(struct log *log, enum convro_log_level level, const struct log_origin *origin,
    const char *format, va_list args)
{
	char message[LOG_LINE_MAX + 1], line[LOG_LINE_MAX];
	int error = errno; /* the caller may look at it afterwards */
	size_t len;

	if (!log_enabled(log, level))
		return;
	if (vsnprintf(message, sizeof(message), format, args) < 0)
		snprintf(message, sizeof(message), "a line that could not be formatted");
	len = log_line(
	    (enum log_form)atomic_load(&log->form), level, clock_wall_us(), origin, message, line);
	while (write(atomic_load(&log->fd), line, len) < 0 && errno == EINTR)
		continue;
	errno = error;
}

void
log_write(struct log *log, enum convro_log_level level, const struct log_origin *origin,
    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_write_v(log, level, origin, format, args);
	va_end(args);
}
