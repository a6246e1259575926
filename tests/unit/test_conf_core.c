/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/conf/core_options.c, core_checks.c and reference.c: the core's own
 * options, what they refuse, and how tables are printed.
 */
#include "conf_kit.h"

#include "conf/core_options.h"

#include <stdio.h>
#include <stdlib.h>

static struct conf *
core_conf(void)
{
	struct conf *conf = conf_new();

	assert_non_null(conf);
	assert_int_equal(core_options_declare(conf), 0);
	return conf;
}

static void
assert_taken(const char *assignment)
{
	struct conf *conf = core_conf();

	assert_int_equal(conf_set(conf, assignment), 0);
	kit_expect(conf, "");
	conf_free(conf);
}

static void
assert_refused(const char *assignment, const char *why)
{
	struct conf *conf = core_conf();
	char line[512];

	snprintf(line, sizeof(line), "command line: %.*s: %s\n", (int)strcspn(assignment, "="),
	    assignment, why);
	assert_int_equal(conf_set(conf, assignment), 0);
	kit_expect(conf, line);
	conf_free(conf);
}

static void
has_the_defaults_of_the_contract(void **state)
{
	struct conf *conf = core_conf();

	(void)state;
	kit_expect(conf, "");
	assert_string_equal(conf_text(conf, "server", "listen"), "127.0.0.1:8080");
	assert_int_equal(conf_int(conf, "server", "max_body"), 1048576);
	assert_int_equal(conf_int(conf, "server", "request_timeout"), 15000);
	assert_int_equal(conf_int(conf, "server", "request_line_max"), 8192);
	assert_int_equal(conf_int(conf, "server", "header_block_max"), 16384);
	assert_int_equal(conf_int(conf, "server", "header_count_max"), 64);
	assert_string_equal(conf_text(conf, "storage", "engine"), "sqlite");
	assert_string_equal(conf_text(conf, "storage", "synchronous"), "full");
	assert_string_equal(conf_text(conf, "storage", "url"), "");
	assert_int_equal(conf_int(conf, "log", "addresses"), 0);
	assert_int_equal(core_options_module_dir(conf)[0], '/');
	assert_int_equal(core_options_driver_dir(conf)[0], '/');
	conf_free(conf);
}

static void
takes_directories_instead_of_the_installed_ones(void **state)
{
	struct conf *conf = core_conf();

	(void)state;
	assert_int_equal(conf_set(conf, "server.module_dir=here"), 0);
	assert_int_equal(conf_set(conf, "server.driver_dir=there"), 0);
	assert_string_equal(core_options_module_dir(conf), "here");
	assert_string_equal(core_options_driver_dir(conf), "there");
	conf_free(conf);
}

static void
wants_addresses_with_ports(void **state)
{
	static const char *const bad[] = { "8080", "localhost:8080", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80", "[::1]", "[::g]:80",
		"[]:80", ":80", "[127.0.0.1]:80", "127.1:80" };

	(void)state;
	assert_taken("server.listen=127.0.0.1:0");
	assert_taken("server.listen=0.0.0.0:80 [::]:80 [fe80::1]:65535");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char assignment[128], why[256];

		snprintf(assignment, sizeof(assignment), "server.listen=127.0.0.1:1 %s", bad[i]);
		snprintf(why, sizeof(why),
		    "\"%s\" is no address with a port, such as 127.0.0.1:8080 or [::1]:8080",
		    bad[i]);
		assert_refused(assignment, why);
	}
	assert_refused("server.listen=", "an address is needed, such as 127.0.0.1:8080");
}

static void
wants_each_module_once(void **state)
{
	(void)state;

	assert_taken("server.modules=auth users /opt/x/own.so");
	assert_taken("server.modules=");
	assert_refused("server.modules=auth users auth", "\"auth\" is named twice");
	assert_refused("server.modules=auth, users",
	    "\"auth,\" is neither a module's name nor an absolute path");
	assert_refused("server.modules=../own.so",
	    "\"../own.so\" is neither a module's name nor an absolute path");
}

