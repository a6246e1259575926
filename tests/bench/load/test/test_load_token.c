/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens of the load generator, read back with other code: the server's
 * library for JWT.
 */
#include "token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above it. */
#include <cmocka.h>

#include <jwt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[64];
static struct token_key key;

static int
write_secret(void **state)
{
	FILE *file;

	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/test_load_token.%d", (int)getpid());
	file = fopen(path, "we");
	if (file == NULL || sodium_init() < 0)
		return -1;
	(void)fputs("0123456789abcdef0123456789abcdef\n", file);
	return fclose(file);
}

static int
remove_secret(void **state)
{
	(void)state;
	return unlink(path);
}

static void
reads_the_secret_without_its_newline(void **state)
{
	(void)state;
	token_key_load(path, &key);
	assert_int_equal(key.len, 32);
	assert_memory_equal(key.secret, "0123456789abcdef0123456789abcdef", 32);
	assert_int_equal(strlen(key.kid), 16);
}

static void
signs_what_the_library_accepts(void **state)
{
	char *token;
	jwt_t *jwt = NULL;

	(void)state;
	token_key_load(path, &key);
	key.store = 7;
	token = token_sign(&key, 42, 1000, 2000);
	assert_int_equal(jwt_decode(&jwt, token, key.secret, (int)key.len), 0);
	assert_int_equal(jwt_get_alg(jwt), JWT_ALG_HS256);
	assert_string_equal(jwt_get_header(jwt, "kid"), key.kid);
	assert_string_equal(jwt_get_grant(jwt, "sub"), "42");
	assert_string_equal(jwt_get_grant(jwt, "deviceId"), "010000000000002a");
	assert_string_equal(jwt_get_grant(jwt, "iss"), "convro");
	assert_string_equal(jwt_get_grant(jwt, "aud"), "convro");
	assert_int_equal(jwt_get_grant_int(jwt, "userId"), 42);
	assert_int_equal(jwt_get_grant_int(jwt, "epoch"), 0);
	assert_int_equal(jwt_get_grant_int(jwt, "store"), 7);
	assert_int_equal(jwt_get_grant_int(jwt, "iat"), 1000);
	assert_int_equal(jwt_get_grant_int(jwt, "exp"), 2000);
	jwt_free(jwt);
	free(token);
}

static void
makes_each_token_once(void **state)
{
	struct tokens tokens;
	const char *first;

	(void)state;
	token_key_load(path, &key);
	tokens_init(&tokens, &key, 10, 2);
	first = tokens_get(&tokens, 10);
	assert_ptr_equal(tokens_get(&tokens, 10), first);
	assert_string_not_equal(tokens_get(&tokens, 11), first);
	tokens_fini(&tokens);
}

static void
has_none_without_a_secret(void **state)
{
	struct tokens tokens;

	(void)state;
	tokens_init(&tokens, NULL, 1, 1);
	assert_string_equal(tokens_get(&tokens, 1), "");
	tokens_fini(&tokens);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_secret_without_its_newline),
		cmocka_unit_test(signs_what_the_library_accepts),
		cmocka_unit_test(makes_each_token_once),
		cmocka_unit_test(has_none_without_a_secret),
	};

	return cmocka_run_group_tests(tests, write_secret, remove_secret);
}
