/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open, incoming and accept of sessions on the fake core.
 */
#include "module_kit.h"

#include "dm_sessions.h"

#define OPEN       "/v1/dm/sessions/open"
#define INCOMING   "/v1/dm/sessions/incoming"
#define ACCEPT     "/v1/dm/sessions/accept"
#define DEVICE     "-6795153568590067960" /* the caller's, a1b2c3d4e5f60708 */
#define RESPONDER  "1234605616436508552"  /* 1122334455667788 */
#define SESSION_ID "-559038737"           /* deadbeef */
#define KEY        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define NOW        "1769862896000000"

/* The named members of an offer, and what follows them. */
#define OFFER(more)                                                                                \
	"{\"version\":1,\"initiatorDeviceId\":\"A1b2c3d4e5f60708\","                               \
	"\"responderDeviceId\":\"1122334455667788\",\"sessionId\":\"deadbeef\","                   \
	"\"ephemeralPublicKeyX25519\":\"" KEY "\",\"usedSignedPrekeyPublicKeyX25519\":\"" KEY      \
	"\"" more "}"
#define BODY(offer) "{\"peerUserId\":123,\"handshakeOffer\":" offer "}"
#define SHORT       BODY(OFFER(""))

static void
opens_a_session_and_tells_the_responder(void **state)
{
	struct kit *kit = *state;
	const struct convro_session_fact *fact;

	kit_rows(kit, DM_SESSIONS_OPEN, NULL, "41|123");
	assert_int_equal(kit_post(kit, OPEN, SHORT), 201);
	assert_string_equal(kit_trace(kit), "[dm_sessions.open_lock dm_sessions.open]");
	assert_string_equal(kit_body(kit),
	    "{\"ok\":true,\"sessionDbId\":41,\"sessionId\":\"deadbeef\",\"responderUserId\":123,"
	    "\"responderDeviceId\":\"1122334455667788\",\"state\":\"PENDING\"}");
	assert_string_equal(kit_args(kit, DM_SESSIONS_OPEN, 0),
	    DEVICE "|" RESPONDER "|123|" SESSION_ID "|" NOW "|16|" OFFER(""));
	assert_int_equal(kit_pushes(kit), 1);
	assert_string_equal(kit_push(kit, 0)->event, "dm.session.offer");
	assert_int_equal(kit_push(kit, 0)->device, 0x1122334455667788);
	assert_string_equal(kit_push(kit, 0)->json,
	    "{\"type\":\"dm.session.offer\",\"sessionDbId\":41,\"sessionId\":\"deadbeef\","
	    "\"state\":\"PENDING\",\"initiatorUserId\":7,\"initiatorDeviceId\":\"a1b2c3d4e5f60708\","
	    "\"handshakeOffer\":" OFFER("") ",\"createdAt\":\"2026-01-31T12:34:56.000Z\"}");
	fact = kit_fact(kit, "dm.session.opened", 0);
	assert_int_equal(fact->session, 41);
	assert_int_equal(fact->initiator_user, 7);
	assert_int_equal(fact->responder_user, 123);
	assert_int_equal(fact->session_id, (int32_t)0xdeadbeef);
}

static void
gives_opaque_members_back_in_their_order_with_equal_values(void **state)
{
	static const struct {
		const char *sent, *stored; /* NULL = the same */
	} cases[] = {
		{ ",\"z\":9223372036854775807,\"a\":-9223372036854775808", NULL },
		{ ",\"z\":[1,[2,{\"y\":[],\"x\":{}}],null,true,false,\"\"]", NULL },
		{ ",\"\xc5\xbc\xc3\xb3\xc5\x82w\":\"\xf0\x9f\x90\xa2\"", NULL },
		{ ", \"a\" : [ 1 , 2 ] ", ",\"a\":[1,2]" },
		{ ",\"a\":\"\\u017c\\ud83d\\udc22\\/\"", ",\"a\":\"\xc5\xbc\xf0\x9f\x90\xa2/\"" },
		{ ",\"a\":0.1,\"b\":1e300,\"c\":-2.5e-7", NULL },
		{ ",\"a\":\"\\\"\\\\\\n\\t\"", NULL },
		{ ",\"usedOneTimePrekeyId\":null", NULL },
	};
	struct kit *kit = *state;

	kit_rows(kit, DM_SESSIONS_OPEN, NULL, "41|123");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *expected = cases[i].stored != NULL ? cases[i].stored : cases[i].sent;
		char body[1000], offer[1000];
		const char *json;

		snprintf(body, sizeof(body), BODY(OFFER("%s")), cases[i].sent);
		snprintf(offer, sizeof(offer), "\"handshakeOffer\":" OFFER("%s") ",\"createdAt\"",
		    expected);
		assert_int_equal(kit_post(kit, OPEN, body), 201);
		json = kit_push(kit, (uint32_t)i)->json;
		/* Numbers may be spelled another way; then the values are compared. */
		if (strstr(json, offer) == NULL) {
			char a[1000], b[1000];

			snprintf(a, sizeof(a), "%s", kit_member_of(kit, json, "handshakeOffer"));
			snprintf(b, sizeof(b), OFFER("%s"), cases[i].sent);
			assert_string_equal(a, kit_member_of(kit, b, ""));
		}
	}
}

