/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PostgreSQL for the time of a test: its own directory under /tmp and a Unix
 * socket only.  CONVRO_TEST_PG names another server instead (a socket directory
 * or a connection string); a database is made on that one and dropped again,
 * and it is not restarted.
 */
#ifndef CLUSTER_H
#define CLUSTER_H

#include <stdbool.h>

/* The connection string of an empty database, borrowed until cluster_stop; NULL when there is
 * no PostgreSQL.  Without fsync, where the test does not ask what a commit costs. */
const char *cluster_start(bool with_fsync);
/* After the test's own connections were closed. */
void cluster_stop(void);

/* Whether the next two are possible. */
bool cluster_is_ours(void);
/* Ends it at once, as a crash would. */
void cluster_crash(void);
/* Starts it again and waits until it answers. */
void cluster_revive(void);

#endif
