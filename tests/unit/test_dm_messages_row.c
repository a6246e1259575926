/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stored form of a clientMessageId, byte for byte there and back, and the
 * message row.
 */
#include "module_kit.h"

#include "base/hex.h"
#include "dm_messages.h"

#define UUID "11111111-2222-3333-4444-55555555555f"

static void
packs(const char *text, const char *expected_hex)
{
	uint8_t out[CMID_MAX];
	char hex[2 * CMID_MAX + 1];
	size_t len = message_id_pack(text, strlen(text), out);

	hex_encode(out, len, hex);
	hex[2 * len] = '\0';
	assert_string_equal(hex, expected_hex);
}

static void
packs_only_canonical_uuids_into_bytes(void **state)
{
	(void)state;
	packs(UUID, "0011111111222233334444"
		    "55555555555f");
	packs("a", "0161");
	packs("00000000-0000-0000-0000-000000000000", "0000000000000000000000000000000000");
	packs("ffffffff-ffff-ffff-ffff-ffffffffffff", "00ffffffffffffffffffffffffffffffff");
	packs("11111111-2222-3333-4444-55555555555F",
	    "0131313131313131312d323232322d333333332d343434342d353535353535353535353546");
	packs("111111112222333344445555555555550000",
	    "01313131313131313132323232333333333434343435353535353535353535353530303030");
	packs("1111111-12222-3333-4444-55555555555f",
	    "01313131313131312d31323232322d333333332d343434342d353535353535353535353566");
	packs("11111111-2222-3333-4444-55555555555g",
	    "0131313131313131312d323232322d333333332d343434342d353535353535353535353567");
}

struct put {
	const char *text;
	char json[600];
};

static void
put(struct convro_ctx *ctx, void *arg)
{
	struct put *out = arg;
	struct convro_json *json = convro->json->make(ctx);
	uint8_t packed[CMID_MAX];
	size_t len = message_id_pack(out->text, out->text != NULL ? strlen(out->text) : 0, packed);
	const char *text;

	convro->json->open_object(json, NULL);
	message_id_put(json, packed, len);
	convro->json->close_object(json);
	text = convro->json->text(json, &len);
	snprintf(out->json, sizeof(out->json), "%s", text);
}

static void
gives_ids_back_byte_for_byte(void **state)
{
	static const char *const ids[] = { UUID, "11111111-2222-3333-4444-55555555555F",
		"{11111111-2222-3333-4444-55555555555f}", "a", "0", " ", "\xc5\xbc\xf0\x9f\x90\xa2",
		"a\"b\\c\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct put out = { .text = ids[i] };

		kit_run(*state, put, &out);
		assert_string_equal(kit_member_of(*state, out.json, "clientMessageId"), ids[i]);
	}
}

static void
makes_an_id_of_its_own_that_is_never_shown(void **state)
{
	uint8_t first[CMID_MAX], second[CMID_MAX];
	struct put out = { .text = NULL };

	assert_int_equal(message_id_pack(NULL, 0, first), 17);
	assert_int_equal(message_id_pack(NULL, 0, second), 17);
	assert_int_equal(first[0], 2);
	assert_memory_not_equal(first, second, 17);
	kit_run(*state, put, &out);
	assert_string_equal(out.json, "{\"clientMessageId\":null}");
}

static void
write_row(struct convro_ctx *ctx, void *arg)
{
	static const uint8_t cmid[] = { 1, 'x' }, data[] = { 0, 0xff };
	const struct row row = { .id = 9007199254740991,
		.server_us = KIT_NOW_US + 999,
		.session_id = -1,
		.version = 3,
		.sender_user = 55,
		.recipient_user = 123,
		.sender_device = -1,
		.recipient_device = 2,
		.status = CONVRO_READ,
		.cmid = cmid,
		.cmid_len = sizeof(cmid),
		.ciphertext = data,
		.ciphertext_len = 2,
		.tag = data,
		.tag_len = 1 };
	struct put *out = arg;
	size_t len;

	snprintf(out->json, sizeof(out->json), "%s", row_json(ctx, &row, &len));
	assert_int_equal(len, strlen(out->json));
}

static void
shows_a_row_with_the_types_that_clients_require(void **state)
{
	struct put out = { .text = NULL };

	kit_run(*state, write_row, &out);
	assert_string_equal(out.json,
	    "{\"id\":9007199254740991,\"messageId\":9007199254740991,"
	    "\"serverMessageId\":\"9007199254740991\",\"c6pVersion\":3,\"sessionId\":\"ffffffff\","
	    "\"senderUserId\":\"55\",\"recipientUserId\":\"123\",\"senderDeviceId\":\"ffffffffffffffff\","
	    "\"recipientDeviceId\":\"0000000000000002\",\"clientMessageId\":\"x\","
	    "\"clientTimestamp\":null,\"serverTimestamp\":\"2026-01-31T12:34:56.000Z\","
	    "\"deliveryState\":\"READ\",\"ciphertext\":\"AP8=\",\"authTag\":\"AA==\"}");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packs_only_canonical_uuids_into_bytes),
		KIT_TEST(gives_ids_back_byte_for_byte),
		KIT_TEST(makes_an_id_of_its_own_that_is_never_shown),
		KIT_TEST(shows_a_row_with_the_types_that_clients_require),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
