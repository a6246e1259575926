/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dm_typing - "is typing", relayed to the other device of a session and never
 * stored (wire contract, section 5).
 */
#include "dm_typing_sql.h"

#include <convro/module.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

const struct convro_api *convro;

enum { SLOTS = 4096, SECOND_MS = 1000, ACTIVE = 1, SESSION_DIGITS = 8 };

/* What a device said in the second that began at `since`.  Two devices that share a slot make each
 * other's count begin anew, which lets through more, never less. */
struct slot {
	int64_t device, since;
	uint32_t count;
};

struct typing {
	const struct convro_realtime *realtime;
	uint32_t per_second;
	pthread_mutex_t lock;
	struct slot slots[SLOTS];
};

static const struct convro_option options[] = {
	{ .name = "per_second",
	    .type = CONVRO_OPTION_INT,
	    .initial = "2",
	    .min = 1,
	    .max = 1000,
	    .summary =
		"How often in a second a device may tell that it is typing; more is answered with RATE_LIMITED and goes nowhere.",
	    .example = "1" },
};

/* ---- answers ---- */

static void
refuse(struct convro_ctx *ctx, const struct typing *typing, struct convro_client_reply *reply,
    const char *code)
{
	struct convro_json *json = convro->json->make(ctx);
	const char *text = NULL;
	size_t len = 0;

	if (json != NULL) {
		convro->json->open_object(json, NULL);
		convro->json->put_bool(json, "ok", 0);
		convro->json->put_text(json, "error", code);
		convro->json->close_object(json);
		text = convro->json->text(json, &len);
	}
	typing->realtime->answer(ctx, reply, text != NULL ? text : "null", text != NULL ? len : 4);
}

static int
is_allowed(struct convro_ctx *ctx, struct typing *typing, int64_t device)
{
	struct slot *slot = &typing->slots[(uint64_t)device % SLOTS];
	int64_t now = convro->timer->now(ctx);
	int allowed;

	(void)pthread_mutex_lock(&typing->lock);
	if (slot->device != device || now - slot->since >= SECOND_MS)
		*slot = (struct slot){ device, now, 0 };
	allowed = slot->count < typing->per_second;
	if (allowed)
		slot->count++;
	(void)pthread_mutex_unlock(&typing->lock);
	return allowed;
}

/* ---- the event ---- */

struct telling {
	struct typing *typing;
	struct convro_client_reply *reply;
	int64_t device;
	int32_t session_id;
	int is_typing;
};

static void
relay(struct convro_ctx *ctx, const struct telling *telling, int64_t peer)
{
	struct convro_json *json = convro->json->make(ctx);
	const char *text;
	size_t len = 0;

	if (json == NULL)
		return;
	convro->json->open_object(json, NULL);
	convro->json->put_hex8(json, "sessionId", telling->session_id);
	convro->json->put_hex16(json, "deviceId", telling->device);
	convro->json->put_bool(json, "typing", telling->is_typing);
	convro->json->close_object(json);
	text = convro->json->text(json, &len);
	if (text != NULL)
		telling->typing->realtime->push(ctx, peer, "dm.typing", 0, text, len);
}

static void
found(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const struct telling *telling = arg;
	const char *error = NULL;

	(void)nresults;
	if (status != CONVRO_OK)
		error = status == CONVRO_OVERLOAD ? "OVERLOADED" : "DB_UNAVAILABLE";
	else if (results->nrows == 0)
		error = "SESSION_NOT_FOUND";
	else if (convro_at(results, 0, 0)->u.i != ACTIVE)
		error = "SESSION_NOT_ACTIVE";
	if (error != NULL) {
		refuse(ctx, telling->typing, telling->reply, error);
		return;
	}
	relay(ctx, telling, convro_at(results, 0, 1)->u.i);
	telling->typing->realtime->answer(ctx, telling->reply, "{\"ok\":true}", 11);
}

