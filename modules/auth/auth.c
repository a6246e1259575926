/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth - accounts, devices, logins and the tokens that speak for them.  Read
 * this file first: it lists everything the module adds to the server.
 */
#include "cache.h"
#include "seen.h"

#include <jwt.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

const struct convro_api *convro;

static const struct convro_option options[] = {
	{ .name = "secret",
	    .type = CONVRO_OPTION_SECRET,
	    .initial = "",
	    .summary =
		"Signs the access tokens. At least 32 bytes; who knows it can speak as anybody, and changing it "
		"ends every access token.",
	    .example = "/etc/convro/secret" },
	{ .name = "algorithm",
	    .type = CONVRO_OPTION_CHOICE,
	    .initial = "HS256",
	    .values = "HS256 HS384 HS512",
	    .summary =
		"The algorithm of access tokens (RFC 7518). A token made with another one is refused, whatever "
		"its header says.",
	    .example = "HS512" },
	{ .name = "issuer",
	    .type = CONVRO_OPTION_TEXT,
	    .initial = "convro",
	    .summary = "The claim iss of access tokens; tokens of another issuer are refused.",
	    .example = "https://chat.example.org" },
	{ .name = "audience",
	    .type = CONVRO_OPTION_TEXT,
	    .initial = "convro",
	    .summary = "The claim aud of access tokens; tokens for another audience are refused.",
	    .example = "chat.example.org" },
	{ .name = "access_token_ttl",
	    .type = CONVRO_OPTION_DURATION,
	    .initial = "1h",
	    .min = 1000,
	    .max = 604800000,
	    .summary =
		"How long an access token is good for. A revocation takes effect at once, so it need not be short.",
	    .example = "15m" },
	{ .name = "refresh_token_ttl",
	    .type = CONVRO_OPTION_DURATION,
	    .initial = "30d",
	    .min = 1000,
	    .max = 31536000000,
	    .summary = "How long a device stays logged in without being used.",
	    .example = "90d" },
	{ .name = "refresh_reuse_grace",
	    .type = CONVRO_OPTION_DURATION,
	    .initial = "10s",
	    .min = 0,
	    .max = 3600000,
	    .summary =
		"How long after its rotation a refresh token may come back without ending the login: two tabs, "
		"or a lost answer. Later, or once its successor was used, a thief is assumed.",
	    .example = "30s" },
	{ .name = "device_limit",
	    .type = CONVRO_OPTION_INT,
	    .initial = "32",
	    .min = 1,
	    .max = 1000,
	    .summary = "The most devices an account may have at a time; removed ones do not count.",
	    .example = "8" },
	{ .name = "logins_per_device",
	    .type = CONVRO_OPTION_INT,
	    .initial = "8",
	    .min = 1,
	    .max = 100,
	    .summary = "The most live logins of one device; one more ends the oldest.",
	    .example = "2" },
	{ .name = "number_digits",
	    .type = CONVRO_OPTION_INT,
	    .initial = "6",
	    .min = 6,
	    .max = 12,
	    .summary =
		"Digits of a convro number after +99. Six make room for a million accounts. Choose before the "
		"first registration.",
	    .example = "8" },
	{ .name = "number_growth",
	    .type = CONVRO_OPTION_BOOL,
	    .initial = "off",
	    .summary =
		"When all numbers are given out, go on with one digit more instead of refusing registrations.",
	    .example = "on" },
	{ .name = "password_memory",
	    .type = CONVRO_OPTION_SIZE,
	    .initial = "64m",
	    .min = 8192,
	    .max = 1073741824,
	    .summary =
		"Memory of one Argon2id hash. The server needs it once for each thread of the offload pool.",
	    .example = "128m" },
	{ .name = "password_passes",
	    .type = CONVRO_OPTION_INT,
	    .initial = "2",
	    .min = 1,
	    .max = 100,
	    .summary = "Passes of one Argon2id hash: time grows with it.",
	    .example = "3" },
};

/* ---- fields ---- */

#define DEVICE_ID_FIELD                                                                            \
	{                                                                                          \
		.name = "deviceId", .type = CONVRO_HEX16, .error = "INVALID_DEVICE_ID",            \
		.summary = "16 hex digits; made by the server when absent"                         \
	}
