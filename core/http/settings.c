/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options that HTTP goes by, read once at start.
 */
#include "conf/conf.h"
#include "http/internal.h"

#include <stdlib.h>
#include <string.h>

static int
read_proxies(struct http_settings *settings, const char *words)
{
	size_t room = strlen(words) / 2 + 1;

	settings->proxies = calloc(room, sizeof(*settings->proxies));
	if (settings->proxies == NULL) {
		log_error("out of memory");
		return -1;
	}
	for (const char *at = words + strspn(words, " \t"); *at != '\0';) {
		size_t len = strcspn(at, " \t");

		if (!network_parse(at, len, &settings->proxies[settings->proxy_count])) {
			log_error(
			    "[server] trusted_proxies: \"%.*s\" is no address or network, such "
			    "as 10.0.0.0/8",
			    (int)len, at);
			return -1;
		}
		settings->proxy_count++;
		at += len;
		at += strspn(at, " \t");
	}
	return 0;
}

int
settings_read(struct http_settings *settings, const struct conf *conf)
{
	settings->request_timeout_ms = conf_int(conf, "server", "request_timeout");
	settings->idle_timeout_ms = conf_int(conf, "server", "idle_timeout");
	settings->answer_timeout_ms = conf_int(conf, "server", "answer_timeout");
	settings->max_connections = (uint32_t)conf_int(conf, "server", "max_connections");
	settings->cors_origins = conf_text(conf, "server", "cors_origins");
	settings->log_addresses = conf_int(conf, "log", "addresses") != 0;
	settings->limits = (struct guard_limits){
		.request_line_max = (size_t)conf_int(conf, "server", "request_line_max"),
		.header_block_max = (size_t)conf_int(conf, "server", "header_block_max"),
		.header_count_max = (size_t)conf_int(conf, "server", "header_count_max"),
		.body_max = (size_t)conf_int(conf, "server", "max_body"),
	};
	return read_proxies(settings, conf_text(conf, "server", "trusted_proxies"));
}
