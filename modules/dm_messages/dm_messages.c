/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dm_messages - ciphertext between two devices, in order, durable.  Read this
 * file first: it lists everything the module adds to the server.
 */
#include "dm_messages.h"

#include <stdlib.h>

const struct convro_api *convro;

static const struct convro_field send_fields[] = {
	[SEND_SESSION] = { .name = "sessionId",
	    .type = CONVRO_HEX8,
	    .flags = CONVRO_REQUIRED,
	    .error = "INVALID_SESSION_ID" },
	[SEND_RECIPIENT] = { .name = "recipientDeviceId",
	    .type = CONVRO_HEX16,
	    .summary = "the session's other device, if given" },
	[SEND_CIPHERTEXT] = { .name = "ciphertext",
	    .type = CONVRO_BINARY,
	    .flags = CONVRO_REQUIRED,
	    .min = 1,
	    .max = CIPHERTEXT_MAX,
	    .error = "INVALID_CIPHERTEXT",
	    .large = "MESSAGE_TOO_LARGE",
	    .large_status = 413,
	    .summary = "1 byte to 64 KiB decoded" },
	[SEND_TAG] = { .name = "authTag",
	    .type = CONVRO_BINARY,
	    .flags = CONVRO_REQUIRED,
	    .min = TAG_BYTES,
	    .max = TAG_BYTES,
	    .error = "INVALID_AUTH_TAG" },
	[SEND_ID] = { .name = "clientMessageId",
	    .type = CONVRO_TEXT,
	    .min = 1,
	    .max = MESSAGE_ID_CHARACTERS,
	    .error = "INVALID_CLIENT_MESSAGE_ID",
	    .summary = "idempotency key; comes back byte for byte" },
	[SEND_TIME] = { .name = "clientTimestamp",
	    .type = CONVRO_TIME,
	    .error = "INVALID_CLIENT_TIMESTAMP" },
	[SEND_TIME_MS] = { .name = "clientTimestampMs",
	    .type = CONVRO_INT,
	    .min = 0,
	    .max = 253402300799999, /* the last millisecond of the year 9999 */
	    .error = "INVALID_CLIENT_TIMESTAMP",
	    .summary = "milliseconds since 1970; clientTimestamp wins" },
	[SEND_VERSION] = { .name = "c6pVersion",
	    .type = CONVRO_INT,
	    .min = 0,
	    .max = INT32_MAX,
	    .preset = "1" },
};

#define CURSOR_MAX INT64_C(9007199254740991) /* 2^53 - 1, as an id; 0 begins */

static const struct convro_field history_fields[] = {
	[HISTORY_SESSION] = { .name = "sessionId",
	    .type = CONVRO_HEX8,
	    .in = CONVRO_QUERY,
	    .flags = CONVRO_REQUIRED,
	    .aliases = "session_id" },
	[HISTORY_BEFORE] = { .name = "beforeId",
	    .type = CONVRO_INT,
	    .in = CONVRO_QUERY,
	    .max = CURSOR_MAX,
	    .aliases = "before_id",
	    .summary = "the newest page below it" },
	[HISTORY_AFTER] = { .name = "afterId",
	    .type = CONVRO_INT,
	    .in = CONVRO_QUERY,
	    .max = CURSOR_MAX,
	    .aliases = "after_id",
	    .summary = "the page above it" },
	[HISTORY_LIMIT] = { .name = "limit",
	    .type = CONVRO_INT,
	    .in = CONVRO_QUERY,
	    .min = 1,
	    .max = PAGE_LIMIT_MAX,
	    .preset = "50" },
	[HISTORY_DIRECTION] = { .name = "direction",
	    .type = CONVRO_CHOICE,
	    .in = CONVRO_QUERY,
	    .values = "all incoming",
	    .summary = "all; incoming with afterId, unless said" },
};

static const struct convro_field conversations_fields[] = {
	[CONVERSATIONS_LIMIT] = { .name = "limit",
	    .type = CONVRO_INT,
	    .in = CONVRO_QUERY,
	    .min = 1,
	    .max = PAGE_LIMIT_MAX,
	    .preset = "50" },
	[CONVERSATIONS_CURSOR] = { .name = "cursor",
	    .type = CONVRO_TEXT,
	    .in = CONVRO_QUERY,
	    .max = 48,
	    .summary = "nextCursor of the page before" },
};

#define ROW_MEMBERS                                                                                                \
	"\"id\":123,\"messageId\":123,\"serverMessageId\":\"123\",\"c6pVersion\":1,\"sessionId\":\"deadbeef\","    \
	"\"senderUserId\":\"55\",\"recipientUserId\":\"123\",\"senderDeviceId\":\"a1b2c3d4e5f60708\","             \
	"\"recipientDeviceId\":\"1122334455667788\",\"clientMessageId\":\"11111111-2222-3333-4444-555555555555\"," \
	"\"clientTimestamp\":null,\"serverTimestamp\":\"2026-01-31T12:34:56.000Z\",\"deliveryState\":\"PENDING\"," \
	"\"ciphertext\":\"<base64>\",\"authTag\":\"<base64>\""