static void
wants_origins_and_networks(void **state)
{
	(void)state;

	assert_taken("server.cors_origins=https://app.example.org http://localhost:5173");
	assert_taken("server.cors_origins=*");
	assert_refused("server.cors_origins=https://app.example.org/",
	    "\"https://app.example.org/\" is no origin, such as https://app.example.org (no slash behind)");
	assert_refused("server.cors_origins=app.example.org",
	    "\"app.example.org\" is no origin, such as https://app.example.org (no slash behind)");
	assert_refused("server.cors_origins=https://",
	    "\"https://\" is no origin, such as https://app.example.org (no slash behind)");
	assert_taken("server.trusted_proxies=127.0.0.1 10.0.0.0/8 ::1 fd00::/8 0.0.0.0/0 ::/128");
	assert_refused("server.trusted_proxies=10.0.0.0/33",
	    "\"10.0.0.0/33\" is no address or network, such as ::1 or 10.0.0.0/8");
	assert_refused("server.trusted_proxies=10.0.0.0/",
	    "\"10.0.0.0/\" is no address or network, such as ::1 or 10.0.0.0/8");
	assert_refused("server.trusted_proxies=proxy",
	    "\"proxy\" is no address or network, such as ::1 or 10.0.0.0/8");
	assert_refused("server.trusted_proxies=::1/129",
	    "\"::1/129\" is no address or network, such as ::1 or 10.0.0.0/8");
}

static void
refuses_a_password_in_the_address_of_the_store(void **state)
{
	static const char *const bad[] = { "postgresql://convro:hunter2@db/convro",
		"postgres://convro:@db", "postgresql://db/convro?password=hunter2",
		"host=db password=hunter2", "host=db password  = hunter2", "sslpassword=hunter2" };

	(void)state;
	assert_taken("storage.url=postgresql://convro@db:5432/convro");
	assert_taken("storage.url=postgresql://[::1]:5432/convro?user=a@b");
	assert_taken("storage.url=service=convro");
	assert_taken("storage.url=host=db dbname=password_store user=x");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char assignment[128];

		snprintf(assignment, sizeof(assignment), "storage.url=%s", bad[i]);
		assert_refused(assignment,
		    "a password must not be written here; use a service file or PGPASSFILE of libpq, or put the address into url_file");
	}
}

static void
keeps_the_store_address_as_text_and_as_secret(void **state)
{
	struct conf *conf = core_conf();
	size_t len;
	const uint8_t *secret;

	(void)state;
	setenv("CONVRO_STORAGE_URL", "postgresql://convro:hunter2@db", 1);
	assert_int_equal(conf_set(conf, "storage.url=service=convro"), 0);
	kit_expect(conf, "");
	unsetenv("CONVRO_STORAGE_URL");
	assert_string_equal(conf_text(conf, "storage", "url"), "service=convro");
	secret = conf_secret(conf, "storage", "url", &len);
	assert_non_null(secret);
	assert_string_equal((const char *)secret, "postgresql://convro:hunter2@db");
	conf_free(conf);
}

static void
refuses_what_no_server_could_run_with(void **state)
{
	(void)state;

	assert_refused("server.workers=257", "\"257\" is not within 0..256");
	assert_refused("server.max_body=128m", "\"128m\" is not within 4k..64m");
	assert_refused("server.drain_timeout=11m", "\"11m\" is not within 0..10m");
	assert_refused("log.level=warn", "\"warn\" is none of: error warning info debug");
	assert_refused("storage.engine=postgres",
	    "\"postgres\" is none of: sqlite postgresql; did you mean \"postgresql\"?");
}

/* No line of prose is longer than 78 bytes. */
static void
assert_wrapped(const char *text)
{
	for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
		if (text[0] == '#' && text[1] == ' ' && strncmp(text, "# Example", 9) != 0 &&
		    strncmp(text, "# Value", 7) != 0)
			assert_in_range(end - text, 1, 78);
	}
}

/* Takes the '#' from what is an option's default, and nothing else. */
static void
uncomment(char *text)
{
	for (char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (line[0] == '#' && line[1] != ' ' && line[1] != '\n' &&
		    strncmp(line, "#include", 8) != 0)
			line[0] = ' ';
	}
}

