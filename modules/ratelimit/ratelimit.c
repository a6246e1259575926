/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ratelimit - named limits on the public hooks.  Read this file first: it lists
 * every limit.  Each answers 429 RATE_LIMITED with Retry-After, except
 * one_time, which hands out bundles without a one-time key, and socket, which
 * the protocol answers in a way of its own.
 */
#include "ratelimit.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

const struct convro_api *convro;

enum {
	LIMIT_LOGIN,
	LIMIT_REGISTER,
	LIMIT_BUNDLE,
	LIMIT_ONE_TIME,
	LIMIT_SEND,
	LIMIT_SOCKET,
	LIMIT_COUNT
};

static const char *const limit_names[LIMIT_COUNT] = { "login", "register", "bundle", "one_time",
	"send", "socket" };

static const struct convro_option options[] = {
	{ .name = "login",
	    .type = CONVRO_OPTION_RATE,
	    .initial = "10/15m",
	    .summary =
		"Failed logins of one identifier from one address, loopback included; unknown identifiers count. "
		"While it is exceeded the right password is refused as well.",
	    .example = "5/h" },
	{ .name = "register",
	    .type = CONVRO_OPTION_RATE,
	    .initial = "60/h",
	    .summary =
		"Registrations from one address. Loopback is spared, so that a proxy that is not in "
		"server.trusted_proxies does not limit everybody.",
	    .example = "10/d" },
	{ .name = "bundle",
	    .type = CONVRO_OPTION_RATE,
	    .initial = "120/min",
	    .summary = "Prekey bundles that one device may ask for.",
	    .example = "30/min" },
	{ .name = "one_time",
	    .type = CONVRO_OPTION_RATE,
	    .initial = "2/h burst 60",
	    .summary =
		"One-time keys of one device that one calling user gets. Beyond it bundles come without one, so "
		"that no account drains a device.",
	    .example = "1/h burst 20" },
	{ .name = "send",
	    .type = CONVRO_OPTION_RATE,
	    .initial = "50/s burst 500",
	    .summary = "Messages that one device may send.",
	    .example = "10/s burst 100" },
	{ .name = "socket",
	    .type = CONVRO_OPTION_RATE,
	    .initial = "off",
	    .summary =
		"Realtime sessions that may be opened from one address, with a good token or without; loopback is "
		"spared. All devices behind one router share its address, and come back together after an outage.",
	    .example = "10/s burst 1000" },
	{ .name = "buckets",
	    .type = CONVRO_OPTION_INT,
	    .initial = "65536",
	    .min = 1024,
	    .max = 16777216,
	    .summary =
		"How many pairs of limit and key are remembered; 48 bytes each, used as needed. When there are "
		"more, those that were used least forget.",
	    .example = "1048576" },
};

struct ratelimit {
	struct buckets *buckets;
	struct convro_rate rates[LIMIT_COUNT];
};

static bool
take(struct convro_ctx *ctx, struct ratelimit *ratelimit, int limit, const void *key, size_t len,
    uint32_t *retry_after)
{
	return buckets_take(ratelimit->buckets, &ratelimit->rates[limit], limit_names[limit], key,
	    len, convro->timer->now(ctx), retry_after);
}

static bool
is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
	       strncmp(address, "::ffff:127.", 11) == 0;
}

/* "http.request" */
static int
on_request(struct convro_ctx *ctx, void *self, const void *subject)
{
	const struct convro_on_request *request = subject;
	const char *class = request->route->rate;
	uint32_t retry_after = 0;
	bool taken = true;

	if (class == NULL)
		return CONVRO_NO_OPINION;
	if (strcmp(class, "register") == 0 && !is_loopback(request->address))
		taken = take(ctx, self, LIMIT_REGISTER, request->address, strlen(request->address),
		    &retry_after);
	else if (strcmp(class, "bundle") == 0 && request->principal != NULL)
		taken = take(ctx, self, LIMIT_BUNDLE, &request->principal->device_id,
		    sizeof(request->principal->device_id), &retry_after);
	else if (strcmp(class, "send") == 0 && request->principal != NULL)
		taken = take(ctx, self, LIMIT_SEND, &request->principal->device_id,
		    sizeof(request->principal->device_id), &retry_after);
	return taken ? CONVRO_NO_OPINION : convro->bus->deny(ctx, 429, "RATE_LIMITED", retry_after);
}

/* Identifier and address in one text; neither can hold a line feed. */
static const char *
pair_of(struct convro_ctx *ctx, const char *identifier, const char *address, size_t *len)
{
	size_t first = strlen(identifier), second = strlen(address);
	char *text = convro->mem->alloc(ctx, first + second + 1);

	*len = first + second + 1;
	if (text == NULL)
		return NULL;
	/* The address first: an overlong identifier is cut, the address never. */
	memcpy(text, address, second);
	text[second] = '\n';
	memcpy(text + second + 1, identifier, first);
	return text;
}