#define PLATFORM_FIELD                                                                             \
	{                                                                                          \
		.name = "platform", .type = CONVRO_CHOICE, .values = PLATFORMS,                    \
		.error = "INVALID_PLATFORM", .preset = "\"unknown\""                               \
	}
#define LABEL_FIELD                                                                                \
	{                                                                                          \
		.name = "deviceLabel", .type = CONVRO_TEXT, .flags = CONVRO_EMPTY_ABSENT,          \
		.max = 128, .error = "INVALID_DEVICE_LABEL"                                        \
	}

static const struct convro_field register_fields[] = {
	[REGISTER_PASSWORD] = { .name = "password",
	    .type = CONVRO_TEXT,
	    .flags = CONVRO_REQUIRED,
	    .min = 8,
	    .max_bytes = PASSWORD_BYTES_MAX,
	    .error = "PASSWORD_TOO_SHORT",
	    .large = "PASSWORD_TOO_LONG",
	    .summary = "at least 8 characters, at most 1024 bytes" },
	[REGISTER_USERNAME] = { .name = "username",
	    .type = CONVRO_TEXT,
	    .min = 3,
	    .max = 64,
	    .chars = "a-zA-Z0-9_.",
	    .error = "INVALID_USERNAME",
	    .summary = "keeps its case, compared without it" },
	[REGISTER_FULL_NAME] = { .name = "fullName",
	    .type = CONVRO_TEXT,
	    .flags = CONVRO_EMPTY_ABSENT,
	    .max = 128,
	    .error = "INVALID_FULL_NAME" },
	[REGISTER_DEVICE_ID] = DEVICE_ID_FIELD,
	[REGISTER_PLATFORM] = PLATFORM_FIELD,
	[REGISTER_LABEL] = LABEL_FIELD,
};

static const struct convro_field login_fields[] = {
	[LOGIN_PASSWORD] = { .name = "password", .type = CONVRO_TEXT, .flags = CONVRO_REQUIRED },
	[LOGIN_USERNAME] = { .name = "username",
	    .type = CONVRO_TEXT,
	    .flags = CONVRO_EMPTY_ABSENT,
	    .summary = "or convroNumber; both must name the same user" },
	[LOGIN_NUMBER] = { .name = "convroNumber",
	    .type = CONVRO_NUMBER,
	    .flags = CONVRO_EMPTY_ABSENT | CONVRO_LAX },
	[LOGIN_DEVICE_ID] = DEVICE_ID_FIELD,
	[LOGIN_PLATFORM] = PLATFORM_FIELD,
	[LOGIN_LABEL] = LABEL_FIELD,
};

static const struct convro_field refresh_fields[] = {
	[REFRESH_TOKEN] = { .name = "refreshToken",
	    .type = CONVRO_TEXT,
	    .flags = CONVRO_REQUIRED,
	    .error = "INVALID_REFRESH_TOKEN",
	    .summary = "rt_<jti>_<secret>" },
};

static const struct convro_field logout_fields[] = {
	[LOGOUT_TOKEN] = { .name = "refreshToken",
	    .type = CONVRO_TEXT,
	    .flags = CONVRO_FALSE_ABSENT,
	    .error = "INVALID_REFRESH_TOKEN",
	    .summary = "ends this login" },
	[LOGOUT_DEVICE] = { .name = "allForDevice",
	    .type = CONVRO_BOOL,
	    .summary = "ends the device's logins (the default)" },
	[LOGOUT_USER] = { .name = "allForUser",
	    .type = CONVRO_BOOL,
	    .summary = "ends all of the user's logins" },
};

static const struct convro_field device_fields[] = {
	[DEVICE_ID] = DEVICE_ID_FIELD,
	[DEVICE_PLATFORM] = PLATFORM_FIELD,
	[DEVICE_LABEL] = LABEL_FIELD,
};

static const struct convro_field remove_fields[] = {
	[REMOVE_DEVICE_ID] = { .name = "deviceId",
	    .type = CONVRO_HEX16,
	    .in = CONVRO_PATH,
	    .flags = CONVRO_REQUIRED,
	    .error = "INVALID_DEVICE_ID" },
};

/* ---- answers and errors, for the documentation ---- */

