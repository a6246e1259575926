/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket.IO packets: parsing, writing, and the collecting of attachments.
 */
#include <stdbool.h>
#include <stdlib.h>

static unsigned left = 1000; /* allocations that still succeed */

static bool
is_refused(void)
{
	if (left == 0)
		return true;
	left--;
	return false;
}

static void *
rationed_malloc(size_t size)
{
	return is_refused() ? NULL : malloc(size);
}

static void *
rationed_calloc(size_t count, size_t size)
{
	return is_refused() ? NULL : calloc(count, size);
}

#define malloc rationed_malloc
#define calloc rationed_calloc
/* The module links against nothing of ours, so its code is compiled in. */
#include "../../modules/socketio/assembly.c"
#include "../../modules/socketio/packet.c"
#include "../../modules/socketio/packet_write.c"
#include "../../modules/socketio/text.c"
#undef malloc
#undef calloc

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

/* Compares what was parsed, as "type attachments namespace id json". */
static void
parses(const char *text, const char *expected)
{
	size_t len = strlen(text);
	char *data = malloc(len > 0 ? len : 1), heard[1000];
	struct packet packet;

	memcpy(data, text, len); /* without a NUL, so that a sanitizer sees a step outside */
	assert_null(packet_parse(data, len, &packet));
	snprintf(heard, sizeof(heard), "%d %u %.*s %.*s %.*s", (int)packet.type, packet.attachments,
	    (int)packet.namespace.len, packet.namespace.data, (int)packet.id.len, packet.id.data,
	    (int)packet.json.len, packet.json.data);
	assert_string_equal(heard, expected);
	free(data);
}

static void
refuses(const char *text, const char *why)
{
	size_t len = strlen(text);
	char *data = malloc(len > 0 ? len : 1);
	struct packet packet;
	const char *said;

	memcpy(data, text, len);
	said = packet_parse(data, len, &packet);
	free(data);
	assert_non_null(said);
	assert_string_equal(said, why);
}

static void
parses_what_clients_send(void **state)
{
	(void)state;
	parses("0", "0 0 /  ");
	parses("0{\"token\":\"123\"}", "0 0 /  {\"token\":\"123\"}");
	parses("0/admin,", "0 0 /admin  ");
	parses("0/admin,{\"token\":\"123\"}", "0 0 /admin  {\"token\":\"123\"}");
	parses("1", "1 0 /  ");
	parses("1/admin,", "1 0 /admin  ");
	parses("2[\"hello\",1]", "2 0 /  [\"hello\",1]");
	parses("2/admin,456[\"project:delete\",123]", "2 0 /admin 456 [\"project:delete\",123]");
	parses("20[\"a\"]", "2 0 / 0 [\"a\"]");
	parses("3/admin,456[]", "3 0 /admin 456 []");
	parses("312[1]", "3 0 / 12 [1]");
	parses("51-[\"baz\",{\"_placeholder\":true,\"num\":0}]",
	    "5 1 /  [\"baz\",{\"_placeholder\":true,\"num\":0}]");
	parses("510-/admin,7[1]", "5 10 /admin 7 [1]");
	parses("61-/admin,456[{\"_placeholder\":true,\"num\":0}]",
	    "6 1 /admin 456 [{\"_placeholder\":true,\"num\":0}]");
}

static void
ends_a_namespace_at_a_comma_or_the_end(void **state)
{
	(void)state;
	parses("0/admin", "0 0 /admin  ");
	parses("1/admin", "1 0 /admin  ");
	parses("0/", "0 0 /  ");
	parses("2/,[\"a\"]", "2 0 /  [\"a\"]");
	parses("2/a/b-c?d=e,1[\"a\"]", "2 0 /a/b-c?d=e 1 [\"a\"]");
	refuses("2/admin[\"a\"]", "an event whose payload is no array");
	refuses("2admin,[\"a\"]", "an event whose payload is no array");
	refuses("0/a\x1e"
		"4,",
	    "a control character in the namespace");
	refuses("0/a\x7f,", "a control character in the namespace");
}

static void
bounds_a_namespace(void **state)
{
	char text[300], expected[400];

	(void)state;
	memset(text, 'n', sizeof(text));
	memcpy(text, "0/", 2);
	text[256] = '\0';
	snprintf(expected, sizeof(expected), "0 0 %s  ", text + 1);
	parses(text, expected);
	text[256] = ',';
	text[257] = '\0';
	parses(text, expected);
	text[256] = 'n';
	refuses(text, "a namespace over 255 bytes");
}

