/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dm_sessions - handshakes between two devices.  Read this file first: it lists
 * everything the module adds to the server.
 */
#include "dm_sessions.h"

#include <stdlib.h>

const struct convro_api *convro;

enum { OFFER_BYTES_MAX = 16384 };

static const struct convro_option options[] = {
	{ .name = "pending_max",
	    .type = CONVRO_OPTION_INT,
	    .initial = "16",
	    .min = 1,
	    .max = 10000,
	    .summary =
		"The most sessions from one device to one other that may wait to be accepted.",
	    .example = "4" },
};

#define OFFER_FIELD(...)                                                                           \
	{                                                                                          \
		.flags = CONVRO_REQUIRED, .error = "INVALID_HANDSHAKE_OFFER", __VA_ARGS__          \
	}

static const struct convro_field open_fields[] = {
	[OPEN_PEER] = { .name = "peerUserId",
	    .type = CONVRO_ID,
	    .flags = CONVRO_REQUIRED,
	    .error = "INVALID_PEER" },
	[OPEN_OFFER] = OFFER_FIELD(.name = "handshakeOffer", .type = CONVRO_OBJECT,
	    .max = OFFER_BYTES_MAX, .large = "HANDSHAKE_OFFER_TOO_LARGE", .large_status = 413,
	    .summary = "at most 16 KiB as sent; further members are kept as they are"),
	[OPEN_VERSION] =
	    OFFER_FIELD(.name = "handshakeOffer.version", .type = CONVRO_INT, .min = 1, .max = 1),
	[OPEN_INITIATOR] = OFFER_FIELD(.name = "handshakeOffer.initiatorDeviceId",
	    .type = CONVRO_HEX16, .summary = "the caller's device"),
	[OPEN_RESPONDER] =
	    OFFER_FIELD(.name = "handshakeOffer.responderDeviceId", .type = CONVRO_HEX16),
	[OPEN_SESSION_ID] = OFFER_FIELD(.name = "handshakeOffer.sessionId", .type = CONVRO_HEX8,
	    .summary = "not used before by either device"),
	[OPEN_EPHEMERAL] = OFFER_FIELD(.name = "handshakeOffer.ephemeralPublicKeyX25519",
	    .type = CONVRO_BINARY, .min = KEY_BYTES, .max = KEY_BYTES),
	[OPEN_SIGNED_PREKEY] = OFFER_FIELD(.name = "handshakeOffer.usedSignedPrekeyPublicKeyX25519",
	    .type = CONVRO_BINARY, .min = KEY_BYTES, .max = KEY_BYTES),
	[OPEN_ONE_TIME] = { .name = "handshakeOffer.usedOneTimePrekeyId",
	    .type = CONVRO_HEX16,
	    .error = "INVALID_HANDSHAKE_OFFER" },
};

static const struct convro_field incoming_fields[] = {
	[INCOMING_FIELD_LIMIT] = { .name = "limit",
	    .type = CONVRO_INT,
	    .in = CONVRO_QUERY,
	    .min = 1,
	    .max = INCOMING_LIMIT_MAX,
	    .preset = "100" },
	[INCOMING_FIELD_AFTER] = { .name = "afterId",
	    .type = CONVRO_INT,
	    .in = CONVRO_QUERY,
	    .max = INT64_C(9007199254740991), /* 2^53 - 1, as an id; 0 begins */
	    .aliases = "after_id",
	    .summary = "sessionDbId of the last one seen" },
};

static const struct convro_field accept_fields[] = {
	[ACCEPT_SESSION] = { .name = "sessionDbId", .type = CONVRO_ID, .flags = CONVRO_REQUIRED },
};

#define OFFER                                                                                                   \
	"{\"version\":1,\"initiatorDeviceId\":\"a1b2c3d4e5f60708\",\"responderDeviceId\":\"1122334455667788\"," \
	"\"sessionId\":\"deadbeef\",\"ephemeralPublicKeyX25519\":\"<base64>\","                                 \
	"\"usedSignedPrekeyPublicKeyX25519\":\"<base64>\",\"usedOneTimePrekeyId\":null}"

static const struct convro_answer opened[] = { { 201,
    "{\"ok\":true,\"sessionDbId\":1,\"sessionId\":\"deadbeef\",\"responderUserId\":123,"
    "\"responderDeviceId\":\"1122334455667788\",\"state\":\"PENDING\"}",
    NULL } };
