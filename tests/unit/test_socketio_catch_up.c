/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catch-up of one client: pages in their order, what is pushed meanwhile,
 * the switch to live, and a client that reads slowly.
 */
#include <stdbool.h>
#include <stdlib.h>

/* The module links against nothing of ours, so its code is compiled in. */
#include "../../modules/socketio/catch_up.c"
#include "../../modules/socketio/packet.c"
#include "../../modules/socketio/service.c"
#include "../../modules/socketio/text.c"
#include "../../modules/socketio/wheel.c"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

/* ---- the rest of the module and the core, as far as it is asked ---- */

const struct convro_api *convro;

static struct {
	char heard[2000]; /* what the client got */
	size_t waiting;   /* bytes that it has not read */
	const char *closed;
	convro_task *task; /* posted */
	void *arg;
	bool post_fails;
} fake;

static struct mount mount;
static struct station station;
static struct session session;

struct push *
push_new(const struct service *service, int64_t device, const char *event, int64_t cursor,
    struct slice json)
{
	struct push *push = calloc(1, sizeof(*push));

	(void)service;
	push->refs = 1;
	push->device = device;
	push->cursor = cursor;
	text_init(&push->text, 0);
	text_puts(&push->text, event);
	text_put_slice(&push->text, json);
	return push;
}

void
push_ref(struct push *push)
{
	push->refs++;
}

void
push_unref(struct push *push)
{
	if (--push->refs > 0)
		return;
	text_fini(&push->text);
	free(push);
}

void
push_send(struct convro_ctx *ctx, struct session *to, const struct push *push)
{
	size_t at = strlen(fake.heard);

	(void)ctx;
	assert_ptr_equal(to, &session);
	snprintf(fake.heard + at, sizeof(fake.heard) - at, "%.*s ", (int)push->text.len,
	    push->text.data);
}

size_t
session_queued(const struct session *of)
{
	(void)of;
	return fake.waiting;
}

void
session_close(struct convro_ctx *ctx, struct session *which, enum goodbye goodbye, const char *why)
{
	(void)ctx;
	(void)goodbye;
	fake.closed = why;
	catch_up_stop(which);
}

void
session_ref(struct session *which)
{
	which->refs++;
}

void
session_unref(struct session *which)
{
	which->refs--;
}

static void
set_module(struct convro_ctx *ctx, const void *module)
{
	(void)ctx;
	(void)module;
}

static enum convro_status
post(struct convro_ctx *ctx, uint32_t worker, convro_task *task, void *arg)
{
	(void)ctx;
	(void)worker;
	if (fake.post_fails)
		return CONVRO_NO_MEMORY;
	assert_null(fake.task);
	fake.task = task;
	fake.arg = arg;
	return CONVRO_OK;
}

static int64_t
now(struct convro_ctx *ctx)
{
	(void)ctx;
	return 0;
}

static const struct convro_bus_table bus = { .size = sizeof(bus), .set_module = set_module };
static const struct convro_work_table work = { .size = sizeof(work), .post = post };
static const struct convro_timer_table timer = { .size = sizeof(timer), .now = now };
static const struct convro_api api = {
	.size = sizeof(api), .bus = &bus, .work = &work, .timer = &timer
};

/* ---- a source ---- */

static struct convro_catch_up *paging; /* the page that is under way */
static int64_t paged_after;
static unsigned pages;

static void
page(struct convro_ctx *ctx, void *self, struct convro_catch_up *catch_up, int64_t device,
    int64_t after)
{
	(void)ctx;
	(void)self;
	assert_true(device == 5);
	paging = catch_up;
	paged_after = after;
	pages++;
}

static struct convro_ctx *const ctx = (struct convro_ctx *)&fake;

static void
add_source(int32_t order, bool always)
{
	struct convro_realtime_source source = {
		.size = sizeof(source), .order = order, .always = always, .page = page
	};

	service_add_source(&mount.service, NULL, &source);
}

static void
start(int64_t after)
{
	assert_true(catch_up_new(&session, after));
	catch_up_run(ctx, &session);
}

static void
run_posted(void)
{
	convro_task *task = fake.task;

	assert_non_null(task);
	fake.task = NULL;
	task(ctx, fake.arg);
}

static void
live(const char *text, int64_t cursor)
{
	struct push *push = push_new(NULL, 5, text, cursor, (struct slice){ 0 });

	assert_true(catch_up_add(session.catch_up, push));
	push_unref(push);
}

static int
setup(void **state)
{
	(void)state;
	convro = &api;
	memset(&fake, 0, sizeof(fake));
	mount = (struct mount){ .send_limit = 100 };
	station.mount = &mount;
	wheel_init(&station.wheel, 0);
	session = (struct session){ .station = &station, .device_id = 5, .refs = 1 };
	paging = NULL;
	pages = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	assert_null(session.catch_up);
	assert_int_equal(session.refs, 1);
	service_fini(&mount.service);
	return 0;
}

/* ---- tests ---- */