/* "auth.login": each attempt takes a token, so that many at once cannot pass together; a success
 * and what never came to a decision give it back. */
static int
on_login(struct convro_ctx *ctx, void *self, const void *subject)
{
	const struct convro_on_login *login = subject;
	uint32_t retry_after;
	size_t len;
	const char *pair = pair_of(ctx, login->identifier, login->address, &len);

	if (pair == NULL)
		return convro->bus->deny(ctx, 503, "OVERLOADED", 1);
	if (take(ctx, self, LIMIT_LOGIN, pair, len, &retry_after))
		return CONVRO_NO_OPINION;
	return convro->bus->deny(ctx, 429, "RATE_LIMITED", retry_after);
}

/* "auth.login.succeeded", "auth.login.undecided" */
static void
on_no_failure(struct convro_ctx *ctx, void *self, const void *fact)
{
	struct ratelimit *ratelimit = self;
	const struct convro_login_fact *login = fact;
	size_t len;
	const char *pair = pair_of(ctx, login->identifier, login->address, &len);

	if (pair != NULL)
		buckets_give_back(ratelimit->buckets, &ratelimit->rates[LIMIT_LOGIN],
		    limit_names[LIMIT_LOGIN], pair, len, convro->timer->now(ctx));
}

/* "socket.connect" */
static int
on_socket(struct convro_ctx *ctx, void *self, const void *subject)
{
	const struct convro_on_socket *socket = subject;
	uint32_t retry_after;

	if (is_loopback(socket->address) ||
	    take(ctx, self, LIMIT_SOCKET, socket->address, strlen(socket->address), &retry_after))
		return CONVRO_NO_OPINION;
	return convro->bus->deny(ctx, 429, "RATE_LIMITED", retry_after);
}

/* "prekeys.one_time" */
static int
on_one_time(struct convro_ctx *ctx, void *self, const void *subject)
{
	const struct convro_on_one_time *one_time = subject;
	const int64_t pair[2] = { one_time->caller_user, one_time->target_device };
	uint32_t retry_after;

	if (take(ctx, self, LIMIT_ONE_TIME, pair, sizeof(pair), &retry_after))
		return CONVRO_NO_OPINION;
	return convro->bus->deny(ctx, 429, "RATE_LIMITED", retry_after);
}

/* "prekeys.one_time.unused" */
static void
on_unused(struct convro_ctx *ctx, void *self, const void *fact)
{
	struct ratelimit *ratelimit = self;
	const struct convro_on_one_time *one_time = fact;
	const int64_t pair[2] = { one_time->caller_user, one_time->target_device };

	buckets_give_back(ratelimit->buckets, &ratelimit->rates[LIMIT_ONE_TIME],
	    limit_names[LIMIT_ONE_TIME], pair, sizeof(pair), convro->timer->now(ctx));
}

static const struct convro_hook hooks[] = {
	{ "http.request", on_request, 0 },
	{ "auth.login", on_login, 0 },
	{ "prekeys.one_time", on_one_time, 0 },
	{ "socket.connect", on_socket, 0 },
};

static const struct convro_subscription subscriptions[] = {
	{ "auth.login.succeeded", on_no_failure, 0 },
	{ "auth.login.undecided", on_no_failure, 0 },
	{ "prekeys.one_time.unused", on_unused, 0 },
};

static enum convro_status
init(struct convro_ctx *ctx, void **self)
{
	struct ratelimit *ratelimit = calloc(1, sizeof(*ratelimit));

	if (ratelimit == NULL || sodium_init() < 0) {
		free(ratelimit);
		return CONVRO_NO_MEMORY;
	}
	for (int i = 0; i < LIMIT_COUNT; i++) {
		ratelimit->rates[i].size = sizeof(ratelimit->rates[i]);
		convro->conf->get_rate(ctx, limit_names[i], &ratelimit->rates[i]);
	}
	ratelimit->buckets = buckets_new((uint32_t)convro->conf->get_int(ctx, "buckets"));
	if (ratelimit->buckets == NULL) {
		free(ratelimit);
		return CONVRO_NO_MEMORY;
	}
	*self = ratelimit;
	return CONVRO_OK;
}

static void
fini(struct convro_ctx *ctx, void *self)
{
	struct ratelimit *ratelimit = self;

	(void)ctx;
	buckets_free(ratelimit->buckets);
	free(ratelimit);
}

static const struct convro_module descriptor = {
	CONVRO_MODULE_HEAD,
	.name = "ratelimit",
	.version = "1.0.0",
	.summary = "named limits for logins, registrations, bundles, messages and sockets",
	.api = &convro,
	.options = CONVRO_LIST(options),
	.hooks = CONVRO_LIST(hooks),
	.subscriptions = CONVRO_LIST(subscriptions),
	.init = init,
	.fini = fini,
};

const struct convro_module *
convro_module_v1(void)
{
	return &descriptor;
}
