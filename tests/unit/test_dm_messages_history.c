/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages on the fake core: history, conversations, and what a device missed.
 */
#include "module_kit.h"

#include "dm_messages.h"

#define HISTORY "/v1/dm/messages/history?sessionId=deadbeef"
#define LIST    "/v1/dm/messages/conversations"
#define DEVICE  "-6795153568590067960" /* the caller's, a1b2c3d4e5f60708 */
#define SID     "-559038737"
#define LAST    "9223372036854775807"
#define NOW     "1769862896000000"

static char text[100000];

/* Rows of messages with the ids from..to (downwards when from > to), sent by the initiator when
 * even. */
static const char *
rows(int from, int to, const char *behind)
{
	int step = from <= to ? 1 : -1;
	size_t len = 0;

	for (int id = from;; id += step) {
		len += (size_t)snprintf(text + len, 200, "%s%d|" NOW "|\\N|1|%d|0161|00|01|\\N%s",
		    id != from ? "\n" : "", id, id % 2, behind);
		if (id == to)
			return text;
	}
}

static int
start(void **state)
{
	(void)start_module(state);
	/* session state role users devices: the caller is the initiator */
	kit_rows(*state, DM_MESSAGES_HEAD, DEVICE "|" SID, "41|1|0|7|55|" DEVICE "|-1");
	return 0;
}

static const char *
ids(struct kit *kit)
{
	static char out[2000];
	size_t len = 0;
	char path[40];

	out[0] = '\0';
	for (int i = 0; i < 200; i++) {
		const char *id;

		snprintf(path, sizeof(path), "messages.%d.id", i);
		id = kit_member(kit, path);
		if (*id == '\0')
			break;
		len += (size_t)snprintf(out + len, 20, "%s ", id);
	}
	return out;
}

static void
gives_the_newest_page_ascending(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, DM_MESSAGES_BEFORE, DEVICE "|" SID "|" LAST "|4|0", rows(20, 17, ""));
	kit_rows(kit, DM_MESSAGES_BEFORE, DEVICE "|" SID "|18|4|0", rows(17, 16, ""));
	assert_int_equal(kit_get(kit, HISTORY "&limit=3"), 200);
	assert_string_equal(kit_trace(kit), "[dm_messages.head dm_messages.before]");
	assert_string_equal(kit_member(kit, "sessionId"), "deadbeef");
	assert_string_equal(ids(kit), "18 19 20 ");
	assert_string_equal(kit_member(kit, "hasMore"), "true");
	assert_string_equal(kit_member(kit, "nextAfterId"), "20");
	assert_int_equal(kit_get(kit, HISTORY "&limit=3&beforeId=18"), 200);
	assert_string_equal(ids(kit), "16 17 ");
	assert_string_equal(kit_member(kit, "hasMore"), "false");
	assert_string_equal(kit_member(kit, "nextAfterId"), "17");
}

static void
pages_forward_by_incoming_rows(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, DM_MESSAGES_AFTER, DEVICE "|" SID "|7|4|1", rows(8, 11, ""));
	kit_rows(kit, DM_MESSAGES_AFTER, DEVICE "|" SID "|10|4|1", rows(11, 11, ""));
	kit_rows(kit, DM_MESSAGES_AFTER, DEVICE "|" SID "|11|4|1", "");
	assert_int_equal(kit_get(kit, HISTORY "&limit=3&after_id=7"), 200);
	assert_string_equal(ids(kit), "8 9 10 ");
	assert_string_equal(kit_member(kit, "hasMore"), "true");
	assert_string_equal(kit_member(kit, "nextAfterId"), "10");
	assert_int_equal(kit_get(kit, HISTORY "&limit=3&afterId=10"), 200);
	assert_string_equal(kit_member(kit, "nextAfterId"), "11");
	assert_int_equal(kit_get(kit, HISTORY "&limit=3&afterId=11"), 200);
	assert_string_equal(ids(kit), "");
	assert_string_equal(kit_member(kit, "hasMore"), "false");
	assert_string_equal(kit_member(kit, "nextAfterId"), "11"); /* the one that was given */
}