/* 8 hex digits of either case; 0 when it is anything else. */
static int
read_session(const struct convro_node *node, int32_t *out)
{
	size_t len = 0;
	const char *text = node != NULL ? convro->json->get_text(node, &len) : NULL;
	char digits[SESSION_DIGITS + 1] = "";
	uint32_t value;

	if (text == NULL || len != SESSION_DIGITS)
		return 0;
	memcpy(digits, text, len);
	if (strspn(digits, "0123456789abcdefABCDEF") != SESSION_DIGITS)
		return 0;
	value = (uint32_t)strtoul(digits, NULL, 16);
	memcpy(out, &value, sizeof(value));
	return 1;
}

static void
on_typing(struct convro_ctx *ctx, void *self, const struct convro_principal *principal,
    const struct convro_node *array, struct convro_client_reply *reply)
{
	struct typing *typing = self;
	const struct convro_node *argument =
	    convro->json->count(array) > 1 ? convro->json->item(array, 1) : NULL;
	const struct convro_node *flag =
	    argument != NULL ? convro->json->member(argument, "typing") : NULL;
	struct telling *telling = convro->mem->zero(ctx, sizeof(*telling));

	if (telling == NULL) {
		refuse(ctx, typing, reply, "OVERLOADED");
		return;
	}
	*telling =
	    (struct telling){ .typing = typing, .reply = reply, .device = principal->device_id };
	if (argument == NULL ||
	    !read_session(convro->json->member(argument, "sessionId"), &telling->session_id)) {
		refuse(ctx, typing, reply, "INVALID_SESSION_ID");
	} else if (flag == NULL || convro->json->type(flag) != CONVRO_NODE_BOOL) {
		refuse(ctx, typing, reply, "INVALID_BODY");
	} else if (!is_allowed(ctx, typing, principal->device_id)) {
		refuse(ctx, typing, reply, "RATE_LIMITED");
	} else {
		telling->is_typing = convro->json->get_int(flag) != 0;
		convro->db->query(ctx, DM_TYPING_PEER,
		    CONVRO_ARGS(convro_i64(principal->device_id), convro_i32(telling->session_id)),
		    found, telling);
	}
}

/* ---- life ---- */

static const char *const needs[] = { "realtime.v1", "dm_sessions.v1" };

static enum convro_status
init(struct convro_ctx *ctx, void **self)
{
	const struct convro_realtime *realtime = convro->bus->service(ctx, "realtime.v1");
	struct typing *typing;

	if (!CONVRO_HAS(realtime, answer)) {
		convro->log->write(ctx, CONVRO_LOG_ERROR,
		    "the module socketio is too old: it hears no events of clients for others");
		return CONVRO_FAILED;
	}
	typing = calloc(1, sizeof(*typing));
	if (typing == NULL || pthread_mutex_init(&typing->lock, NULL) != 0) {
		free(typing);
		convro->log->write(ctx, CONVRO_LOG_ERROR, "out of memory");
		return CONVRO_NO_MEMORY;
	}
	typing->per_second = (uint32_t)convro->conf->get_int(ctx, "per_second");
	typing->realtime = realtime;
	realtime->on_event(ctx, "dm.typing", on_typing, typing);
	*self = typing;
	return CONVRO_OK;
}

static void
fini(struct convro_ctx *ctx, void *self)
{
	struct typing *typing = self;

	(void)ctx;
	(void)pthread_mutex_destroy(&typing->lock);
	free(typing);
}

static const struct convro_module descriptor = {
	CONVRO_MODULE_HEAD,
	.name = "dm_typing",
	.version = "1.0.0",
	.summary = "who is typing",
	.api = &convro,
	.needs = CONVRO_LIST(needs),
	.options = CONVRO_LIST(options),
	.statements = CONVRO_LIST(dm_typing_statements),
	.statement_base = &dm_typing_statement_base,
	.init = init,
	.fini = fini,
};

const struct convro_module *
convro_module_v1(void)
{
	return &descriptor;
}