static const struct convro_answer incoming[] = { { 200,
    "{\"sessions\":[{\"sessionDbId\":1,\"sessionId\":\"deadbeef\",\"initiatorUserId\":55,"
    "\"initiatorDeviceId\":\"a1b2c3d4e5f60708\",\"handshakeOffer\":" OFFER
    ",\"createdAt\":\"2026-01-31T12:34:56.000Z\"}]}",
    "pending, for the caller's device, oldest first" } };
static const struct convro_answer accepted[] = { { 200,
    "{\"ok\":true,\"sessionDbId\":1,\"sessionId\":\"deadbeef\",\"state\":\"ACTIVE\"}",
    "a repeat is 200 again" } };

static const struct convro_error open_errors[] = {
	{ 403, "INITIATOR_DEVICE_MISMATCH", "initiatorDeviceId is not the caller's device" },
	{ 404, "INITIATOR_DEVICE_NOT_FOUND", NULL },
	{ 404, "RESPONDER_DEVICE_NOT_FOUND", "unknown, removed, or not a device of peerUserId" },
	{ 409, "SESSION_ID_EXISTS",
	    "with identical:true, sessionDbId and state for a repeated offer of equal value" },
	{ 429, "TOO_MANY_PENDING_SESSIONS", "from one device to one device" },
};
static const struct convro_error accept_errors[] = {
	{ 403, "NOT_SESSION_RESPONDER", NULL },
	{ 404, "SESSION_NOT_FOUND", NULL },
};

static const struct convro_route routes[] = {
	{ CONVRO_POST, "/v1/dm/sessions/open", CONVRO_BEARER, dm_sessions_open,
	    .fields = CONVRO_LIST(open_fields), .answers = CONVRO_LIST(opened),
	    .errors = CONVRO_LIST(open_errors), .group = "DM Sessions",
	    .summary = "offer a session to a peer's device" },
	{ CONVRO_GET, "/v1/dm/sessions/incoming", CONVRO_BEARER, dm_sessions_incoming,
	    .fields = CONVRO_LIST(incoming_fields), .answers = CONVRO_LIST(incoming),
	    .group = "DM Sessions", .summary = "offers that wait for the caller's device" },
	{ CONVRO_POST, "/v1/dm/sessions/accept", CONVRO_BEARER, dm_sessions_accept,
	    .fields = CONVRO_LIST(accept_fields), .answers = CONVRO_LIST(accepted),
	    .errors = CONVRO_LIST(accept_errors), .group = "DM Sessions",
	    .summary = "the responder's device makes a session active" },
};

static const struct convro_service services[] = { { "dm_sessions.v1", NULL } };
static const char *const needs[] = { "auth.v1" };
static const char *const wants[] = { "realtime.v1" };

static enum convro_status
init(struct convro_ctx *ctx, void **self)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));

	if (sessions == NULL)
		return CONVRO_NO_MEMORY;
	sessions->pending_max = convro->conf->get_int(ctx, "pending_max");
	sessions->realtime = convro->bus->service(ctx, "realtime.v1");
	if (sessions->realtime != NULL) {
		struct convro_realtime_source source = dm_sessions_source;

		source.self = sessions;
		sessions->realtime->add_source(ctx, &source);
	}
	*self = sessions;
	return CONVRO_OK;
}

static void
fini(struct convro_ctx *ctx, void *self)
{
	(void)ctx;
	free(self);
}

static const struct convro_module descriptor = {
	CONVRO_MODULE_HEAD,
	.name = "dm_sessions",
	.version = "1.0.0",
	.summary = "handshakes between two devices",
	.api = &convro,
	.needs = CONVRO_LIST(needs),
	.wants = CONVRO_LIST(wants),
	.provides = CONVRO_LIST(services),
	.options = CONVRO_LIST(options),
	.statements = CONVRO_LIST(dm_sessions_statements),
	.statement_base = &dm_sessions_statement_base,
	.migrations = CONVRO_LIST(dm_sessions_migrations),
	.routes = CONVRO_LIST(routes),
	.init = init,
	.fini = fini,
};

const struct convro_module *
convro_module_v1(void)
{
	return &descriptor;
}