static void
goes_live_at_once_when_nobody_has_anything_to_tell(void **state)
{
	(void)state;
	start(7);
	assert_null(session.catch_up);
	add_source(1, false);
	start(-1); /* no afterId */
	assert_null(session.catch_up);
	assert_int_equal(pages, 0);
}

static void
asks_page_after_page_from_the_last_cursor_on(void **state)
{
	(void)state;
	add_source(1, false);
	start(7);
	assert_true(paged_after == 7);
	catch_up_emit(paging, "a", 8, "", 0);
	catch_up_emit(paging, "b", 9, "", 0);
	catch_up_page_done(paging, CONVRO_OK, 1);
	run_posted();
	assert_true(paged_after == 9);
	catch_up_emit(paging, "c", 12, "", 0);
	catch_up_page_done(paging, CONVRO_OK, 0);
	run_posted();
	assert_string_equal(fake.heard, "a b c ");
	assert_true(session.last_cursor == 12);
}

static void
each_source_starts_from_what_the_client_gave(void **state)
{
	(void)state;
	add_source(1, false);
	add_source(2, true);
	start(7);
	catch_up_emit(paging, "a", 8, "", 0);
	catch_up_page_done(paging, CONVRO_OK, 0);
	run_posted();
	assert_int_equal(pages, 2);
	assert_true(paged_after == 7);
	catch_up_page_done(paging, CONVRO_OK, 0);
	run_posted();
}

static void
tells_what_was_pushed_meanwhile_once_and_last(void **state)
{
	(void)state;
	add_source(1, false);
	start(0);
	live("x10", 10);
	live("note", 0);
	live("x11", 11);
	catch_up_emit(paging, "a9", 9, "", 0);
	catch_up_emit(paging, "a10", 10, "", 0);
	live("x12", 12);
	catch_up_page_done(paging, CONVRO_OK, 0);
	assert_string_equal(fake.heard, "a9 a10 ");
	run_posted();
	assert_string_equal(fake.heard, "a9 a10 note x11 x12 ");
}

static void
refuses_more_pushes_than_one_client_may_have_waiting(void **state)
{
	char text[61];
	struct push *push;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	add_source(1, false);
	start(0);
	live(text, 1);
	push = push_new(NULL, 5, text, 2, (struct slice){ 0 });
	assert_false(catch_up_add(session.catch_up, push));
	push_unref(push);
	catch_up_stop(&session);
	catch_up_page_done(paging, CONVRO_OK, 0);
	assert_string_equal(fake.heard, "");
}

static void
waits_for_a_slow_client_and_keeps_the_order(void **state)
{
	(void)state;
	add_source(1, false);
	start(0);
	catch_up_emit(paging, "a1", 1, "", 0);
	fake.waiting = PACE_BYTES + 1;
	catch_up_emit(paging, "a2", 2, "", 0);
	fake.waiting = 0; /* it read meanwhile, yet a3 must not pass a2 */
	catch_up_emit(paging, "a3", 3, "", 0);
	fake.waiting = PACE_BYTES + 1;
	catch_up_page_done(paging, CONVRO_OK, 0);
	run_posted();
	assert_string_equal(fake.heard, "a1 ");
	live("x3", 3);
	live("x4", 4);
	catch_up_resume(ctx, session.catch_up);
	assert_string_equal(fake.heard, "a1 ");
	fake.waiting = PACE_BYTES;
	catch_up_resume(ctx, session.catch_up);
	assert_string_equal(fake.heard, "a1 a2 a3 x4 ");
}

static void
a_client_that_leaves_is_told_nothing_more(void **state)
{
	(void)state;
	add_source(1, false);
	start(0);
	live("x", 1);
	catch_up_stop(&session);
	catch_up_emit(paging, "a", 1, "", 0);
	catch_up_page_done(paging, CONVRO_OK, 1);
	assert_null(fake.task);
	assert_string_equal(fake.heard, "");

	start(0); /* and between two pages */
	catch_up_page_done(paging, CONVRO_OK, 1);
	catch_up_stop(&session);
	run_posted();
	assert_int_equal(pages, 2);
}

static void
a_source_that_fails_ends_the_connection(void **state)
{
	(void)state;
	add_source(1, false);
	start(0);
	catch_up_page_done(paging, CONVRO_TIMEOUT, 0);
	assert_non_null(fake.closed);

	fake.closed = NULL;
	start(0);
	fake.post_fails = true;
	catch_up_page_done(paging, CONVRO_OK, 1);
	assert_non_null(fake.closed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    goes_live_at_once_when_nobody_has_anything_to_tell, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    asks_page_after_page_from_the_last_cursor_on, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    each_source_starts_from_what_the_client_gave, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    tells_what_was_pushed_meanwhile_once_and_last, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    refuses_more_pushes_than_one_client_may_have_waiting, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    waits_for_a_slow_client_and_keeps_the_order, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_client_that_leaves_is_told_nothing_more, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_source_that_fails_ends_the_connection, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
