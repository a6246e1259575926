/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server of two workers on a loopback port, around a module that a test
 * gives, and a client that speaks raw bytes.  No store, no loaded modules.
 */
#ifndef HTTP_KIT_H
#define HTTP_KIT_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "auth/slot.h"
#include "base/clock.h"
#include "bus/bus.h"
#include "conf/conf.h"
#include "conf/core_options.h"
#include "http/http.h"
#include "log/log.h"
#include "loop/ctx.h"
#include "loop/module.h"
#include "loop/offload.h"
#include "server.h"
#include "json/table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define KIT_WORKERS 2

struct kit {
	struct server server;
	struct module module;
	struct convro_module descriptor;
	struct auth_slot auth;
	uint16_t port;
};

/* An answer as it came. */
struct answer {
	int status;
	char head[4096];
	char *body; /* freed by answer_free */
	size_t len;
};

static void
kit_verify(struct convro_ctx *ctx, void *self, const char *token, size_t len, convro_verified *done,
    void *arg)
{
	const struct convro_principal principal = {
		.size = sizeof(principal), .user_id = 7, .device_id = 9, .number = "123456"
	};

	(void)self;
	if (len == 4 && strncmp(token, "good", 4) == 0)
		done(ctx, arg, NULL, &principal);
	else if (len == 4 && strncmp(token, "down", 4) == 0)
		done(ctx, arg, "DB_UNAVAILABLE", NULL);
	else
		done(ctx, arg, "TOKEN_INVALID", NULL);
}

static int
kit_worker_init(struct worker *worker, void *arg)
{
	return http_worker_init(arg, worker);
}

static int
kit_worker_drain(struct worker *worker, void *arg)
{
	http_worker_drain(arg, worker);
	return 0;
}

static int
kit_worker_busy(struct worker *worker, void *arg)
{
	(void)arg;
	return (int)http_worker_busy(worker) + (int)worker->context_count;
}

static int
kit_worker_fini(struct worker *worker, void *arg)
{
	http_worker_fini(arg, worker);
	return 0;
}

/* `settings`: "section.option=value", ended by NULL; "server.listen=" only as the first. */
static inline struct kit *
kit_new(const struct convro_route *routes, uint32_t route_count, const struct convro_hook *hooks,
    uint32_t hook_count, const char *const *settings)
{
	struct kit *kit = calloc(1, sizeof(*kit));
	struct server *server = &kit->server;
	struct buf mistakes;
	sigset_t pipe;

	/* As the program does: libevent writes to connections that the peer has reset. */
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	buf_init(&mistakes, 0);
	server->conf = conf_new();
	assert_non_null(server->conf);
	if (settings == NULL || strncmp(settings[0], "server.listen=", 14) != 0)
		assert_int_equal(conf_set(server->conf, "server.listen=127.0.0.1:0"), 0);
	for (; settings != NULL && *settings != NULL; settings++)
		assert_int_equal(conf_set(server->conf, *settings), 0);
	assert_int_equal(core_options_declare(server->conf), 0);
	assert_int_equal(conf_finish(server->conf, &mistakes), 0);
	buf_fini(&mistakes);
	assert_int_equal(
	    log_configure(log_get(), "text", conf_text(server->conf, "log", "level"), ""), 0);
	kit->descriptor.version = "1.0.0";
	kit->module = (struct module){ .server = server,
		.name = "kit",
		.descriptor = &kit->descriptor,
		.self = kit,
		.routes = routes,
		.route_count = route_count,
		.hooks = hooks,
		.hook_count = hook_count };
	server->core.name = "core";
	server->modules = &kit->module;
	server->module_count = 1;
	server->version = "0.1.0";
	server->worker_count = KIT_WORKERS;
	server->workers = workers_new(server, KIT_WORKERS);
	assert_non_null(server->workers);
	server->offload = offload_new(1, 64);
	for (uint32_t i = 0; i < KIT_WORKERS; i++)
		server->workers[i].offload = server->offload;
	kit->auth = (struct auth_slot){ .module = &kit->module, .verify = kit_verify };
	server->auth = &kit->auth;
	server->started_ms = clock_mono_ms();
	server->bus = bus_new(server);
	assert_non_null(server->bus);
	server->http = http_new(server);
	return kit;
}

