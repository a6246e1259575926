/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/conf/secret.c: where secrets may come from, and where not.
 */
#include "conf_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static int
enter(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/convro-secret-XXXXXX");
	unsetenv("CONVRO_KIT_KEY");
	unsetenv("CREDENTIALS_DIRECTORY");
	return mkdtemp(dir) != NULL && chdir(dir) == 0 ? 0 : -1;
}

static int
leave(void **state)
{
	(void)state;
	unsetenv("CONVRO_KIT_KEY");
	unsetenv("CREDENTIALS_DIRECTORY");
	unlink("key");
	unlink("kit.key");
	return chdir("/") == 0 && rmdir(dir) == 0 ? 0 : -1;
}

static void
put(const char *path, const void *bytes, size_t len, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* Reads the text and loads the secrets, which must be these bytes. */
static void
assert_secret(const char *text, const char *bytes, size_t expected)
{
	struct conf *conf = kit_conf();
	const uint8_t *secret;
	size_t len = 0;

	assert_int_equal(conf_read_text(conf, "f", text, strlen(text)), 0);
	kit_expect(conf, "");
	secret = conf_secret(conf, "kit", "key", &len);
	assert_int_equal(len, expected);
	if (bytes == NULL) {
		assert_null(secret);
	} else {
		assert_non_null(secret);
		assert_memory_equal(secret, bytes, len);
		assert_int_equal(secret[len], 0);
	}
	conf_free(conf);
}

static void
reads_a_file_without_the_newline_at_its_end(void **state)
{
	(void)state;

	put("key", "hunter2\n", 8, 0600);
	assert_secret("[kit]\nkey_file = key\n", "hunter2", 7);
	put("key", "hunter2", 7, 0400);
	assert_secret("[kit]\nkey_file = key\n", "hunter2", 7);
	unlink("key");
	put("key", "two\r\n", 5, 0600);
	assert_secret("[kit]\nkey_file = key\n", "two", 3);
	put("key", "\0\n\n", 3, 0600);
	assert_secret("[kit]\nkey_file = key\n", "\0\n", 2);
}

static void
reads_the_environment(void **state)
{
	(void)state;

	setenv("CONVRO_KIT_KEY", "from afar", 1);
	assert_secret("", "from afar", 9);
	setenv("CONVRO_KIT_KEY", "", 1);
	assert_secret("", NULL, 0);
}

static void
reads_a_credential_when_nothing_else_is_given(void **state)
{
	(void)state;

	put("kit.key", "credential", 10, 0440);
	assert_secret("", NULL, 0);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	assert_secret("", "credential", 10);
	put("key", "file", 4, 0600);
	assert_secret("[kit]\nkey_file = key\n", "file", 4);
	setenv("CONVRO_KIT_KEY", "environment", 1);
	assert_secret("", "environment", 11);
}

static void
takes_a_secret_back_with_an_empty_name(void **state)
{
	struct conf *conf = kit_conf();
	size_t len;
	const char *text = "[kit]\nkey_file = nowhere\n";

	(void)state;
	assert_int_equal(conf_read_text(conf, "f", text, strlen(text)), 0);
	assert_int_equal(conf_set(conf, "kit.key_file="), 0);
	kit_expect(conf, "");
	assert_null(conf_secret(conf, "kit", "key", &len));
	conf_free(conf);
}

static void
refuses_a_secret_in_the_configuration_without_repeating_it(void **state)
{
	struct conf *conf = kit_conf();
	const char *text = "[kit]\nkey = hunter2\n";

	(void)state;
	assert_int_equal(conf_read_text(conf, "f", text, strlen(text)), 0);
	assert_int_equal(conf_set(conf, "kit.key=hunter2"), 0);
	kit_expect(conf,
	    "f:2: kit.key must not be written here; put it into a file that only the server can read and name that with key_file, or set CONVRO_KIT_KEY in the environment\n"
	    "command line: kit.key must not be written here; put it into a file that only the server can read and name that with key_file, or set CONVRO_KIT_KEY in the environment\n");
	conf_free(conf);
}

static void
refuses_a_secret_given_twice(void **state)
{
	(void)state;

	put("key", "file", 4, 0600);
	setenv("CONVRO_KIT_KEY", "environment", 1);
	kit_mistakes("[kit]\nkey_file = key\n",
	    "f:2: kit.key is given twice, here and as CONVRO_KIT_KEY in the environment; drop one\n");
}

static void
refuses_files_that_others_can_reach(void **state)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0602, 0610, 0601, 0644 };

	(void)state;
	put("key", "secret", 6, 0600);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod("key", modes[i]), 0);
		kit_mistakes("[kit]\nkey_file = key\n",
		    "f:2: kit.key_file: key can be reached by others than its owner; chmod 600 it\n");
	}
}

static void
refuses_files_of_other_users(void **state)
{
	(void)state;

	if (geteuid() != 0)
		skip();
	put("key", "secret", 6, 0600);
	assert_int_equal(chown("key", 12345, 12345), 0);
	kit_mistakes("[kit]\nkey_file = key\n",
	    "f:2: kit.key_file: key belongs to another user; chown it to the server's user or root\n");
}

static void
refuses_what_is_no_secret_file(void **state)
{
	(void)state;

	kit_mistakes("[kit]\n\nkey_file = absent\n",
	    "f:3: kit.key_file: could not read absent: No such file or directory\n");
	kit_mistakes("[kit]\nkey_file = .\n", "f:2: kit.key_file: . is no regular file\n");
	assert_int_equal(mkfifo("key", 0600), 0);
	kit_mistakes("[kit]\nkey_file = key\n", "f:2: kit.key_file: key is no regular file\n");
	unlink("key");
	put("key", "\n", 1, 0600);
	kit_mistakes("[kit]\nkey_file = key\n", "f:2: kit.key: the secret is empty\n");
	assert_int_equal(truncate("key", 65537), 0);
	kit_mistakes(
	    "[kit]\nkey_file = key\n", "f:2: kit.key_file: key is too large for a secret\n");
}

static void
tells_a_credential_it_cannot_use(void **state)
{
	(void)state;

	put("kit.key", "", 0, 0440);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	kit_mistakes("", "credentials: kit.key: the secret is empty\n");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(reads_a_file_without_the_newline_at_its_end),
		CASE(reads_the_environment),
		CASE(reads_a_credential_when_nothing_else_is_given),
		CASE(takes_a_secret_back_with_an_empty_name),
		CASE(refuses_a_secret_in_the_configuration_without_repeating_it),
		CASE(refuses_a_secret_given_twice),
		CASE(refuses_files_that_others_can_reach),
		CASE(refuses_files_of_other_users),
		CASE(refuses_what_is_no_secret_file),
		CASE(tells_a_credential_it_cannot_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