static void
has_no_next_id_without_rows_or_a_given_one(void **state)
{
	assert_int_equal(kit_get(*state, HISTORY), 200);
	assert_string_equal(kit_body(*state),
	    "{\"sessionId\":\"deadbeef\",\"messages\":[],\"hasMore\":false,\"nextAfterId\":null}");
	assert_string_equal(
	    kit_args(*state, DM_MESSAGES_BEFORE, 0), DEVICE "|" SID "|" LAST "|51|0");
	assert_int_equal(kit_get(*state, HISTORY "&beforeId=5"), 200);
	assert_string_equal(kit_member(*state, "nextAfterId"), "null");
}

static void
follows_the_direction_that_is_asked_for(void **state)
{
	struct kit *kit = *state;

	assert_int_equal(kit_get(kit, HISTORY "&afterId=0&direction=all"), 200);
	assert_string_equal(kit_args(kit, DM_MESSAGES_AFTER, 0), DEVICE "|" SID "|0|51|0");
	assert_int_equal(kit_get(kit, HISTORY "&afterId=0"), 200);
	assert_string_equal(kit_args(kit, DM_MESSAGES_AFTER, 1), DEVICE "|" SID "|0|51|1");
	assert_int_equal(kit_get(kit, HISTORY "&beforeId=9&direction=incoming"), 200);
	assert_string_equal(kit_args(kit, DM_MESSAGES_BEFORE, 0), DEVICE "|" SID "|9|51|1");
	assert_int_equal(kit_get(kit, HISTORY "&limit=201"), 200);
	assert_string_equal(kit_args(kit, DM_MESSAGES_BEFORE, 1), DEVICE "|" SID "|" LAST "|201|0");
}

static void
shows_who_sent_what_by_the_direction(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, DM_MESSAGES_AFTER, NULL, rows(8, 9, ""));
	assert_int_equal(kit_get(kit, HISTORY "&afterId=0&direction=all"), 200);
	assert_string_equal(kit_member(kit, "messages.0.senderUserId"), "7");
	assert_string_equal(kit_member(kit, "messages.0.senderDeviceId"), "a1b2c3d4e5f60708");
	assert_string_equal(kit_member(kit, "messages.0.recipientDeviceId"), "ffffffffffffffff");
	assert_string_equal(kit_member(kit, "messages.1.senderUserId"), "55");
	assert_string_equal(kit_member(kit, "messages.1.recipientUserId"), "7");
	assert_string_equal(kit_member(kit, "messages.1.senderDeviceId"), "ffffffffffffffff");
	assert_string_equal(kit_member(kit, "messages.1.deliveryState"), "PENDING");
}

static void
refuses_a_malformed_query_and_a_foreign_session(void **state)
{
	static const char *const queries[] = { "&beforeId=5&afterId=6", "&limit=0", "&limit=-1",
		"&limit=1.5", "&direction=up", "&afterId=x", "&afterId=1&after_id=2",
		"&session_id=1", "&session_id=deadbeee", "&afterId=1&afterId=1" };
	char path[200];

	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		snprintf(path, sizeof(path), HISTORY "%s", queries[i]);
		assert_int_equal(kit_get(*state, path), 400);
		assert_string_equal(kit_error(*state), "INVALID_QUERY");
	}
	assert_int_equal(kit_get(*state, "/v1/dm/messages/history"), 400);
	assert_int_equal(kit_get(*state, "/v1/dm/messages/history?session_id=00000001"), 404);
	assert_string_equal(kit_error(*state), "SESSION_NOT_FOUND");
	kit_fails(*state, DM_MESSAGES_BEFORE, CONVRO_TIMEOUT);
	assert_int_equal(kit_get(*state, HISTORY), 503);
}

