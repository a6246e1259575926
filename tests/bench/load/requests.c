/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios that are one request after the other: send, history, conversations,
 * bundle, resolve, me, login, health, get.  An answer counts when it has the
 * right status and what belongs into it.
 */
#include "driver.h"
#include "http.h"
#include "request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct run {
	struct load *load;
	struct driver driver;
	struct http http;
	struct requests requests;
	const struct kind *kind;
	uint64_t without; /* answers with `missing` */
};

struct kind {
	const char *name;
	int status;
	const char *expected; /* in the body; NULL = anything */
	const char *missing;  /* allowed in the body, but counted */
	void (*write)(struct run *run, uint64_t number);
};

/* Users and sessions take turns. */
static uint64_t
user_of(const struct run *run, uint64_t number)
{
	return run->load->options->first_user + number % run->load->options->users;
}

static uint64_t
session_of(const struct run *run, uint64_t number)
{
	return 1 + number % run->load->options->sessions;
}

static void
write_send(struct run *run, uint64_t number)
{
	request_message(&run->requests, session_of(run, number), number);
}

static void
write_history(struct run *run, uint64_t number)
{
	uint64_t session = session_of(run, number);

	request_get(&run->requests, INITIATOR_OF(session),
	    "/v1/dm/messages/history?sessionId=%08" PRIx64 "&limit=%" PRIu64, session,
	    run->load->options->page);
}

static void
write_conversations(struct run *run, uint64_t number)
{
	request_get(&run->requests, user_of(run, number),
	    "/v1/dm/messages/conversations?limit=%" PRIu64, run->load->options->page);
}

/* Another target for the same caller each time, so that no pair is used up. */
static void
write_bundle(struct run *run, uint64_t number)
{
	uint64_t target = user_of(run, number + number / run->load->options->users + 1);

	request_get(&run->requests, user_of(run, number),
	    "/v1/prekeys/bundle?user_id=%" PRIu64 "&device_id=%016" PRIx64, target,
	    DEVICE_OF(target));
}

static void
write_resolve(struct run *run, uint64_t number)
{
	request_get(&run->requests, user_of(run, number),
	    "/v1/users/resolve?convroNumber=%%2B99%010" PRIu64, user_of(run, 7 * number + 1));
}

static void
write_me(struct run *run, uint64_t number)
{
	request_get(&run->requests, user_of(run, number), "/v1/auth/me");
}

static void
write_login(struct run *run, uint64_t number)
{
	uint64_t user = user_of(run, number);
	char body[512];
	int len = snprintf(body, sizeof(body),
	    "{\"convroNumber\":\"+99%010" PRIu64 "\",\"password\":\"%s\",\"deviceId\":\"%016" PRIx64
	    "\"}",
	    user, run->load->options->password, DEVICE_OF(user));

	if (len < 0 || (size_t)len >= sizeof(body))
		die("the password is too long");
	request_post(&run->requests, 0, "/v1/auth/login", body);
}

static void
write_health(struct run *run, uint64_t number)
{
	(void)number;
	request_get(&run->requests, 0, "/health");
}

static void
write_get(struct run *run, uint64_t number)
{
	request_get(&run->requests, user_of(run, number), "%s", run->load->options->path);
}

static const struct kind kinds[] = {
	{ "send", 201, "\"deduped\":false", NULL, write_send },
	{ "history", 200, "\"messages\":[{", NULL, write_history },
	{ "conversations", 200, "\"conversations\":[{", NULL, write_conversations },
	{ "bundle", 200, "\"signedPrekeyId\":\"", "\"oneTimePrekeyId\":null", write_bundle },
	{ "resolve", 200, "\"userId\":", NULL, write_resolve },
	{ "me", 200, "\"userId\":", NULL, write_me },
	{ "login", 200, "\"accessToken\":", NULL, write_login },
	{ "health", 200, "\"status\":\"ok\"", NULL, write_health },
	{ "get", 200, NULL, NULL, write_get },
};

static void
answered(struct http_connection *connection, int status, const char *body, size_t len)
{
	struct run *run = connection->all->arg;
	const struct kind *kind = run->kind;
	bool good = status == kind->status &&
		    (kind->expected == NULL ||
			memmem(body, len, kind->expected, strlen(kind->expected)) != NULL);

	if (good)
		driver_completed(&run->driver, run->driver.intended[connection->number], now_ns());
	else
		measure_error(run->load->measure, "status %d: %.*s", status,
		    (int)(len < 200 ? len : 200), body);
	if (good && kind->missing != NULL &&
	    memmem(body, len, kind->missing, strlen(kind->missing)) != NULL)
		run->without++;
	driver_release(&run->driver, connection->number);
}

static void
failed(struct http_connection *connection, const char *why)
{
	struct run *run = connection->all->arg;

	measure_error(run->load->measure, "%s", why);
	driver_release(&run->driver, connection->number);
}

static const struct http_events events = { .answered = answered, .failed = failed };

static void
issue(struct driver *driver, uint32_t slot, uint64_t number, uint64_t intended)
{
	struct run *run = driver->arg;

	(void)intended;
	run->kind->write(run, number);
	http_send(&run->http.list[slot], run->requests.text, run->requests.len);
}

static const struct kind *
find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

bool
scenario_requests(struct load *load, const char *name)
{
	const struct options *options = load->options;
	uint32_t count = (uint32_t)options->connections;
	struct run run = { .load = load,
		.driver = { .issue = issue, .arg = &run },
		.http = { .loop = load->loop,
		    .endpoint = load->endpoint,
		    .events = &events,
		    .arg = &run },
		.kind = find(name) };

	if (run.kind == NULL)
		return false;
	requests_init(&run.requests, load);
	http_init(&run.http, count);
	driver_init(&run.driver, load->loop, load->measure, count, options->rate);
	driver_run(&run.driver);
	if (run.kind->missing != NULL)
		measure_more(load->measure, "withoutOneTimeKey", "%" PRIu64, run.without);
	load->measure->resident_after = processes_resident(&options->server);
	http_fini(&run.http);
	driver_fini(&run.driver);
	requests_fini(&run.requests);
	return true;
}
