/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration reader: any bytes as a file, and as a --set of the command
 * line.  Every option keeps a value that fits its type, and each mistake is
 * one line.
 */
#include "base/must.h"
#include "conf/core_options.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct convro_option options[] = {
	{ .name = "rate", .type = CONVRO_OPTION_RATE, .initial = "60/h" },
	{ .name = "number", .type = CONVRO_OPTION_INT, .initial = "-3", .min = -5, .max = 5 },
	{ .name = "secret", .type = CONVRO_OPTION_SECRET, .initial = "" },
};

static void
check_values(const struct conf *conf)
{
	struct convro_rate rate = { .size = sizeof(rate) };

	conf_rate(conf, "fuzz", "rate", &rate);
	MUST(rate.enabled == 0 || (rate.per_second > 0 && rate.burst >= 1));
	MUST(conf_int(conf, "fuzz", "number") >= -5 && conf_int(conf, "fuzz", "number") <= 5);
	MUST(conf_int(conf, "server", "max_body") >= 4096);
	MUST(conf_int(conf, "server", "request_timeout") >= 1000);
	MUST(strcmp(conf_text(conf, "storage", "engine"), "sqlite") == 0 ||
	     strcmp(conf_text(conf, "storage", "engine"), "postgresql") == 0);
	MUST(conf_text(conf, "server", "listen")[0] != '\0');
}

static void
check_mistakes(struct conf *conf)
{
	struct buf out;
	uint32_t count, lines = 0;

	buf_init(&out, 0);
	count = conf_finish(conf, &out);
	for (size_t i = 0; i < out.len; i++) {
		MUST(out.data[i] == '\n' || (unsigned char)out.data[i] >= ' ');
		lines += out.data[i] == '\n';
	}
	MUST(lines == count || (count > lines && lines == 501));
	buf_fini(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf *conf = conf_new();
	char *text = malloc(size + 1);

	if (conf == NULL || text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	MUST(conf_read_text(conf, "fuzz.conf", text, size) == 0);
	MUST(core_options_declare(conf) == 0);
	MUST(conf_declare(conf, "fuzz", options, sizeof(options) / sizeof(options[0])) == 0);
	check_values(conf);
	MUST(conf_set(conf, text) == 0);
	check_values(conf);
	check_mistakes(conf);
	conf_free(conf);
	free(text);
	return 0;
}
