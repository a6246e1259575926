/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks, X-Forwarded-For behind trusted proxies, and addresses to listen on.
 */
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "http/internal.h"

#include <arpa/inet.h>
#include <string.h>

static struct network
network(const char *text)
{
	struct network out;

	if (!network_parse(text, strlen(text), &out))
		fail_msg("refused %s", text);
	return out;
}

static bool
has(const char *text, const char *address)
{
	const struct network one = network(text);

	return network_has(&one, 1, address);
}

static void
knows_what_is_in_a_network(void **state)
{
	(void)state;
	assert_true(has("10.0.0.0/8", "10.255.0.1"));
	assert_false(has("10.0.0.0/8", "11.0.0.1"));
	assert_true(has("192.168.4.0/22", "192.168.7.255"));
	assert_false(has("192.168.4.0/22", "192.168.8.0"));
	assert_true(has("127.0.0.1", "127.0.0.1"));
	assert_false(has("127.0.0.1", "127.0.0.2"));
	assert_true(has("127.0.0.1", "::ffff:127.0.0.1"));
	assert_true(has("0.0.0.0/0", "8.8.8.8"));
	assert_false(has("0.0.0.0/0", "2001:db8::1"));
	assert_true(has("::/0", "8.8.8.8"));
	assert_true(has("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
	assert_false(has("::1", "nonsense"));
}

static void
refuses_malformed_networks(void **state)
{
	static const char *const bad[] = { "", "/8", "10.0.0/8", "10.0.0.0/33", "10.0.0.0/-1",
		"10.0.0.0/", "::1/129", "localhost", "10.0.0.0/8x" };
	struct network out;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (network_parse(bad[i], strlen(bad[i]), &out))
			fail_msg("took %s", bad[i]);
}

static void
expect(const char *peer, const char *forwarded, const char *address)
{
	const struct network proxies[] = { network("127.0.0.1"), network("10.0.0.0/8"),
		network("::1") };
	char out[ADDRESS_SIZE];

	forwarded_address(proxies, 3, peer, forwarded, out);
	assert_string_equal(out, address);
}

static void
takes_the_rightmost_address_that_is_not_trusted(void **state)
{
	(void)state;
	expect("127.0.0.1", NULL, "127.0.0.1");
	expect("127.0.0.1", "", "127.0.0.1");
	expect("127.0.0.1", "1.2.3.4", "1.2.3.4");
	expect("127.0.0.1", "6.6.6.6, 1.2.3.4 ,10.1.1.1", "1.2.3.4");
	expect("127.0.0.1", "10.2.2.2, 10.1.1.1", "10.2.2.2");
	expect("::1", "[2001:db8::7]:4711", "2001:db8::7");
	expect("127.0.0.1", "1.2.3.4:5678", "1.2.3.4");
	/* From somebody who is no proxy of ours it means nothing. */
	expect("9.9.9.9", "1.2.3.4", "9.9.9.9");
	/* What is left of something that is no address is not believed either. */
	expect("127.0.0.1", "1.2.3.4, unknown, 10.1.1.1", "10.1.1.1");
	expect("127.0.0.1", ",", "127.0.0.1");
}

static void
reads_addresses_to_listen_on(void **state)
{
	static const char *const bad[] = { "", ":80", "localhost:80", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80", "[::1]80", "[::1:80" };
	struct endpoint endpoint;

	(void)state;
	assert_int_equal(endpoint_parse("127.0.0.1:8080", 14, &endpoint), 0);
	assert_int_equal(endpoint.address.ss_family, AF_INET);
	assert_int_equal(endpoint_parse("[::1]:0", 7, &endpoint), 0);
	assert_int_equal(endpoint.address.ss_family, AF_INET6);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (endpoint_parse(bad[i], strlen(bad[i]), &endpoint) == 0)
			fail_msg("took %s", bad[i]);
}

static void
has_a_sentence_for_every_code(void **state)
{
	char room[MESSAGE_SIZE];

	(void)state;
	assert_string_equal(message_of("BAD_REQUEST", room), "the request is malformed");
	assert_string_equal(message_of("USERNAME_TAKEN", room), "the username is taken");
	assert_string_equal(message_of("USER_NOT_FOUND", room), "there is no such user");
	assert_string_equal(message_of("SOMETHING_NEW", room), "something new");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_what_is_in_a_network),
		cmocka_unit_test(refuses_malformed_networks),
		cmocka_unit_test(takes_the_rightmost_address_that_is_not_trusted),
		cmocka_unit_test(reads_addresses_to_listen_on),
		cmocka_unit_test(has_a_sentence_for_every_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
