/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The core's option tables.  Each paragraph is printed in convro.conf(5) and
 * in the annotated convro.conf; checks beyond the type are in core_checks.c.
 */
#include "conf/core_options.h"

#include "conf/core_checks.h"

#include <string.h>

#ifndef CONVRO_MODULE_DIR
#define CONVRO_MODULE_DIR "/usr/lib/convro/modules"
#endif
#ifndef CONVRO_DRIVER_DIR
#define CONVRO_DRIVER_DIR "/usr/lib/convro/drivers"
#endif

#define KIB 1024
#define MIB (1024 * 1024)
#define GIB (1024 * MIB)

#define SECONDS 1000
#define MINUTES (60 * SECONDS)

static const struct convro_option server_options[] = {
	{ .name = "listen",
	    .type = CONVRO_OPTION_WORDS,
	    .initial = "127.0.0.1:8080",
	    .summary =
		"Addresses and ports to listen on: IPv4, or IPv6 in brackets. Port 0 lets the system choose one, which the log tells. The server speaks plain HTTP; put a proxy that speaks TLS in front of it before it leaves the machine.",
	    .example = "0.0.0.0:8080 [::]:8080" },
	{ .name = "workers",
	    .type = CONVRO_OPTION_INT,
	    .initial = "0",
	    .summary =
		"Threads that serve connections; 0 means one for each processor. More than processors helps nothing, since a worker never waits.",
	    .example = "4",
	    .max = 256 },
	{ .name = "max_connections",
	    .type = CONVRO_OPTION_INT,
	    .initial = "10000",
	    .summary =
		"Connections a worker holds at most; further ones wait to be accepted. The limit of open files (LimitNOFILE in the unit) has to be higher than workers times this.",
	    .example = "50000",
	    .min = 16,
	    .max = 1000000 },
	{ .name = "modules",
	    .type = CONVRO_OPTION_WORDS,
	    .initial =
		"status auth users prekeys dm_sessions dm_messages receipts socketio dm_typing ratelimit",
	    .summary =
		"Modules to load. The order does not matter: what a module needs starts before it. A name without a slash is looked for in module_dir, an absolute path is taken as it is.",
	    .example = "status auth users prekeys dm_sessions dm_messages" },
	{ .name = "module_dir",
	    .type = CONVRO_OPTION_TEXT,
	    .initial = "",
	    .summary =
		"Directory of the modules; empty means where the server was installed. It and the modules must not be writable by others.",
	    .example = "/opt/convro/modules" },
	{ .name = "driver_dir",
	    .type = CONVRO_OPTION_TEXT,
	    .initial = "",
	    .summary =
		"Directory of the storage drivers; empty means where the server was installed.",
	    .example = "/opt/convro/drivers" },
	{ .name = "max_body",
	    .type = CONVRO_OPTION_SIZE,
	    .initial = "1m",
	    .summary =
		"Largest body of a request; a larger one is answered with 413. A route may have a lower limit of its own.",
	    .example = "256k",
	    .min = 4 * KIB,
	    .max = 64 * MIB },
	{ .name = "request_timeout",
	    .type = CONVRO_OPTION_DURATION,
	    .initial = "15s",
	    .summary =
		"How long a request may take to arrive whole, from its first byte on; then it is answered with 408. This is what stops clients that send a byte now and then.",
	    .example = "30s",
	    .min = 1 * SECONDS,
	    .max = 10 * MINUTES },
	{ .name = "answer_timeout",
	    .type = CONVRO_OPTION_DURATION,
	    .initial = "30s",
	    .summary =
		"How long an answer may take once the request has arrived; then it is answered with 503. Writes that were on their way still happen.",
	    .example = "10s",
	    .min = 1 * SECONDS,
	    .max = 10 * MINUTES },
	{ .name = "idle_timeout",
	    .type = CONVRO_OPTION_DURATION,
	    .initial = "75s",
	    .summary =
		"How long a connection may stay open between two requests. A proxy in front should close its side first, so its own figure should be lower.",
	    .example = "2m",
	    .min = 1 * SECONDS,
	    .max = 60 * MINUTES },
	{ .name = "drain_timeout",
	    .type = CONVRO_OPTION_DURATION,
	    .initial = "10s",
	    .summary =
		"How long a server that was told to stop lets requests finish and clients say goodbye. The unit's TimeoutStopSec has to be longer.",
	    .example = "30s",
	    .max = 10 * MINUTES },
	{ .name = "request_line_max",
	    .type = CONVRO_OPTION_SIZE,
	    .initial = "8k",
	    .summary = "Longest request line; a longer one is answered with 414.",
	    .example = "4k",
	    .min = 512,
	    .max = 64 * KIB },
	{ .name = "header_block_max",
	    .type = CONVRO_OPTION_SIZE,
	    .initial = "16k",
	    .summary = "Bytes of all header fields of a request; more are answered with 431.",
	    .example = "32k",
	    .min = 1 * KIB,
	    .max = 256 * KIB },
	{ .name = "header_count_max",
	    .type = CONVRO_OPTION_INT,
	    .initial = "64",
	    .summary = "Header fields of a request; more are answered with 431.",
	    .example = "100",
	    .min = 8,
	    .max = 1000 },
	{ .name = "cors_origins",
	    .type = CONVRO_OPTION_WORDS,
	    .initial = "",
	    .summary =
		"Origins whose pages may call the server from a browser, as scheme, host and perhaps port without a slash behind. * allows every origin, but never with credentials. Empty allows none.",
	    .example = "https://app.example.org http://localhost:5173" },
	{ .name = "trusted_proxies",
	    .type = CONVRO_OPTION_WORDS,
	    .initial = "",
	    .summary =
		"Addresses or networks of proxies whose X-Forwarded-For is believed; the client's address, which limits count by, is then the last one there that is not of a trusted proxy. Name your own proxies only: whoever is in this list can pretend to be anybody.",
	    .example = "127.0.0.1 ::1 10.0.0.0/8" },
	{ .name = "offload_threads",
	    .type = CONVRO_OPTION_INT,
	    .initial = "0",
	    .summary =
		"Threads for work that burns, such as password hashes; 0 means one for each processor, at most 4. Each needs 64 MiB while it hashes.",
	    .example = "2",
	    .max = 64 },
	{ .name = "offload_queue",
	    .type = CONVRO_OPTION_INT,
	    .initial = "64",
	    .summary =
		"How much of that work may wait; what comes on top is answered with 503 at once.",
	    .example = "256",
	    .min = 1,
	    .max = 65536 },
};

