/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What modules register with the service: the order of sources, names of events,
 * and the way from an ack id back to what it acknowledges.
 */
#include <stdbool.h>
#include <stdlib.h>

/* The module links against nothing of ours, so its code is compiled in. */
#include "../../modules/socketio/packet.c"
#include "../../modules/socketio/service.c"
#include "../../modules/socketio/text.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

static void
sources_come_by_order_then_as_registered(void **state)
{
	static const int32_t orders[] = { 20, 10, 30, 10, -5 };
	static const int32_t sorted[] = { -5, 10, 10, 20, 30 };
	struct service service = { 0 };
	int selves[5];

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct convro_realtime_source source = {
			.size = sizeof(source), .order = orders[i], .self = &selves[i]
		};

		service_add_source(&service, &selves[i], &source);
	}
	assert_int_equal(service.source_count, 5);
	for (int i = 0; i < 5; i++)
		assert_int_equal(service.sources[i].source.order, sorted[i]);
	assert_ptr_equal(service.sources[1].source.self, &selves[1]);
	assert_ptr_equal(service.sources[2].source.self, &selves[3]);
	assert_ptr_equal(service.sources[4].module, &selves[2]);
	assert_false(service.failed);
	service_fini(&service);
}

static void
a_source_of_older_headers_is_filled_with_zeros(void **state)
{
	struct service service = { 0 };
	struct convro_realtime_source source = { .order = 4, .always = 1 };

	(void)state;
	source.size = offsetof(struct convro_realtime_source, always);
	service_add_source(&service, NULL, &source);
	assert_int_equal(service.sources[0].source.order, 4);
	assert_int_equal(service.sources[0].source.always, 0);
	service_fini(&service);
}

static void
named(const char *words, const char *event, const char *expected)
{
	struct service service = { .event_names = words };

	assert_true(slice_equal(service_event_name(&service, event), slice_of(expected)));
}

static void
events_are_called_what_the_option_says(void **state)
{
	(void)state;
	named("", "dm.message", "dm.message");
	named("dm.message=message", "dm.message", "message");
	named("dm.message=message", "dm.receipt", "dm.receipt");
	named("dm.message=message", "dm.messag", "dm.messag");
	named("  a=b\tdm.message=m=n  c=d ", "dm.message", "m=n");
	named("a=b c=d", "c", "d");
}

static void
says_what_is_wrong_with_names(void **state)
{
	(void)state;
	assert_null(service_check_names(""));
	assert_null(service_check_names("a=b c=d"));
	assert_non_null(service_check_names("a"));
	assert_non_null(service_check_names("a=b c"));
	assert_non_null(service_check_names("=b"));
	assert_non_null(service_check_names("a="));
	assert_non_null(service_check_names("a=disconnect"));
	assert_non_null(service_check_names("a=\xff"));
}

static void
acknowledged(struct convro_ctx *ctx, void *self, int64_t device, int64_t cursor)
{
	(void)ctx;
	(void)self;
	(void)device;
	(void)cursor;
}

static void
an_ack_id_leads_back_to_its_event_and_cursor(void **state)
{
	static const int64_t cursors[] = { 1, 2, 77, INT64_C(1) << 50 };
	struct service service = { 0 };
	uint64_t id = 0;
	int64_t cursor;

	(void)state;
	assert_int_equal(service_handler(&service, "a"), 0);
	assert_false(service_ack_id(&service, 0, 5, &id));
	assert_null(service_ack(&service, 5, &cursor));
	service_add_handler(&service, NULL, "a", acknowledged, NULL);
	service_add_handler(&service, NULL, "b", acknowledged, NULL);
	service_add_handler(&service, NULL, "c", acknowledged, NULL);
	assert_int_equal(service_handler(&service, "c"), 3);
	assert_int_equal(service_handler(&service, "d"), 0);
	for (size_t i = 0; i < sizeof(cursors) / sizeof(cursors[0]); i++) {
		for (uint32_t handler = 1; handler <= 3; handler++) {
			assert_true(service_ack_id(&service, handler, cursors[i], &id));
			assert_true(id <= PACKET_MAX_ID);
			assert_ptr_equal(
			    service_ack(&service, id, &cursor), &service.handlers[handler - 1]);
			assert_true(cursor == cursors[i]);
		}
	}
	service_fini(&service);
}

static void
an_ack_id_that_no_client_could_hold_is_not_given(void **state)
{
	struct service service = { 0 };
	uint64_t id;
	int64_t cursor;

	(void)state;
	service_add_handler(&service, NULL, "a", acknowledged, NULL);
	assert_true(service_ack_id(&service, 1, PACKET_MAX_ID - 1, &id));
	assert_true(id == PACKET_MAX_ID - 1);
	assert_false(service_ack_id(&service, 1, PACKET_MAX_ID, &id));
	assert_false(service_ack_id(&service, 1, INT64_MAX, &id));
	assert_false(service_ack_id(&service, 1, 0, &id));
	assert_false(service_ack_id(&service, 1, -1, &id));
	assert_false(service_ack_id(&service, 2, 1, &id));
	assert_null(service_ack(&service, 0, &cursor));
	service_fini(&service);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_come_by_order_then_as_registered),
		cmocka_unit_test(a_source_of_older_headers_is_filled_with_zeros),
		cmocka_unit_test(events_are_called_what_the_option_says),
		cmocka_unit_test(says_what_is_wrong_with_names),
		cmocka_unit_test(an_ack_id_leads_back_to_its_event_and_cursor),
		cmocka_unit_test(an_ack_id_that_no_client_could_hold_is_not_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