static void
prints_a_file_that_reads_as_the_defaults(void **state)
{
	struct conf *conf = core_conf(), *plain = core_conf();
	struct buf out;
	char *text;

	(void)state;
	buf_init(&out, 0);
	core_options_reference("conf", &out);
	text = strdup(buf_text(&out));
	assert_non_null(text);
	assert_wrapped(text);
	assert_int_equal(conf_read_text(conf, "as printed", text, strlen(text)), 0);
	uncomment(text);
	assert_non_null(strstr(text, "\n listen = 127.0.0.1:8080\n"));
	assert_int_equal(conf_read_text(conf, "uncommented", text, strlen(text)), 0);
	kit_expect(conf, "");
	assert_string_equal(
	    conf_text(conf, "server", "modules"), conf_text(plain, "server", "modules"));
	assert_int_equal(conf_int(conf, "storage", "cache_size"), 64 << 20);
	free(text);
	buf_fini(&out);
	conf_free(conf);
	conf_free(plain);
}

static const struct convro_option printed[] = {
	{ .name = "word",
	    .type = CONVRO_OPTION_TEXT,
	    .initial = " \"a\\b\" # c",
	    .summary = "One sentence. Another one.",
	    .example = ".x -y" },
	{ .name = "key", .type = CONVRO_OPTION_SECRET, .initial = "", .summary = "Hidden." },
	{ .name = "size", .type = CONVRO_OPTION_SIZE, .initial = "", .min = 1024, .max = 65536 },
};

static void
prints_a_table_as_file(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	conf_reference("conf", "part", "about it", printed, 3, &out);
	assert_string_equal(buf_text(&out),
	    "\n# about it\n[part]\n"
	    "\n# One sentence. Another one.\n# Value: text\n# Example: word = .x -y\n"
	    "#word = \" \\\"a\\\\b\\\" # c\"\n"
	    "\n# Hidden.\n# Value: the path of a file that only the server can read\n"
	    "# Or: CONVRO_PART_KEY in the environment, or the systemd credential part.key\n"
	    "#key_file =\n"
	    "\n# Value: a size, 1k..64k\n#size =\n");
	buf_fini(&out);
}

static void
prints_a_table_as_man_page(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	conf_reference("man", "part", "about it", printed, 2, &out);
	assert_string_equal(buf_text(&out),
	    ".Ss Section part\nabout it\n.Bl -tag -width Ds\n"
	    ".It Cm word\nOne sentence.\nAnother one.\n.Pp\n"
	    "Value: text; by default \" \\e\"a\\e\\eb\\e\" # c\".\nExample:\n"
	    ".Bd -literal -offset indent -compact\nword = .x \\-y\n.Ed\n"
	    ".It Cm key_file\nHidden.\n.Pp\n"
	    "Value: the path of a file that only the server can read; or CONVRO_PART_KEY in\n"
	    "the environment, or the systemd credential part.key.\n"
	    ".El\n");
	buf_fini(&out);
}

static void
prints_nothing_of_an_empty_table(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	conf_reference("conf", "part", "about it", printed, 0, &out);
	conf_reference("man", "part", "about it", printed, 0, &out);
	assert_int_equal(out.len, 0);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_the_defaults_of_the_contract),
		cmocka_unit_test(takes_directories_instead_of_the_installed_ones),
		cmocka_unit_test(wants_addresses_with_ports),
		cmocka_unit_test(wants_each_module_once),
		cmocka_unit_test(wants_origins_and_networks),
		cmocka_unit_test(refuses_a_password_in_the_address_of_the_store),
		cmocka_unit_test(keeps_the_store_address_as_text_and_as_secret),
		cmocka_unit_test(refuses_what_no_server_could_run_with),
		cmocka_unit_test(prints_a_file_that_reads_as_the_defaults),
		cmocka_unit_test(prints_a_table_as_file),
		cmocka_unit_test(prints_a_table_as_man_page),
		cmocka_unit_test(prints_nothing_of_an_empty_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
