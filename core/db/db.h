/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The database behind the ABI's group table: requests are built on a worker,
 * carried out by a driver (db/sqlite, db/postgresql, each a shared object that
 * is loaded on demand) and completed on the same worker.
 * Reading order: db.c (table), writer.c (group commit), migrate.c, driver.h.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include "loop/worker.h"

#include <convro/db.h>

struct db;
struct conf;
struct log;
struct module;

/* Loads the driver that [storage] engine names and opens the store, alone: a second server process
 * on the same store is refused.  NULL after the reason was logged.  Thread: main. */
struct db *db_open(struct server *server);
/* Brings every module's tables up to date, in the order of the modules, core first; -1 after the
 * reason was logged. */
int db_migrate(struct db *db);
/* Prepares the statements of core and modules for the engine and starts writer and readers. */
int db_start(struct db *db);
/* Per worker, on its thread. */
int db_worker_init(struct db *db, struct worker *worker);
void db_worker_fini(struct db *db, struct worker *worker);
/* Completes what is queued (each callback runs), then stops threads and closes.  Two steps: stop
 * while the workers still run, close after they ended. */
void db_stop(struct db *db);
void db_close(struct db *db);

extern const struct convro_db_table db_table;

#endif