#define ACCOUNT                                                                                    \
	"{\"userId\":1,\"convroNumber\":\"+99241772\",\"username\":\"sigmabo\",\"fullName\":null," \
	"\"deviceId\":\"a1b2c3d4e5f60708\",\"platform\":\"ios\",\"accessToken\":\"<JWT>\","        \
	"\"refreshToken\":\"rt_<jti>_<secret>\"}"

static const struct convro_answer registered[] = { { 201, ACCOUNT,
    "the account and its first device" } };
static const struct convro_answer logged_in[] = { { 200, ACCOUNT, "same shape as register" } };
static const struct convro_answer refreshed[] = { { 200,
    "{\"userId\":1,\"deviceId\":\"a1b2c3d4e5f60708\",\"convroNumber\":\"+99241772\",\"username\":null,"
    "\"accessToken\":\"<JWT>\",\"refreshToken\":\"rt_<jti>_<secret>\"}",
    "the old refresh token is revoked" } };
static const struct convro_answer logged_out[] = { { 200, "{\"ok\":true,\"scope\":\"device\"}",
    "scope is single, device or user" } };
static const struct convro_answer me[] = { { 200,
    "{\"userId\":1,\"deviceId\":\"a1b2c3d4e5f60708\",\"convroNumber\":\"+99241772\",\"username\":\"sigmabo\"}",
    NULL } };
#define DEVICE                                                                                     \
	"{\"ok\":true,\"userId\":1,\"deviceId\":\"a1b2c3d4e5f60708\",\"platform\":\"web\","        \
	"\"deviceLabel\":null,\"createdAt\":\"2026-01-31T12:34:56.000Z\"}"
static const struct convro_answer device_registered[] = { { 201, DEVICE, "new" },
	{ 200, DEVICE, "already the caller's" } };
static const struct convro_answer device_list[] = { { 200,
    "{\"devices\":[{\"deviceId\":\"a1b2c3d4e5f60708\",\"platform\":\"ios\",\"deviceLabel\":null,"
    "\"createdAt\":\"2026-01-31T12:34:56.000Z\",\"lastSeenAt\":null,\"isActive\":true,\"current\":true}]}",
    "oldest first; isActive is false once a device was removed" } };
static const struct convro_answer device_removed[] = { { 200, "{\"ok\":true}", NULL } };

static const struct convro_error register_errors[] = {
	{ 409, "USERNAME_TAKEN", NULL },
	{ 409, "DEVICE_ID_TAKEN", NULL },
	{ 429, "RATE_LIMITED", "registrations from one address" },
	{ 500, "FAILED_TO_ALLOCATE_CONVRO_NUMBER", "every number has been given out" },
};
#define DEVICE_ERRORS                                                                              \
	{ 403, "DEVICE_OWNED_BY_OTHER_USER", NULL },                                               \
	    { 403, "DEVICE_REMOVED", "a removed id never comes back" },                            \
	{                                                                                          \
		403, "DEVICE_LIMIT_REACHED", NULL                                                  \
	}
static const struct convro_error login_errors[] = {
	{ 400, "MISSING_LOGIN_IDENTIFIER", NULL },
	{ 401, "INVALID_CREDENTIALS", "unknown user, wrong password or malformed identifier" },
	{ 429, "RATE_LIMITED", "failed logins of one identifier from one address" },
	DEVICE_ERRORS,
};
static const struct convro_error refresh_errors[] = {
	{ 401, "REFRESH_NOT_FOUND", NULL },
	{ 401, "REFRESH_INVALID", "wrong secret" },
	{ 401, "REFRESH_REVOKED", "rotated or ended" },
	{ 401, "REFRESH_EXPIRED", NULL },
};
static const struct convro_error logout_errors[] = { { 404, "REFRESH_NOT_FOUND",
    "or not the caller's" } };
static const struct convro_error device_errors[] = { DEVICE_ERRORS };
static const struct convro_error remove_errors[] = {
	{ 404, "DEVICE_NOT_FOUND", "not the caller's, or removed already" },
	{ 409, "CURRENT_DEVICE", "a device cannot remove itself" },
};

/* ---- the module ---- */

