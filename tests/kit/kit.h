/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fake core: a module runs on it under a unit test, without a server, a
 * database or a clock of its own.  Fields are checked, JSON is written and read
 * and options are parsed by the real core's code; the rest is what the test
 * says.  README.md beside this file shows a whole test.
 *
 * One thread.  A mistake of the test, or of the module against the ABI, ends the
 * program with a sentence on standard error; so the kit goes with any test
 * framework.  Texts that functions return are borrowed until kit_free.
 */
#ifndef KIT_H
#define KIT_H

#include <convro/module.h>
#include <stdbool.h>

struct kit;

/* ---- life ---- */

/* A module that is not started yet; everything else happens to a kit from here. */
struct kit *kit_new(const struct convro_module *module);
/* Options and services of before the start.  Texts are copied, tables borrowed. */
void kit_option(struct kit *kit, const char *name, const char *text);
void kit_secret(struct kit *kit, const char *name, const void *data, size_t len);
void kit_service(struct kit *kit, const char *name, const void *table);
/* A service that the module wants is not there ("realtime.v1" is by default). */
void kit_without(struct kit *kit, const char *service);
/* init and worker_init, and what they ask for; what the module's init returned. */
enum convro_status kit_start(struct kit *kit);
/* worker_fini, fini; frees everything.  NULL is allowed. */
void kit_free(struct kit *kit);
/* What the module's init gave. */
void *kit_self(struct kit *kit);

/* ---- requests ---- */

/* The caller of bearer routes.  Without a call: user 7, device a1b2c3d4e5f60708, number 241772, no
 * name.  `number` and `username` (or NULL) are copied. */
void kit_caller(
    struct kit *kit, int64_t user_id, int64_t device_id, const char *number, const char *username);
/* The client's address; 192.0.2.1 without a call.  Copied. */
void kit_address(struct kit *kit, const char *address);

/* Run a request and all it asks for, to its answer; its HTTP status.  `path` with its query.
 * `body` NULL = empty. */
int kit_get(struct kit *kit, const char *path);
int kit_post(struct kit *kit, const char *path, const char *body);
int kit_delete(struct kit *kit, const char *path);

/* The last answer: its body, its wire code ("" without one), the field at fault (""), Retry-After
 * (0 = none). */
const char *kit_body(struct kit *kit);
const char *kit_error(struct kit *kit);
const char *kit_field(struct kit *kit);
uint32_t kit_retry_after(struct kit *kit);
/* A member of the body, by its path ("devices.0.deviceId"), as compact JSON, a text without its
 * quotes; "" when there is none. */
const char *kit_member(struct kit *kit, const char *path);
/* The same of any JSON text. */
const char *kit_member_of(struct kit *kit, const char *json, const char *path);

/* ---- the database (rows.c has the text form) ---- */

/*
 * What a statement answers.  Rows are lines, columns are parted by '|' and read
 * by the statement's declared columns (those of SQLite): \N is NULL, bytes are
 * hex, \| \\ \n stand for themselves and a line feed.  "" = no rows.
 * `when` NULL or the arguments it goes for, in the same form; an array is
 * {a,b}.  Answers that go for the same arguments are given in the order they
 * were added; the last one stays.  A statement without an answer has no rows.
 */
void kit_rows(struct kit *kit, uint32_t statement, const char *when, const char *rows);
/* The same without rows: what convro_db_result.changed says. */
void kit_changed(struct kit *kit, uint32_t statement, uint64_t changed);
/* The query fails, or the batch that it is in. */
void kit_fails(struct kit *kit, uint32_t statement, enum convro_status status);
/* `function` runs once, just before the module hears what the statement answered next. */
void kit_meanwhile(
    struct kit *kit, uint32_t statement, void (*function)(struct kit *kit, void *arg), void *arg);

/* How often the statement ran, and the arguments of the nth time (from 0). */
uint32_t kit_ran(struct kit *kit, uint32_t statement);
const char *kit_args(struct kit *kit, uint32_t statement, uint32_t nth);
/* All statements that ran, in order, by name, with blanks between; those of a batch in brackets. */
const char *kit_trace(struct kit *kit);
void kit_forget_trace(struct kit *kit);

/* ---- hooks, facts, services ---- */

/* From now on the hook point says this; kit_deny with status 0 takes it back. */
void kit_deny(struct kit *kit, const char *point, int status, const char *code, uint32_t retry);
/* Asks the module's own hooks. */
struct convro_verdict kit_ask(struct kit *kit, const char *point, const void *subject);
/* `function` hears each question at a hook point, or each fact: for what is only borrowed. */
void kit_listen(struct kit *kit, const char *name, convro_fact_function *function, void *self);
/* How many facts of that name were told, and the nth (a copy of its struct). */
uint32_t kit_facts(struct kit *kit, const char *event);
const void *kit_fact(struct kit *kit, const char *event, uint32_t nth);
/* Tells the module's subscribers a fact of somebody else's. */
void kit_tell(struct kit *kit, const char *event, const void *fact);

/* What was pushed over "realtime.v1", or emitted by a source. */
struct kit_push {
	int64_t device, cursor;
	const char *event, *json;
	bool source;
};
uint32_t kit_pushes(struct kit *kit);
const struct kit_push *kit_push(struct kit *kit, uint32_t nth);
/* A device connects: runs the module's sources; `after` -1 = without afterId.  What page_done
 * said last. */
enum convro_status kit_connect(struct kit *kit, int64_t device, int64_t after);
/* The client acknowledges a pushed event. */
void kit_acknowledge(struct kit *kit, const char *event, int64_t device, int64_t cursor);

/* Checks a token with the authenticator that the module provided: NULL and the principal (its
 * texts borrowed until kit_free), or the error. */
const char *kit_verify(struct kit *kit, const char *token, struct convro_principal *out);

/* ---- time, pool, memory, log ---- */

/* Both clocks stand still but for this, which also runs the timers that are due.  They begin at
 * 2026-01-31T12:34:56.000Z and at 1000000 ms. */
#define KIT_NOW_US INT64_C(1769862896000000)
void kit_advance(struct kit *kit, int64_t ms);
int64_t kit_now(struct kit *kit); /* microseconds, as db->now */

/* The next `count` calls of offload answer OVERLOAD. */
void kit_refuse_offload(struct kit *kit, uint32_t count);
/* Allocations of mem and of json->make that still succeed; negative = all. */
void kit_memory(struct kit *kit, long left);
/* True when a line of the log held the text. */
bool kit_logged(struct kit *kit, const char *text);

/* Runs `function` in a context of its own, and what it asks for. */
void kit_run(struct kit *kit, convro_task *function, void *arg);

#endif
