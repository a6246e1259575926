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

#include "catch_up_kit.h"

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
	assert_true(catch_up_new(&client, after));
	catch_up_run(ctx, &client);
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
	struct push *push =
	    client_push_new(&mount, (struct slice){ 0 }, text, cursor, (struct slice){ 0 });

	assert_true(catch_up_add(client.catch_up, push));
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
	session = calloc(1, sizeof(*session));
	assert_non_null(session);
	session->station = &station;
	client = (struct client){ .device_id = 5, .socket = { .refs = 1, .session = session } };
	recovering = (struct socket_recovery){ 0 };
	paging = NULL;
	pages = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	assert_null(client.catch_up);
	assert_int_equal(client.socket.refs, 1);
	service_fini(&mount.service);
	free(session);
	return 0;
}

/* ---- tests ---- */

static void
goes_live_at_once_when_nobody_has_anything_to_tell(void **state)
{
	(void)state;
	start(7);
	assert_null(client.catch_up);
	add_source(1, false);
	start(-1); /* no afterId */
	assert_null(client.catch_up);
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
	assert_true(client.last_cursor == 12);
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
	push = client_push_new(&mount, (struct slice){ 0 }, text, 2, (struct slice){ 0 });
	assert_false(catch_up_add(client.catch_up, push));
	push_unref(push);
	catch_up_stop(&client);
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
	catch_up_resume(ctx, client.catch_up);
	assert_string_equal(fake.heard, "a1 ");
	fake.waiting = PACE_BYTES;
	catch_up_resume(ctx, client.catch_up);
	assert_string_equal(fake.heard, "a1 a2 a3 x4 ");
}

static void
a_client_that_leaves_is_told_nothing_more(void **state)
{
	(void)state;
	add_source(1, false);
	start(0);
	live("x", 1);
	catch_up_stop(&client);
	catch_up_emit(paging, "a", 1, "", 0);
	catch_up_page_done(paging, CONVRO_OK, 1);
	assert_null(fake.task);
	assert_string_equal(fake.heard, "");

	start(0); /* and between two pages */
	catch_up_page_done(paging, CONVRO_OK, 1);
	catch_up_stop(&client);
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

static void
tells_one_that_has_come_back_what_it_missed_and_asks_no_source(void **state)
{
	struct push *missed[2];

	(void)state;
	add_source(1, true);
	client.socket.recovery = &recovering;
	assert_true(catch_up_new(&client, 0));
	assert_true(recovering.is_unfinished);
	live("x6", 0);                    /* in the log, and so among what it missed */
	recovering.is_unfinished = false; /* when it left */
	for (uint32_t i = 0; i < 2; i++) {
		missed[i] = client_push_new(
		    &mount, (struct slice){ 0 }, i == 0 ? "m5" : "m6", 0, (struct slice){ 0 });
		missed[i]->number = 5 + i;
	}
	catch_up_missed(ctx, &client.socket, missed, 2);
	assert_true(recovering.is_behind);
	live("x8", 0);
	fake.waiting = PACE_BYTES + 1; /* it reads slowly */
	catch_up_run(ctx, &client);
	assert_string_equal(fake.heard, "");
	fake.waiting = 0;
	catch_up_resume(ctx, client.catch_up);
	assert_string_equal(fake.heard, "m5 m6 x8 ");
	assert_false(recovering.is_behind);
	assert_int_equal(pages, 0);
	push_unref(missed[0]);
	push_unref(missed[1]);
}

static void
asks_again_for_one_that_left_before_it_was_told(void **state)
{
	struct push *missed;

	(void)state;
	add_source(1, false);
	client.socket.recovery = &recovering;
	assert_true(catch_up_new(&client, 4)); /* as it was when it left, unfinished */
	missed = client_push_new(&mount, (struct slice){ 0 }, "m6", 6, (struct slice){ 0 });
	catch_up_missed(ctx, &client.socket, &missed, 1);
	catch_up_run(ctx, &client);
	assert_true(paged_after == 4);
	catch_up_emit(paging, "a", 5, "", 0);
	live("x7", 7);
	catch_up_page_done(paging, CONVRO_OK, 0);
	run_posted();
	assert_string_equal(fake.heard, "a.1 m6 x7 ");
	push_unref(missed);
}

static void
numbers_what_it_tells_where_clients_come_back(void **state)
{
	(void)state;
	add_source(1, false);
	client.socket.recovery = &recovering;
	start(0);
	catch_up_emit(paging, "a", 1, "", 0);
	client.acks = true; /* then an acknowledgement takes the offset's place */
	catch_up_emit(paging, "b", 2, "", 0);
	catch_up_emit(paging, "note", 0, "", 0);
	assert_true(recovering.is_unfinished);
	add_source(2, true); /* the rest is how things are */
	catch_up_page_done(paging, CONVRO_OK, 0);
	assert_true(recovering.is_unfinished);
	run_posted();
	assert_true(recovering.told == 2 && recovering.told_acked == 2);
	assert_false(recovering.is_unfinished);
	assert_true(recovering.is_behind);
	catch_up_page_done(paging, CONVRO_OK, 0);
	run_posted();
	assert_string_equal(fake.heard, "a.1 b note.2 ");
	assert_false(recovering.is_behind);
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
		cmocka_unit_test_setup_teardown(
		    tells_one_that_has_come_back_what_it_missed_and_asks_no_source, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    asks_again_for_one_that_left_before_it_was_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    numbers_what_it_tells_where_clients_come_back, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