static const struct convro_option storage_options[] = {
	{ .name = "engine",
	    .type = CONVRO_OPTION_CHOICE,
	    .initial = "sqlite",
	    .summary =
		"Where the data lives: in a file of this machine, which needs no set-up, or in a PostgreSQL server.",
	    .example = "postgresql",
	    .values = "sqlite postgresql" },
	{ .name = "path",
	    .type = CONVRO_OPTION_TEXT,
	    .initial = "convro.db",
	    .summary =
		"The database file of SQLite; a relative path starts at the directory the server was started in (the unit starts it in /var/lib/convro). Two further files of the same name with -wal and -shm belong to it: back them up together, or with VACUUM INTO.",
	    .example = "/var/lib/convro/convro.db" },
	{ .name = "url",
	    .type = CONVRO_OPTION_TEXT,
	    .initial = "",
	    .summary =
		"How to reach PostgreSQL, as libpq understands it. It must not hold a password: name a service, use PGPASSFILE, or put the whole address into url_file.",
	    .example = "postgresql://convro@/convro?host=/run/postgresql" },
	{ .name = "url",
	    .type = CONVRO_OPTION_SECRET,
	    .initial = "",
	    .summary =
		"A file with the address of PostgreSQL, which may hold a password there; it goes before url.",
	    .example = "/etc/convro/storage_url" },
	{ .name = "synchronous",
	    .type = CONVRO_OPTION_CHOICE,
	    .initial = "full",
	    .summary =
		"full: whatever was answered is on the disk. normal: faster on slow disks, but a loss of power may take the last moments' messages, which their senders believe to be stored. SQLite only.",
	    .example = "normal",
	    .values = "full normal" },
	{ .name = "readers",
	    .type = CONVRO_OPTION_INT,
	    .initial = "2",
	    .summary =
		"Connections that read, beside the one that writes; on PostgreSQL for each worker thread. More help when reads wait in line and the disk or the PostgreSQL server has room.",
	    .example = "4",
	    .min = 1,
	    .max = 16 },
	{ .name = "queue_max",
	    .type = CONVRO_OPTION_INT,
	    .initial = "4096",
	    .summary =
		"Requests that may wait for the database; what comes on top is answered with 503 at once.",
	    .example = "16384",
	    .min = 16,
	    .max = 1000000 },
	{ .name = "group_max",
	    .type = CONVRO_OPTION_INT,
	    .initial = "256",
	    .summary =
		"Writes that share one commit at most. Whatever queued while the last commit ran goes into the next, so that many senders cost few disk flushes.",
	    .example = "512",
	    .min = 1,
	    .max = 4096 },
	{ .name = "cache_size",
	    .type = CONVRO_OPTION_SIZE,
	    .initial = "64m",
	    .summary =
		"Memory for pages of the database file, for all connections together. SQLite only.",
	    .example = "256m",
	    .min = 1 * MIB,
	    .max = 64ll * GIB },
	{ .name = "connect_timeout",
	    .type = CONVRO_OPTION_DURATION,
	    .initial = "10s",
	    .summary =
		"How long a connection to PostgreSQL may take to come about before it is tried anew.",
	    .example = "3s",
	    .min = 1 * SECONDS,
	    .max = 10 * MINUTES },
};