static const struct convro_route routes[] = {
	{ CONVRO_POST, "/v1/auth/register", CONVRO_PUBLIC, auth_register, .rate = "register",
	    .fields = CONVRO_LIST(register_fields), .answers = CONVRO_LIST(registered),
	    .errors = CONVRO_LIST(register_errors), .group = "Auth",
	    .summary = "make an account with a number of its own and its first device" },
	{ CONVRO_POST, "/v1/auth/login", CONVRO_PUBLIC, auth_login, .rate = "login",
	    .fields = CONVRO_LIST(login_fields), .answers = CONVRO_LIST(logged_in),
	    .errors = CONVRO_LIST(login_errors), .group = "Auth",
	    .summary = "log a known or new device in" },
	{ CONVRO_POST, "/v1/auth/refresh", CONVRO_PUBLIC, auth_refresh,
	    .fields = CONVRO_LIST(refresh_fields), .answers = CONVRO_LIST(refreshed),
	    .errors = CONVRO_LIST(refresh_errors), .group = "Auth",
	    .summary = "rotate a refresh token" },
	{ CONVRO_POST, "/v1/auth/logout", CONVRO_BEARER, auth_logout,
	    .flags = CONVRO_ROUTE_EMPTY_BODY, .fields = CONVRO_LIST(logout_fields),
	    .answers = CONVRO_LIST(logged_out), .errors = CONVRO_LIST(logout_errors),
	    .group = "Auth",
	    .summary = "end one login, the device's (default) or all of the user's",
	    .notes =
		"At most one of the options. Scope device and user end the access tokens and close the sockets too." },
	{ CONVRO_GET, "/v1/auth/me", CONVRO_BEARER, auth_me, .answers = CONVRO_LIST(me),
	    .group = "Auth", .summary = "who the token speaks for" },
	{ CONVRO_POST, "/v1/auth/devices/register", CONVRO_BEARER, auth_device_register,
	    .flags = CONVRO_ROUTE_EMPTY_BODY, .fields = CONVRO_LIST(device_fields),
	    .answers = CONVRO_LIST(device_registered), .errors = CONVRO_LIST(device_errors),
	    .group = "Devices", .summary = "add a device; it logs in with its deviceId" },
	{ CONVRO_GET, "/v1/auth/devices", CONVRO_BEARER, auth_devices,
	    .answers = CONVRO_LIST(device_list), .group = "Devices",
	    .summary = "the caller's devices" },
	{ CONVRO_DELETE, "/v1/auth/devices/{deviceId}", CONVRO_BEARER, auth_device_remove,
	    .flags = CONVRO_ROUTE_EMPTY_BODY, .fields = CONVRO_LIST(remove_fields),
	    .answers = CONVRO_LIST(device_removed), .errors = CONVRO_LIST(remove_errors),
	    .group = "Devices",
	    .summary = "remove another device: its tokens end, its keys are no longer handed out" },
};

static const struct convro_subscription subscriptions[] = {
	{ "auth.revoked", auth_forget, CONVRO_EVERY_WORKER },
};

static const struct convro_service services[] = { { "auth.v1", NULL } };

enum { SECRET_LEAST = 32, SWEEP_EVERY_MS = 2000, PURGE_EVERY_MS = 3600000, PURGE_PAGE = 1000 };
#define PURGE_AFTER_US (30LL * 86400 * 1000000)

static enum convro_status
read_secret(struct convro_ctx *ctx, struct auth *auth)
{
	uint8_t digest[8];

	auth->secret = convro->conf->get_secret(ctx, "secret", &auth->secret_len);
	if (auth->secret == NULL) {
		convro->log->write(ctx, CONVRO_LOG_ERROR,
		    "no secret for access tokens: put 32 random bytes into a file that only the server can read and "
		    "name it in auth.secret_file");
		return CONVRO_INVALID;
	}
	if (auth->secret_len < SECRET_LEAST) {
		convro->log->write(ctx, CONVRO_LOG_ERROR,
		    "the secret of access tokens has %zu bytes: it needs %d", auth->secret_len,
		    SECRET_LEAST);
		return CONVRO_INVALID;
	}
	(void)crypto_generichash(digest, sizeof(digest), (const uint8_t *)"kid", 3, auth->secret,
	    auth->secret_len < 64 ? auth->secret_len : 64);
	sodium_bin2hex(auth->kid, sizeof(auth->kid), digest, sizeof(digest));
	return CONVRO_OK;
}

