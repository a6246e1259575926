/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dm_typing beside a realtime service that is too old for it.
 */
#include "module_kit.h"

static void
on_event(struct convro_ctx *ctx, const char *event, convro_client_event *function, void *self)
{
	(void)ctx;
	(void)function;
	(void)self;
	assert_string_equal(event, "dm.typing");
}

static enum convro_status
start_beside(struct kit *kit, struct convro_realtime *realtime)
{
	kit_service(kit, "realtime.v1", realtime);
	return kit_start(kit);
}

static void
says_why_it_does_not_start(void **state)
{
	struct convro_realtime old = { .size = offsetof(struct convro_realtime, answer) };
	struct kit *kit = kit_new(convro_module_v1());

	(void)state;
	assert_int_equal(start_beside(kit, &old), CONVRO_FAILED);
	assert_true(kit_logged(kit, "the module socketio is too old"));
	kit_free(kit);
}

static void
needs_no_more_than_it_uses(void **state)
{
	struct convro_realtime enough = { .size = offsetof(struct convro_realtime, has_members),
		.on_event = on_event };
	struct kit *kit = kit_new(convro_module_v1());

	(void)state;
	assert_int_equal(start_beside(kit, &enough), CONVRO_OK);
	kit_free(kit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_why_it_does_not_start),
		cmocka_unit_test(needs_no_more_than_it_uses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