static const struct convro_option log_options[] = {
	{ .name = "level",
	    .type = CONVRO_OPTION_CHOICE,
	    .initial = "info",
	    .summary =
		"Lines of this kind and graver ones are written. debug has a line for each request.",
	    .example = "warning",
	    .values = "error warning info debug" },
	{ .name = "format",
	    .type = CONVRO_OPTION_CHOICE,
	    .initial = "text",
	    .summary = "text is for people, json (one object in a line) for log collectors.",
	    .example = "json",
	    .values = "text json" },
	{ .name = "file",
	    .type = CONVRO_OPTION_TEXT,
	    .initial = "",
	    .summary =
		"A file to append to; empty means standard error, which a systemd unit sends to the journal. SIGHUP opens the file again.",
	    .example = "/var/log/convro/convro.log" },
	{ .name = "addresses",
	    .type = CONVRO_OPTION_BOOL,
	    .initial = "off",
	    .summary =
		"Whether clients' addresses appear in the log. They are personal data: leave it off unless you need them.",
	    .example = "on" },
};

static const struct {
	const char *name, *summary;
	const struct convro_option *options;
	uint32_t count;
} sections[] = {
	{ "server", "Listening, modules and limits", server_options,
	    sizeof(server_options) / sizeof(server_options[0]) },
	{ "storage", "Where the data lives", storage_options,
	    sizeof(storage_options) / sizeof(storage_options[0]) },
	{ "log", "What is written down, where and how", log_options,
	    sizeof(log_options) / sizeof(log_options[0]) },
};
#define SECTION_COUNT (sizeof(sections) / sizeof(sections[0]))

int
core_options_declare(struct conf *conf)
{
	for (size_t i = 0; i < SECTION_COUNT; i++) {
		if (conf_declare(conf, sections[i].name, sections[i].options, sections[i].count) !=
		    0)
			return -1;
	}
	conf_add_check(conf, "server", "listen", check_listen);
	conf_add_check(conf, "server", "modules", check_modules);
	conf_add_check(conf, "server", "cors_origins", check_origins);
	conf_add_check(conf, "server", "trusted_proxies", check_networks);
	conf_add_check(conf, "storage", "url", check_url);
	return 0;
}

const char *
core_options_module_dir(const struct conf *conf)
{
	const char *dir = conf_text(conf, "server", "module_dir");
	return *dir != '\0' ? dir : CONVRO_MODULE_DIR;
}

const char *
core_options_driver_dir(const struct conf *conf)
{
	const char *dir = conf_text(conf, "server", "driver_dir");
	return *dir != '\0' ? dir : CONVRO_DRIVER_DIR;
}

void
core_options_reference(const char *form, struct buf *out)
{
	if (strcmp(form, "conf") == 0)
		conf_reference_head(out);
	for (size_t i = 0; i < SECTION_COUNT; i++)
		conf_reference(form, sections[i].name, sections[i].summary, sections[i].options,
		    sections[i].count, out);
}