static void
auth_free(struct auth *auth)
{
	numbers_free(auth->numbers);
	caches_free(auth->caches);
	seen_free(auth->seen);
	free(auth);
}

static enum convro_status
init(struct convro_ctx *ctx, void **self)
{
	const uint8_t *key = convro->db->permutation_key(ctx);
	struct auth *auth = calloc(1, sizeof(*auth));

	if (auth == NULL || key == NULL || sodium_init() < 0) {
		free(auth);
		return CONVRO_FAILED;
	}
	auth->algorithm = convro->conf->get_text(ctx, "algorithm");
	auth->issuer = convro->conf->get_text(ctx, "issuer");
	auth->audience = convro->conf->get_text(ctx, "audience");
	auth->access_us = convro->conf->get_int(ctx, "access_token_ttl") * 1000;
	auth->refresh_us = convro->conf->get_int(ctx, "refresh_token_ttl") * 1000;
	auth->grace_us = convro->conf->get_int(ctx, "refresh_reuse_grace") * 1000;
	auth->device_limit = convro->conf->get_int(ctx, "device_limit");
	auth->logins_per_device = convro->conf->get_int(ctx, "logins_per_device");
	auth->password_memory = (size_t)convro->conf->get_int(ctx, "password_memory");
	auth->password_passes = (unsigned long long)convro->conf->get_int(ctx, "password_passes");
	auth->numbers = numbers_new(ctx, key);
	auth->caches = caches_new(convro->work->workers(ctx));
	auth->seen = seen_new(convro->work->workers(ctx));
	if (auth->numbers == NULL || auth->caches == NULL || auth->seen == NULL ||
	    read_secret(ctx, auth) != CONVRO_OK ||
	    convro->auth->provide(ctx, auth_verify, auth) != CONVRO_OK) {
		auth_free(auth);
		return CONVRO_FAILED;
	}
	*self = auth;
	return CONVRO_OK;
}

static void purge(struct convro_ctx *ctx, void *arg);

static void
purged(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	(void)nresults;
	if (status == CONVRO_OK && results->changed >= PURGE_PAGE)
		purge(ctx, arg);
}

/* Tokens that expired a month ago answer REFRESH_NOT_FOUND from then on. */
static void
purge(struct convro_ctx *ctx, void *arg)
{
	convro->db->query(ctx, AUTH_TOKENS_PURGE,
	    CONVRO_ARGS(convro_i64(convro->db->now(ctx) - PURGE_AFTER_US), convro_i64(PURGE_PAGE)),
	    purged, arg);
}

static void
sweep(struct convro_ctx *ctx, void *arg)
{
	const struct auth *auth = arg;

	cache_sweep(auth->caches, convro->work->worker(ctx), convro->timer->now(ctx));
}

static void
drain(struct convro_ctx *ctx, void *self)
{
	const struct auth *auth = self;

	seen_write(ctx, auth->seen);
}

static enum convro_status
worker_init(struct convro_ctx *ctx, void *self)
{
	if (convro->timer->every(ctx, SWEEP_EVERY_MS, sweep, self) == NULL)
		return CONVRO_NO_MEMORY;
	if (convro->work->worker(ctx) == 0 &&
	    convro->timer->every(ctx, PURGE_EVERY_MS, purge, self) == NULL)
		return CONVRO_NO_MEMORY;
	return CONVRO_OK;
}

static void
fini(struct convro_ctx *ctx, void *self)
{
	(void)ctx;
	auth_free(self);
}

static const struct convro_module descriptor = {
	CONVRO_MODULE_HEAD,
	.name = "auth",
	.version = "1.0.0",
	.summary = "accounts, devices, logins and tokens",
	.api = &convro,
	.provides = CONVRO_LIST(services),
	.options = CONVRO_LIST(options),
	.statements = CONVRO_LIST(auth_statements),
	.statement_base = &auth_statement_base,
	.migrations = CONVRO_LIST(auth_migrations),
	.routes = CONVRO_LIST(routes),
	.subscriptions = CONVRO_LIST(subscriptions),
	.init = init,
	.worker_init = worker_init,
	.drain = drain,
	.fini = fini,
};

const struct convro_module *
convro_module_v1(void)
{
	return &descriptor;
}
