/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two halves of recovery share: the log (recovery_log.c) and those who
 * are away (recovery.c).
 */
#ifndef SOCKETIO_RECOVERY_LOG_H
#define SOCKETIO_RECOVERY_LOG_H

#include "recovery.h"

#include <pthread.h>

#define TAG_LEN 8

struct recovery {
	pthread_mutex_t lock;
	struct mount *mount;
	char tag[SID_LEN]; /* of offsets; TAG_LEN of it are used */
	struct ring log;   /* struct push, ascending */
	uint64_t last;     /* number of the newest event */
	uint64_t dropped;  /* number of the newest event that is not kept any more */
	size_t log_bytes;
	struct table by_pid;
	struct ring away; /* struct away, in the order of leaving */
	size_t away_bytes;
	size_t most_bytes; /* of each of the two */
	int64_t most_ms;
};

/* With the lock.  Forgets what is too old, or too much; but not what a worker has not seen. */
void log_trim(struct recovery *recovery, int64_t now);
void log_free(struct recovery *recovery);

#endif