static void
names_what_is_wrong_with_an_offer(void **state)
{
	static const struct {
		const char *body;
		int status;
		const char *code;
	} cases[] = {
		{ "{}", 400, "INVALID_PEER" },
		{ "{\"peerUserId\":0}", 400, "INVALID_PEER" },
		{ "{\"peerUserId\":1.5}", 400, "INVALID_PEER" },
		{ "{\"peerUserId\":1}", 400, "INVALID_HANDSHAKE_OFFER" },
		{ BODY("[]"), 400, "INVALID_HANDSHAKE_OFFER" },
		{ BODY("{}"), 400, "INVALID_HANDSHAKE_OFFER" },
		{ "{\"peerUserId\":1,\"handshakeOffer\":{\"version\":2}}", 400,
		    "INVALID_HANDSHAKE_OFFER" },
		{ BODY(OFFER(",\"usedOneTimePrekeyId\":\"12\"")), 400, "INVALID_HANDSHAKE_OFFER" },
		{ BODY(OFFER(",\"version\":1")), 400, "INVALID_JSON" },
		{ BODY(OFFER(",\"a\":\"\\u0000\"")), 400, "INVALID_BODY" },
		{ BODY(OFFER(",\"a\":\"\\ud800\"")), 400, "INVALID_JSON" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(kit_post(*state, OPEN, cases[i].body), cases[i].status);
		assert_string_equal(kit_error(*state), cases[i].code);
	}
	assert_string_equal(kit_trace(*state), "");
}

static void
measures_an_offer_as_it_was_sent(void **state)
{
	size_t fixed = strlen(OFFER(",\"a\":\"\""));
	char *body = malloc(20000);

	kit_rows(*state, DM_SESSIONS_OPEN, NULL, "41|123");
	snprintf(body, 20000, BODY(OFFER(",\"a\":\"%0*d\"")), (int)(16384 - fixed), 0);
	assert_int_equal(kit_post(*state, OPEN, body), 201);
	snprintf(body, 20000, BODY(OFFER(",\"a\":\"%0*d\"")), (int)(16385 - fixed), 0);
	assert_int_equal(kit_post(*state, OPEN, body), 413);
	assert_string_equal(kit_error(*state), "HANDSHAKE_OFFER_TOO_LARGE");
	free(body);
}

static void
lets_a_device_speak_only_for_itself_and_not_to_itself(void **state)
{
	kit_caller(*state, 7, 0x1122334455667788, "241772", NULL);
	assert_int_equal(kit_post(*state, OPEN, SHORT), 403);
	assert_string_equal(kit_error(*state), "INITIATOR_DEVICE_MISMATCH");
	assert_int_equal(
	    kit_post(*state, OPEN,
		BODY("{\"version\":1,\"initiatorDeviceId\":\"1122334455667788\","
		     "\"responderDeviceId\":\"1122334455667788\",\"sessionId\":\"deadbeef\","
		     "\"ephemeralPublicKeyX25519\":\"" KEY
		     "\",\"usedSignedPrekeyPublicKeyX25519\":\"" KEY "\"}")),
	    400);
	assert_string_equal(kit_error(*state), "INVALID_PEER");
	assert_string_equal(kit_trace(*state), "");
}

static void
is_refused(const char *why, int status, const char *code)
{
	struct kit *kit = kit_new(convro_module_v1());

	assert_int_equal(kit_start(kit), CONVRO_OK);
	kit_rows(kit, DM_SESSIONS_OPEN_WHY, DEVICE "|" RESPONDER "|123|" SESSION_ID, why);
	assert_int_equal(kit_post(kit, OPEN, SHORT), status);
	assert_string_equal(kit_error(kit), code);
	assert_string_equal(kit_member(kit, "identical"), "");
	if (status == 429)
		assert_true(kit_retry_after(kit) >= 1);
	assert_int_equal(kit_pushes(kit), 0);
	kit_free(kit);
}

static void
says_why_no_session_was_opened(void **state)
{
	(void)state;
	is_refused("0|0|1|\\N|\\N|\\N", 404, "INITIATOR_DEVICE_NOT_FOUND");
	is_refused("1|0|1|\\N|\\N|\\N", 404, "RESPONDER_DEVICE_NOT_FOUND");
	is_refused("1|1|1|\\N|\\N|\\N", 409, "SESSION_ID_EXISTS");
	is_refused("1|1|0|\\N|\\N|\\N", 429, "TOO_MANY_PENDING_SESSIONS");
	is_refused("1|1|2|41|0|" OFFER(",\"a\":1"), 409, "SESSION_ID_EXISTS");
}

static void
recognises_a_repeated_offer_whatever_the_order_of_its_members(void **state)
{
	static const struct {
		const char *first, *repeated;
		bool same;
	} cases[] = {
		{ "", "", true },
		{ ",\"b\":[1,{\"x\":1,\"y\":2}],\"a\":1", ",\"a\":1.0,\"b\":[1,{\"y\":2,\"x\":1}]",
		    true },
		{ ",\"a\":\"\xc5\xbc\"", ",\"a\":\"\\u017c\"", true },
		{ ",\"a\":1", ",\"a\":\"1\"", false },
		{ ",\"a\":[1,2]", ",\"a\":[2,1]", false },
		{ ",\"a\":null", "", false },
		{ ",\"a\":9223372036854775807", ",\"a\":9223372036854775806", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kit *kit = kit_new(convro_module_v1());
		char row[1000], body[1000];

		assert_int_equal(kit_start(kit), CONVRO_OK);
		snprintf(
		    row, sizeof(row), "1|1|2|41|%d|" OFFER("%s"), (int)(i % 2), cases[i].first);
		snprintf(body, sizeof(body), BODY(OFFER("%s")), cases[i].repeated);
		kit_rows(kit, DM_SESSIONS_OPEN_WHY, NULL, row);
		assert_int_equal(kit_post(kit, OPEN, body), 409);
		assert_string_equal(kit_error(kit), "SESSION_ID_EXISTS");
		assert_string_equal(kit_member(kit, "ok"), "false");
		assert_string_equal(kit_member(kit, "identical"), cases[i].same ? "true" : "");
		assert_string_equal(kit_member(kit, "sessionDbId"), cases[i].same ? "41" : "");
		if (cases[i].same)
			assert_string_equal(
			    kit_member(kit, "state"), i % 2 == 0 ? "PENDING" : "ACTIVE");
		kit_free(kit);
	}
}

static void
lists_offers_that_wait(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, DM_SESSIONS_INCOMING, DEVICE "|0|100",
	    "41|" SESSION_ID "|55|-1|{\"version\":1}|" NOW "\n42|1|56|2|{}|" NOW);
	kit_rows(kit, DM_SESSIONS_INCOMING, DEVICE "|42|200", "");
	assert_int_equal(kit_get(kit, INCOMING), 200);
	assert_string_equal(kit_body(kit),
	    "{\"sessions\":[{\"sessionDbId\":41,\"sessionId\":\"deadbeef\",\"initiatorUserId\":55,"
	    "\"initiatorDeviceId\":\"ffffffffffffffff\",\"handshakeOffer\":{\"version\":1},"
	    "\"createdAt\":\"2026-01-31T12:34:56.000Z\"},"
	    "{\"sessionDbId\":42,\"sessionId\":\"00000001\",\"initiatorUserId\":56,"
	    "\"initiatorDeviceId\":\"0000000000000002\",\"handshakeOffer\":{},"
	    "\"createdAt\":\"2026-01-31T12:34:56.000Z\"}]}");
	assert_int_equal(kit_get(kit, INCOMING "?after_id=42&limit=5000"), 200);
	assert_string_equal(kit_body(kit), "{\"sessions\":[]}");
	assert_int_equal(kit_get(kit, INCOMING "?limit=0"), 400);
	assert_int_equal(kit_get(kit, INCOMING "?limit=x"), 400);
}

static void
tells_pending_offers_to_a_device_that_resumes(void **state)
{
	struct kit *kit = *state;
	char *page = malloc(20000);
	size_t len = 0;

	for (int i = 1; i <= 100; i++)
		len +=
		    (size_t)snprintf(page + len, 100, "%s%d|1|55|2|{}|" NOW, i > 1 ? "\n" : "", i);
	kit_rows(kit, DM_SESSIONS_INCOMING, "9|0|100", page);
	kit_rows(kit, DM_SESSIONS_INCOMING, "9|100|100", "101|1|55|2|{}|" NOW);
	free(page);
	assert_int_equal(kit_connect(kit, 9, -1), CONVRO_OK); /* live only */
	assert_int_equal(kit_pushes(kit), 0);
	assert_int_equal(kit_connect(kit, 9, 0), CONVRO_OK);
	assert_int_equal(kit_pushes(kit), 101);
	assert_string_equal(kit_member_of(kit, kit_push(kit, 100)->json, "sessionDbId"), "101");
	assert_string_equal(kit_push(kit, 100)->event, "dm.session.offer");
	kit_fails(kit, DM_SESSIONS_INCOMING, CONVRO_TIMEOUT);
	assert_int_equal(kit_connect(kit, 10, 0), CONVRO_TIMEOUT);
}

static void
accepts_once_and_tells_the_initiator(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, DM_SESSIONS_ACCEPT, "41|" DEVICE "|" NOW, SESSION_ID "|-1|7");
	kit_rows(kit, DM_SESSIONS_ACCEPT, "41|" DEVICE "|" NOW, "");
	kit_rows(kit, DM_SESSIONS_SESSION, "41|" DEVICE, SESSION_ID "|1|1");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(kit_post(kit, ACCEPT, "{\"sessionDbId\":\"41\"}"), 200);
		assert_string_equal(kit_body(kit),
		    "{\"ok\":true,\"sessionDbId\":41,\"sessionId\":\"deadbeef\",\"state\":\"ACTIVE\"}");
	}
	assert_int_equal(kit_facts(kit, "dm.session.accepted"), 1);
	assert_int_equal(kit_pushes(kit), 1);
	assert_int_equal(kit_push(kit, 0)->device, -1);
	assert_string_equal(kit_push(kit, 0)->event, "dm.session.accept");
	assert_string_equal(kit_push(kit, 0)->json,
	    "{\"sessionDbId\":41,\"sessionId\":\"deadbeef\",\"state\":\"ACTIVE\","
	    "\"responderUserId\":7,\"responderDeviceId\":\"a1b2c3d4e5f60708\"}");
}