/* ---- conversations ---- */

#define NONE "\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N|\\N" /* no last message */

static void
lists_conversations_with_peer_and_last_message(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, DM_MESSAGES_CONVERSATIONS, DEVICE "|" LAST "|" LAST "|51",
	    "41|" SID "|1|" NOW "|55|-1|3|241772|Ala|\\N|91|" NOW "|" NOW "|1|1|0161|00|01|1|1\n"
	    "40|1|0|1000000|56|2|0|\\N|\\N|\\N|" NONE "|0");
	assert_int_equal(kit_get(kit, LIST), 200);
	assert_string_equal(kit_body(kit),
	    "{\"conversations\":[{\"sessionDbId\":41,\"sessionId\":\"deadbeef\",\"state\":\"ACTIVE\","
	    "\"peerUserId\":\"55\",\"peerDeviceId\":\"ffffffffffffffff\","
	    "\"peerConvroNumber\":\"+99241772\",\"peerUsername\":\"Ala\",\"peerFullName\":null,"
	    "\"unreadCount\":3,\"lastActivityAt\":\"2026-01-31T12:34:56.000Z\","
	    "\"lastMessage\":{\"id\":91,\"messageId\":91,\"serverMessageId\":\"91\",\"c6pVersion\":1,"
	    "\"sessionId\":\"deadbeef\",\"senderUserId\":\"7\",\"recipientUserId\":\"55\","
	    "\"senderDeviceId\":\"a1b2c3d4e5f60708\",\"recipientDeviceId\":\"ffffffffffffffff\","
	    "\"clientMessageId\":\"a\",\"clientTimestamp\":\"2026-01-31T12:34:56.000Z\","
	    "\"serverTimestamp\":\"2026-01-31T12:34:56.000Z\",\"deliveryState\":\"DELIVERED\","
	    "\"ciphertext\":\"AQ==\",\"authTag\":\"AA==\"}},"
	    "{\"sessionDbId\":40,\"sessionId\":\"00000001\",\"state\":\"PENDING\",\"peerUserId\":\"56\","
	    "\"peerDeviceId\":\"0000000000000002\",\"peerConvroNumber\":null,\"peerUsername\":null,"
	    "\"peerFullName\":null,\"unreadCount\":0,\"lastActivityAt\":\"1970-01-01T00:00:01.000Z\","
	    "\"lastMessage\":null}],\"nextCursor\":null}");
}

static void
gives_a_cursor_that_it_takes(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, DM_MESSAGES_CONVERSATIONS, DEVICE "|" LAST "|" LAST "|2",
	    "41|1|1|" NOW "|55|2|0|\\N|\\N|\\N|" NONE "|0\n"
	    "40|2|1|" NOW "|55|2|0|\\N|\\N|\\N|" NONE "|0");
	kit_rows(kit, DM_MESSAGES_CONVERSATIONS, DEVICE "|" NOW "|41|2",
	    "40|2|1|" NOW "|55|2|0|\\N|\\N|\\N|" NONE "|0");
	assert_int_equal(kit_get(kit, "/v1/dm/conversations?limit=1"), 200);
	assert_string_equal(kit_member(kit, "nextCursor"), NOW "-41");
	assert_string_equal(kit_member(kit, "conversations.1"), "");
	assert_int_equal(kit_get(kit, LIST "?limit=1&cursor=" NOW "-41"), 200);
	assert_string_equal(kit_member(kit, "conversations.0.sessionDbId"), "40");
	assert_string_equal(kit_member(kit, "nextCursor"), "null");
}

