/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server of nothing but workers and a PostgreSQL database: the real tables
 * and statements of the modules, and a module "notes" with what those lack.
 * Calls are made on a worker and waited for, or handed to the driver as one
 * group.  The database is emptied for each test.
 */
#ifndef KIT_H
#define KIT_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/must.h"
#include "conf/conf.h"
#include "conf/core_options.h"
#include "core_sql.h"
#include "db/db.h"
#include "db/store.h"
#include "log/log.h"
#include "loop/ctx.h"
#include "server.h"

#include <auth_sql.h>
#include <dm_messages_sql.h>
#include <dm_sessions_sql.h>
#include <libpq-fe.h>
#include <prekeys_sql.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { WORKERS = 2, MODULES = 5, QUEUE_MAX = 64 };

enum {
	NOTE_ADD,
	NOTE_GET,
	NOTE_COUNT,
	NOTE_TYPES,
	NOTE_LISTS,
	NOTE_MANY,
	NOTE_SLEEP,
	NOTE_ELSEWHERE,
	NOTE_BAD_CHECK,
	NOTE_SETTINGS,
	NOTE_WRITER_SETTINGS,
	NOTE_STATEMENTS
};

/* What came back; filled on a worker, read by the test after answer_wait. */
struct answer {
	sem_t came;
	_Atomic int calls; /* of the callback */
	enum convro_status status;
	uint32_t result_count, rows, columns;
	uint64_t changed; /* of the last result, as the rest */
	struct convro_db_val first[8];
	char text[8][64];     /* copies of what first[] points to */
	int64_t numbers[8];   /* first column of the first rows; INT64_MIN for NULL */
	int64_t of_result[4]; /* first number of each result */
	bool during_call;     /* came before the call had returned */
	bool calling;
};

struct kit {
	struct server server;
	struct module modules[MODULES];
	struct module *notes;
	PGconn *look; /* a client beside the server */
	bool running;
};

extern const char *kit_conninfo; /* of cluster_start */

/* --- life: kit_open makes the kit and empties the database --- */

int kit_set_up(void **state);      /* and starts */
int kit_set_up_bare(void **state); /* and does not */
int kit_tear_down(void **state);
/* Opens, migrates, starts; everything runs when it returns. */
void kit_start(struct kit *kit);
void kit_stop(struct kit *kit);
/* Number of a statement of "notes" in the server's table. */
uint32_t note(const struct kit *kit, uint32_t number);

/* --- the client beside --- */

void look_do(struct kit *kit, const char *sql);
int64_t look_number(struct kit *kit, const char *sql);
void look_connect(struct kit *kit);
/* Ends the server's connections, or some of them. */
void look_terminate(struct kit *kit, const char *where);

/* --- calls on a worker --- */

void answer_wait(struct answer *answer);
void ask(struct kit *kit, uint32_t worker, uint32_t statement, struct convro_db_args args,
    struct answer *answer);
/* One statement several times in one turn of the worker's loop, with an argument of its own each.
 */
void ask_together(struct kit *kit, uint32_t statement, const struct convro_db_val *args,
    uint32_t count, struct answer *answers);
/* Several statements with the same arguments. */
void ask_batch(struct kit *kit, const uint32_t *statements, uint32_t count,
    struct convro_db_args args, struct answer *answer);
void ask_until(struct kit *kit, uint32_t statement, struct convro_db_args args, int64_t deadline_ms,
    struct answer *answer);
enum convro_status
run(struct kit *kit, uint32_t statement, struct convro_db_args args, struct answer *answer);
void add_note(struct kit *kit, const char *name);
int64_t count_notes(struct kit *kit);

/* --- requests for the driver itself; the writer's thread must have nothing to do --- */

enum { CALLS_MOST = 8 };

struct direct {
	struct db_request request;
	struct db_call calls[CALLS_MOST];
	struct convro_db_result results[CALLS_MOST];
};

struct direct *direct_new(void);
void direct_free(struct direct *direct);
/* One more call; the arguments are copied. */
void
direct_add(struct kit *kit, struct direct *direct, uint32_t statement, struct convro_db_args args);
void direct_group(struct kit *kit, struct direct *const *directs, uint32_t count);

static inline struct convro_db_val
text_val(const char *text)
{
	return convro_text_n(text, strlen(text));
}

/* --- the tests, by file --- */

extern const struct CMUnitTest basics_tests[], groups_tests[], messages_tests[], losses_tests[];
extern const size_t basics_count, groups_count, messages_count, losses_count;

#define on_a_server(test)     cmocka_unit_test_setup_teardown(test, kit_set_up, kit_tear_down)
#define before_a_server(test) cmocka_unit_test_setup_teardown(test, kit_set_up_bare, kit_tear_down)

#endif