static void
refuses_unknown_types(void **state)
{
	static const char *const texts[] = { "", "7", "9[]", "a", "/", "-", " 2[\"a\"]",
		"[\"a\"]" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		refuses(texts[i], "an unknown packet type");
	refuses("4", "a CONNECT_ERROR from a client");
	refuses("4{\"message\":\"x\"}", "a CONNECT_ERROR from a client");
}

static void
refuses_payloads_of_the_wrong_kind(void **state)
{
	struct packet packet;

	(void)state;
	refuses("0[]", "a CONNECT whose payload is no object");
	refuses("0\"x\"", "a CONNECT whose payload is no object");
	refuses("0null", "a CONNECT whose payload is no object");
	assert_non_null(packet_parse("0\0", 2, &packet));
	refuses("1{}", "a DISCONNECT with a payload");
	refuses("1/admin,{}", "a DISCONNECT with a payload");
	refuses("2", "an event whose payload is no array");
	refuses("2{}", "an event whose payload is no array");
	refuses("2 [\"a\"]", "an event whose payload is no array");
	refuses("21", "an event whose payload is no array");
	refuses("51-{}", "an event whose payload is no array");
	refuses("31", "an ack whose payload is no array");
	refuses("31{}", "an ack whose payload is no array");
	refuses("61-1", "an ack whose payload is no array");
}

static void
refuses_ack_ids_where_none_may_be_and_acks_without(void **state)
{
	(void)state;
	refuses("01{}", "a CONNECT with an ack id");
	refuses("11", "a DISCONNECT with an ack id");
	refuses("3[]", "an ack without an id");
	refuses("61-[]", "an ack without an id");
}

static void
bounds_ack_ids(void **state)
{
	struct packet packet;

	(void)state;
	parses("29007199254740992[1]", "2 0 / 9007199254740992 [1]");
	parses("2007[1]", "2 0 / 007 [1]"); /* echoed as it came */
	assert_null(packet_parse("29007199254740992[1]", 20, &packet));
	assert_true(packet.id_value == UINT64_C(9007199254740992));
	refuses("29007199254740993[1]", "an ack id over 2^53");
	refuses("210000000000000000[1]", "an ack id over 2^53");
	refuses("299999999999999999999999999999999999999999[1]", "an ack id over 2^53");
	refuses("2-1[1]", "an event whose payload is no array");
	refuses("21.5[1]", "an event whose payload is no array");
	refuses("21e3[1]", "an event whose payload is no array");
}

static void
bounds_attachments(void **state)
{
	static const char *const texts[] = { "50-[1]", "5100-[1]", "5-[1]", "501-[1]", "500-[1]",
		"5999-[1]", "54294967297-[1]", "518446744073709551617-[1]" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		refuses(texts[i], "a number of attachments outside 1 to 99");
	parses("599-[1]", "5 99 /  [1]");
	refuses("5[1]", "a binary packet without a number of attachments");
	refuses("5", "a binary packet without a number of attachments");
	refuses("51", "a binary packet without a number of attachments");
	refuses("5 1-[1]", "a binary packet without a number of attachments");
	refuses("51e0-[1]", "a binary packet without a number of attachments");
	refuses("5--1-[1]", "a number of attachments outside 1 to 99");
	refuses("21-[1]", "an event whose payload is no array"); /* only on binary types */
}

static void
knows_reserved_event_names(void **state)
{
	static const char *const reserved[] = { "connect", "connect_error", "disconnect",
		"disconnecting", "newListener", "removeListener" };
	static const char *const usual[] = { "ping", "pong", "", "Connect", "connected", "connec",
		"message" };

	(void)state;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		assert_false(packet_event_name_ok(slice_of(reserved[i])));
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		assert_true(packet_event_name_ok(slice_of(usual[i])));
}

static void
is_written(struct text *out, const char *expected)
{
	assert_false(out->failed);
	assert_int_equal(out->len, strlen(expected));
	assert_memory_equal(out->data, expected, out->len);
	text_clear(out);
}

static void
writes_what_the_server_sends(void **state)
{
	const struct slice root = slice_of("/"), admin = slice_of("/admin"), none = { 0 };
	char digits[SLICE_UINT_SIZE];
	struct text out;

	(void)state;
	text_init(&out, 0);
	packet_put_connect(&out, root, slice_of("wZX3oN0bSVIhsaknAAAI"), none);
	is_written(&out, "0{\"sid\":\"wZX3oN0bSVIhsaknAAAI\"}");
	packet_put_connect(&out, admin, slice_of("oSO0OpakMV_3jnilAAAA"), slice_of("p"));
	is_written(&out, "0/admin,{\"sid\":\"oSO0OpakMV_3jnilAAAA\",\"pid\":\"p\"}");
	packet_put_disconnect(&out, root);
	is_written(&out, "1");
	packet_put_disconnect(&out, admin);
	is_written(&out, "1/admin,");
	packet_put_event(&out, none, none, slice_of("dm.message"), slice_of("{\"id\":1},2"));
	is_written(&out, "2[\"dm.message\",{\"id\":1},2]");
	packet_put_event(&out, admin, slice_of_uint(12, digits), slice_of("a\"b"), none);
	is_written(&out, "2/admin,12[\"a\\\"b\"]");
	packet_put_ack(&out, root, slice_of("007"), none);
	is_written(&out, "3007[]");
	packet_put_ack(&out, admin, slice_of("456"), slice_of("1,\"x\""));
	is_written(&out, "3/admin,456[1,\"x\"]");
	packet_put_connect_error(&out, slice_of("/no"), slice_of("Invalid namespace"), none);
	is_written(&out, "4/no,{\"message\":\"Invalid namespace\"}");
	packet_put_connect_error(
	    &out, root, slice_of("TOKEN_INVALID"), slice_of("{\"error\":\"TOKEN_INVALID\"}"));
	is_written(&out, "4{\"message\":\"TOKEN_INVALID\",\"data\":{\"error\":\"TOKEN_INVALID\"}}");
	packet_put_head(&out, PACKET_BINARY_EVENT, 2, admin, none);
	is_written(&out, "52-/admin,");
	packet_put_head(&out, PACKET_BINARY_ACK, 1, root, slice_of("13"));
	is_written(&out, "61-13");
	text_fini(&out);
}

static void
collects_attachments(void **state)
{
	char text[] = "52-/admin,7[\"a\"]";
	struct packet_assembly *assembly = packet_assembly_new(text, strlen(text), 100);

	(void)state;
	memset(text, 'x', sizeof(text)); /* it was copied */
	assert_int_equal(packet_assembly_add(assembly, "one", 3), PACKET_INCOMPLETE);
	assert_int_equal(packet_assembly_add(assembly, NULL, 0), PACKET_COMPLETE);
	assert_int_equal(packet_assembly_add(assembly, "three", 5), PACKET_TOO_MUCH);
	assert_int_equal(assembly->have, 2);
	assert_memory_equal(assembly->attachments[0].data, "one", 3);
	assert_int_equal(assembly->attachments[0].len, 3);
	assert_int_equal(assembly->attachments[1].len, 0);
	assert_true(slice_equal(assembly->packet.namespace, slice_of("/admin")));
	assert_true(slice_equal(assembly->packet.id, slice_of("7")));
	assert_true(slice_equal(assembly->packet.json, slice_of("[\"a\"]")));
	packet_assembly_free(assembly);
	packet_assembly_free(NULL);
}

static void
bounds_all_attachments_together(void **state)
{
	const char text[] = "53-[1]";
	struct packet_assembly *assembly = packet_assembly_new(text, 6, 16);

	(void)state;
	assert_int_equal(packet_assembly_add(assembly, "12345", 5), PACKET_INCOMPLETE);
	assert_int_equal(packet_assembly_add(assembly, "123456", 6), PACKET_TOO_MUCH);
	assert_int_equal(packet_assembly_add(assembly, "12345", 5), PACKET_INCOMPLETE);
	assert_int_equal(packet_assembly_add(assembly, "1", 1), PACKET_TOO_MUCH);
	assert_int_equal(packet_assembly_add(assembly, "", 0), PACKET_COMPLETE);
	packet_assembly_free(assembly);
	assert_null(packet_assembly_new(text, 6, 5));
	assert_null(packet_assembly_new("junk", 4, 100));
}

static void
says_so_when_memory_is_out(void **state)
{
	struct packet_assembly *assembly;

	(void)state;
	for (left = 0; left < 2;) {
		unsigned allowed = left;

		assert_null(packet_assembly_new("51-[1]", 6, 100));
		left = allowed + 1;
	}
	assembly = packet_assembly_new("51-[1]", 6, 100);
	assert_non_null(assembly);
	assert_int_equal(packet_assembly_add(assembly, "a", 1), PACKET_NO_MEMORY);
	left = 1;
	assert_int_equal(packet_assembly_add(assembly, "a", 1), PACKET_COMPLETE);
	packet_assembly_free(assembly);
	left = 1000;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_what_clients_send),
		cmocka_unit_test(ends_a_namespace_at_a_comma_or_the_end),
		cmocka_unit_test(bounds_a_namespace),
		cmocka_unit_test(refuses_unknown_types),
		cmocka_unit_test(refuses_payloads_of_the_wrong_kind),
		cmocka_unit_test(refuses_ack_ids_where_none_may_be_and_acks_without),
		cmocka_unit_test(bounds_ack_ids),
		cmocka_unit_test(bounds_attachments),
		cmocka_unit_test(knows_reserved_event_names),
		cmocka_unit_test(writes_what_the_server_sends),
		cmocka_unit_test(collects_attachments),
		cmocka_unit_test(bounds_all_attachments_together),
		cmocka_unit_test(says_so_when_memory_is_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