static void
refuses_any_other_cursor(void **state)
{
	static const char *const cursors[] = { "", "-", "1", "1-", "-1", "1-2-3", "1-2x", "x1-2",
		"1--2", "%201-2", "1%2B-2", "9223372036854775808-1", "1-9999999999999999999",
		"00000000000000000000000000000000000000000000000001-2" };
	char path[200];

	for (size_t i = 0; i < sizeof(cursors) / sizeof(cursors[0]); i++) {
		snprintf(path, sizeof(path), LIST "?cursor=%s", cursors[i]);
		assert_int_equal(kit_get(*state, path), 400);
		assert_string_equal(kit_error(*state), "INVALID_QUERY");
		assert_string_equal(kit_field(*state), "cursor");
	}
	assert_string_equal(kit_trace(*state), "");
}

/* ---- what a device missed ---- */

#define SIDES "|" SID "|7|55|" DEVICE "|-1" /* behind a row of catch_up */

static void
tells_what_was_missed_page_by_page(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, DM_MESSAGES_CATCH_UP, "-1|5|200", rows(6, 205, SIDES));
	kit_rows(kit, DM_MESSAGES_CATCH_UP, "-1|205|200", rows(207, 208, SIDES));
	assert_int_equal(kit_connect(kit, -1, -1), CONVRO_OK); /* live only */
	assert_int_equal(kit_pushes(kit), 0);
	assert_int_equal(kit_connect(kit, -1, 5), CONVRO_OK);
	assert_int_equal(kit_pushes(kit), 202);
	assert_int_equal(kit_push(kit, 0)->cursor, 6);
	assert_int_equal(kit_push(kit, 199)->cursor, 205);
	assert_int_equal(kit_push(kit, 201)->cursor, 208);
	assert_string_equal(kit_push(kit, 0)->event, "dm.message");
	assert_string_equal(
	    kit_member_of(kit, kit_push(kit, 0)->json, "recipientDeviceId"), "ffffffffffffffff");
	assert_string_equal(kit_member_of(kit, kit_push(kit, 0)->json, "sessionId"), "deadbeef");
	assert_int_equal(kit_ran(kit, DM_MESSAGES_CATCH_UP), 2);
}

static void
asks_once_more_after_a_full_last_page(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, DM_MESSAGES_CATCH_UP, "-1|0|200", rows(1, 200, SIDES));
	assert_int_equal(kit_connect(kit, -1, 0), CONVRO_OK);
	assert_int_equal(kit_ran(kit, DM_MESSAGES_CATCH_UP), 2);
	assert_int_equal(kit_pushes(kit), 200);
}

static void
ends_the_connection_when_it_cannot_go_on(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, DM_MESSAGES_CATCH_UP, "-1|0|200", rows(1, 3, SIDES));
	kit_memory(kit, 0);
	assert_int_equal(kit_connect(kit, -1, 0), CONVRO_NO_MEMORY);
	kit_memory(kit, 2); /* the page's state and one row */
	assert_int_equal(kit_connect(kit, -1, 0), CONVRO_NO_MEMORY);
	assert_int_equal(kit_pushes(kit), 1);
	kit_memory(kit, -1);
	kit_fails(kit, DM_MESSAGES_CATCH_UP, CONVRO_OVERLOAD);
	assert_int_equal(kit_connect(kit, 8, 0), CONVRO_OVERLOAD);
}

#define TEST(function)                                                                             \
	{                                                                                          \
#function, function, start, stop_module, NULL                                      \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gives_the_newest_page_ascending),
		TEST(pages_forward_by_incoming_rows),
		TEST(has_no_next_id_without_rows_or_a_given_one),
		TEST(follows_the_direction_that_is_asked_for),
		TEST(shows_who_sent_what_by_the_direction),
		TEST(refuses_a_malformed_query_and_a_foreign_session),
		TEST(lists_conversations_with_peer_and_last_message),
		TEST(gives_a_cursor_that_it_takes),
		TEST(refuses_any_other_cursor),
		TEST(tells_what_was_missed_page_by_page),
		TEST(asks_once_more_after_a_full_last_page),
		TEST(ends_the_connection_when_it_cannot_go_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