static void
lets_only_the_responder_accept(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, DM_SESSIONS_SESSION, "42|" DEVICE, SESSION_ID "|0|0");
	assert_int_equal(kit_post(kit, ACCEPT, "{\"sessionDbId\":42}"), 403);
	assert_string_equal(kit_error(kit), "NOT_SESSION_RESPONDER");
	assert_int_equal(kit_post(kit, ACCEPT, "{\"sessionDbId\":43}"), 404);
	assert_string_equal(kit_error(kit), "SESSION_NOT_FOUND");
	assert_int_equal(kit_post(kit, ACCEPT, "{}"), 400);
	assert_string_equal(kit_error(kit), "INVALID_BODY");
	assert_string_equal(kit_field(kit), "sessionDbId");
	assert_int_equal(kit_pushes(kit), 0);
}

static void
stores_what_it_cannot_push_and_answers_whatever_allocation_fails(void **state)
{
	struct kit *kit = *state;
	int status = 0;

	kit_rows(kit, DM_SESSIONS_OPEN, NULL, "41|123");
	for (long left = 0; status != 201; left++) {
		assert_true(left < 20);
		kit_memory(kit, left);
		status = kit_post(kit, OPEN, SHORT);
		kit_memory(kit, -1);
		if (status != 201)
			assert_int_equal(status, 503);
	}
	assert_int_equal(kit_pushes(kit), 0); /* memory was just enough to store and answer */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_TEST(opens_a_session_and_tells_the_responder),
		KIT_TEST(gives_opaque_members_back_in_their_order_with_equal_values),
		KIT_TEST(names_what_is_wrong_with_an_offer),
		KIT_TEST(measures_an_offer_as_it_was_sent),
		KIT_TEST(lets_a_device_speak_only_for_itself_and_not_to_itself),
		cmocka_unit_test(says_why_no_session_was_opened),
		cmocka_unit_test(recognises_a_repeated_offer_whatever_the_order_of_its_members),
		KIT_TEST(lists_offers_that_wait),
		KIT_TEST(tells_pending_offers_to_a_device_that_resumes),
		KIT_TEST(accepts_once_and_tells_the_initiator),
		KIT_TEST(lets_only_the_responder_accept),
		KIT_TEST(stores_what_it_cannot_push_and_answers_whatever_allocation_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