static const struct convro_answer sent[] = {
	{ 201, "{\"ok\":true," ROW_MEMBERS ",\"deduped\":false}", "new" },
	{ 200, "{\"ok\":true," ROW_MEMBERS ",\"deduped\":true}",
	    "the same clientMessageId and content again: the first row" },
};
static const struct convro_answer history[] = { { 200,
    "{\"sessionId\":\"deadbeef\",\"messages\":[{" ROW_MEMBERS
    "}],\"hasMore\":false,\"nextAfterId\":123}",
    "rows ascend by id" } };
static const struct convro_answer conversations[] = { { 200,
    "{\"conversations\":[{\"sessionDbId\":1,\"sessionId\":\"deadbeef\",\"state\":\"ACTIVE\",\"peerUserId\":\"123\","
    "\"peerDeviceId\":\"1122334455667788\",\"peerConvroNumber\":\"+99241772\",\"peerUsername\":null,"
    "\"peerFullName\":null,\"unreadCount\":0,\"lastActivityAt\":\"2026-01-31T12:34:56.000Z\",\"lastMessage\":{" ROW_MEMBERS
    "}}],\"nextCursor\":null}",
    "newest activity first" } };

static const struct convro_error send_errors[] = {
	{ 400, "RECIPIENT_MISMATCH", "recipientDeviceId is not the session's other device" },
	{ 404, "SESSION_NOT_FOUND", "or the caller's device is not in it" },
	{ 409, "SESSION_NOT_ACTIVE", "the responder has to accept first" },
	{ 409, "PEER_GONE", "the peer's device or account was removed" },
	{ 409, "CLIENT_MESSAGE_ID_REUSED", "with another ciphertext or authTag" },
	{ 429, "RATE_LIMITED", NULL },
};
static const struct convro_error history_errors[] = { { 404, "SESSION_NOT_FOUND",
    "or the caller's device is not in it" } };

#define CONVERSATIONS_ROUTE(at, extra)                                                             \
	{                                                                                          \
		CONVRO_GET, at, CONVRO_BEARER, dm_messages_conversations,                          \
		    .flags = (extra), .fields = CONVRO_LIST(conversations_fields),                 \
		    .answers = CONVRO_LIST(conversations), .group = "DM",                          \
		    .summary = "the device's sessions with their last message and unread count"    \
	}

static const struct convro_route routes[] = {
	{ CONVRO_POST, "/v1/dm/messages/send", CONVRO_BEARER, dm_messages_send, .rate = "send",
	    .fields = CONVRO_LIST(send_fields), .answers = CONVRO_LIST(sent),
	    .errors = CONVRO_LIST(send_errors), .group = "DM",
	    .summary = "store a ciphertext for the session's other device and push it",
	    .notes =
		"Answered only after the message is durable. Within a session, and over all rows to one device, ids "
		"grow in the order in which rows become visible." },
	{ CONVRO_GET, "/v1/dm/messages/history", CONVRO_BEARER, dm_messages_history,
	    .fields = CONVRO_LIST(history_fields), .answers = CONVRO_LIST(history),
	    .errors = CONVRO_LIST(history_errors), .group = "DM",
	    .summary = "a page of a session's messages" },
	CONVERSATIONS_ROUTE("/v1/dm/messages/conversations", 0),
	CONVERSATIONS_ROUTE(
	    "/v1/dm/conversations", CONVRO_ROUTE_HIDDEN), /* another spelling of clients */
};

static const struct convro_service services[] = { { "dm_messages.v1", &dm_messages_service } };
static const char *const needs[] = { "auth.v1", "dm_sessions.v1" };
static const char *const wants[] = { "realtime.v1" };

static enum convro_status
init(struct convro_ctx *ctx, void **self)
{
	struct messages *messages = calloc(1, sizeof(*messages));

	if (messages == NULL)
		return CONVRO_NO_MEMORY;
	messages->realtime = convro->bus->service(ctx, "realtime.v1");
	if (messages->realtime != NULL) {
		struct convro_realtime_source source = dm_messages_source;

		source.self = messages;
		messages->realtime->add_source(ctx, &source);
		messages->realtime->on_ack(ctx, "dm.message", dm_messages_acknowledged, messages);
	}
	mark_init(messages);
	*self = messages;
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
	.name = "dm_messages",
	.version = "1.0.0",
	.summary = "ciphertext between two devices, in order, durable",
	.api = &convro,
	.needs = CONVRO_LIST(needs),
	.wants = CONVRO_LIST(wants),
	.provides = CONVRO_LIST(services),
	.statements = CONVRO_LIST(dm_messages_statements),
	.statement_base = &dm_messages_statement_base,
	.migrations = CONVRO_LIST(dm_messages_migrations),
	.routes = CONVRO_LIST(routes),
	.init = init,
	.fini = fini,
};

const struct convro_module *
convro_module_v1(void)
{
	return &descriptor;
}
