/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PostgreSQL for the time of the test: its own directory, a Unix socket
 * only, with fsync.  CONVRO_TEST_PG names another server instead (a socket
 * directory or a connection string); that one is not restarted.
 */
#ifndef CLUSTER_H
#define CLUSTER_H

#include <stdbool.h>

/* Its connection string, borrowed until cluster_stop; NULL when there is no PostgreSQL. */
const char *cluster_start(void);
void cluster_stop(void);

/* Whether the next two are possible. */
bool cluster_is_ours(void);
/* Ends it at once, as a crash would. */
void cluster_crash(void);
/* Starts it again and waits until it answers. */
void cluster_revive(void);

#endif