static inline void
kit_start(struct kit *kit)
{
	struct server *server = &kit->server;

	assert_non_null(server->http);
	assert_int_equal(http_listen(server->http), 0);
	kit->port = (uint16_t)strtoul(strrchr(http_address(server->http), ':') + 1, NULL, 10);
	assert_int_equal(workers_start(server->workers, KIT_WORKERS), 0);
	assert_int_equal(
	    workers_each(server->workers, KIT_WORKERS, kit_worker_init, server->http), 0);
}

/* Requests and contexts that are still there. */
static inline int
kit_busy(struct kit *kit)
{
	return workers_each(kit->server.workers, KIT_WORKERS, kit_worker_busy, NULL);
}

/* Waits until nothing is under way, ten seconds at most. */
static inline bool
kit_settles(struct kit *kit)
{
	for (int i = 0; i < 1000; i++) {
		if (kit_busy(kit) == 0)
			return true;
		usleep(10000);
	}
	return false;
}

static inline void
kit_drain(struct kit *kit)
{
	(void)workers_each(kit->server.workers, KIT_WORKERS, kit_worker_drain, kit->server.http);
}

static inline void
kit_free(struct kit *kit)
{
	struct server *server = &kit->server;

	if (server->workers[0].started) {
		(void)workers_each(server->workers, KIT_WORKERS, kit_worker_fini, server->http);
		offload_free(server->offload);
		workers_stop(server->workers, KIT_WORKERS);
	} else {
		offload_free(server->offload);
	}
	http_free(server->http);
	bus_free(server->bus);
	workers_free(server->workers, KIT_WORKERS);
	conf_free(server->conf);
	free(kit);
}

/* ---- client ---- */

static inline int
dial(const struct kit *kit)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(kit->port) };
	const struct timeval patience = { 20, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static inline void
say_n(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		text += sent;
		len -= (size_t)sent;
	}
}

static inline void
say(int fd, const char *text)
{
	say_n(fd, text, strlen(text));
}

/* The value of a header of the answer, or NULL; borrowed until the next call. */
static inline const char *
header_of(const struct answer *answer, const char *name)
{
	static char value[512];
	size_t len = strlen(name);

	for (const char *line = strstr(answer->head, "\r\n"); line != NULL;
	     line = strstr(line + 2, "\r\n")) {
		if (strncasecmp(line + 2, name, len) != 0 || line[2 + len] != ':')
			continue;
		line += 2 + len + 1;
		line += strspn(line, " ");
		(void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(line, "\r"), line);
		return value;
	}
	return NULL;
}

/* Reads one answer; status 0 when the connection ended before one.  `bodiless`: of a HEAD. */
static inline struct answer
hear(int fd, bool bodiless)
{
	struct answer answer = { 0 };
	size_t at = 0;
	const char *length;

	while (at < sizeof(answer.head) - 1 && recv(fd, answer.head + at, 1, 0) == 1)
		if (++at >= 4 && memcmp(answer.head + at - 4, "\r\n\r\n", 4) == 0)
			break;
	if (at < 12)
		return answer;
	answer.status = (int)strtol(answer.head + 9, NULL, 10);
	length = header_of(&answer, "content-length");
	answer.len = length != NULL && !bodiless ? strtoul(length, NULL, 10) : 0;
	answer.body = calloc(1, answer.len + 1);
	for (size_t got = 0; got < answer.len;) {
		ssize_t n = recv(fd, answer.body + got, answer.len - got, 0);

		assert_true(n > 0);
		got += (size_t)n;
	}
	return answer;
}

static inline void
answer_free(struct answer *answer)
{
	free(answer->body);
	answer->body = NULL;
}

/* True when the peer has ended the connection and sent nothing more. */
static inline bool
is_over(int fd)
{
	char byte;

	return recv(fd, &byte, 1, 0) <= 0;
}

/* One request on a connection of its own. */
static inline struct answer
ask(const struct kit *kit, const char *text)
{
	int fd = dial(kit);
	struct answer answer;

	say(fd, text);
	answer = hear(fd, strncmp(text, "HEAD", 4) == 0);
	(void)close(fd);
	return answer;
}

/* Sends, and checks status and a piece of the body (NULL = any). */
static inline void
expect(const struct kit *kit, const char *text, int status, const char *piece)
{
	struct answer answer = ask(kit, text);

	if (answer.status != status || (piece != NULL && strstr(answer.body, piece) == NULL))
		fail_msg("%.80s...: %d %s, expected %d %s", text, answer.status,
		    answer.body != NULL ? answer.body : "", status, piece != NULL ? piece : "");
	answer_free(&answer);
}

#endif
