/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What client and server agree on: each offer, good, bad and malformed, with
 * the answer to it.
 */
#include "ws/extension.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

#define AGREED "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
#define P      "permessage-deflate"

static const struct {
	const char *offer;
	const char *answer; /* "" = no compression, NULL = malformed */
} negotiations[] = {
	{ P, AGREED },
	{ " \t" P " ", AGREED },
	{ P "; client_max_window_bits", AGREED },
	{ P ";client_max_window_bits=8", AGREED },
	{ P "; client_max_window_bits=\"15\"", AGREED },
	{ P "; client_no_context_takeover; server_no_context_takeover", AGREED },
	{ P "; server_max_window_bits=15", AGREED "; server_max_window_bits=15" },
	{ P "; server_max_window_bits = 9", AGREED "; server_max_window_bits=9" },
	{ P "; server_max_window_bits=\"1\\0\"", AGREED "; server_max_window_bits=10" },
	{ "x-webkit-deflate-frame, " P, AGREED },
	{ "other; a=b; c=\"d\"; e," P, AGREED },
	{ ",, ," P ",,", AGREED },
	/* The first that can be taken; the rest is only checked. */
	{ P "; server_max_window_bits=8, " P "; server_max_window_bits=11, " P,
	    AGREED "; server_max_window_bits=11" },
	{ P "; no_such_parameter, " P, AGREED },
	/* Passed over. */
	{ "", "" },
	{ " , ", "" },
	{ "other", "" },
	{ "permessage-deflate2", "" },
	{ "Permessage-deflate", "" },
	{ P "; server_max_window_bits=8", "" },
	{ P "; server_max_window_bits", "" },
	{ P "; server_max_window_bits=16", "" },
	{ P "; server_max_window_bits=7", "" },
	{ P "; server_max_window_bits=010", "" },
	{ P "; server_max_window_bits=09", "" },
	{ P "; server_max_window_bits=1x", "" },
	{ P "; server_max_window_bits=115", "" },
	{ P "; server_max_window_bits=+9", "" },
	{ P "; client_max_window_bits=7", "" },
	{ P "; client_max_window_bits=16", "" },
	{ P "; client_max_window_bits=08", "" },
	{ P "; client_no_context_takeover=1", "" },
	{ P "; server_no_context_takeover=true", "" },
	{ P "; client_max_window_bits; client_max_window_bits=10", "" },
	{ P "; server_max_window_bits=10; server_max_window_bits=10", "" },
	{ P "; client_no_context_takeover; client_no_context_takeover", "" },
	{ P "; server_no_context_takeover; server_no_context_takeover", "" },
	{ P "; client_max_window_bits_that_is_very_long_indeed_and_unknown", "" },
	/* Malformed. */
	{ P ";", NULL },
	{ P "; =9", NULL },
	{ P "; client_max_window_bits=", NULL },
	{ P "; client_max_window_bits=\"\"", NULL },
	{ P "; client_max_window_bits=\"9", NULL },
	{ P "; client_max_window_bits=\"9\\", NULL },
	{ P "; client_max_window_bits=\"1 0\"", NULL },
	{ P "; client_max_window_bits=9=9", NULL },
	{ P " client_max_window_bits", NULL },
	{ P ", ; a", NULL },
	{ P ", a b", NULL },
	{ "\"" P "\"", NULL },
	{ P "/1", NULL },
	{ "\x80", NULL },
};

static void
agrees_on_what_can_be_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(negotiations) / sizeof(negotiations[0]); i++) {
		char answer[WS_EXTENSION_SIZE] = "";
		struct ws_agreed agreed = { 0 };
		bool is_sound = ws_extension_negotiate(negotiations[i].offer, &agreed);

		if (agreed.window_bits != 0)
			ws_extension_answer(&agreed, answer);
		if (is_sound != (negotiations[i].answer != NULL) ||
		    (is_sound && strcmp(answer, negotiations[i].answer) != 0))
			fail_msg("\"%s\" gave %d \"%s\"", negotiations[i].offer, is_sound, answer);
	}
}

static void
takes_the_first_of_several_headers(void **state)
{
	struct ws_agreed agreed = { 0 };

	(void)state;
	assert_true(ws_extension_negotiate("other", &agreed));
	assert_true(ws_extension_negotiate(P "; server_max_window_bits=12", &agreed));
	assert_true(ws_extension_negotiate(P, &agreed));
	assert_int_equal(agreed.window_bits, 12);
	assert_true(agreed.window_asked);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_on_what_can_be_taken),
		cmocka_unit_test(takes_the_first_of_several_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
