/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/dm/sessions/open - offers a session to a peer's device.  The offer
 * is opaque but for the named fields; it is stored and given back as compact
 * JSON with its members in their order.
 */
#include "dm_sessions.h"

struct opening {
	const struct sessions *sessions;
	struct offer offer;
	int64_t peer_user, responder;
	const struct convro_node *node;
};

enum { RESULT_LOCK, RESULT_OPEN };

static void
tell(struct convro_ctx *ctx, const struct opening *opening)
{
	const struct sessions *sessions = opening->sessions;
	struct convro_session_fact fact = { .size = sizeof(fact),
		.session_id = opening->offer.session_id,
		.session = opening->offer.session,
		.initiator_user = opening->offer.initiator_user,
		.initiator_device = opening->offer.initiator_device,
		.responder_user = opening->peer_user,
		.responder_device = opening->responder };
	size_t len = 0;
	const char *json;

	convro->bus->emit(ctx, "dm.session.opened", &fact);
	if (sessions->realtime == NULL)
		return;
	json = dm_sessions_offer_json(ctx, &opening->offer, &len);
	if (json != NULL) /* out of memory: the device finds it by polling or on its next connect */
		sessions->realtime->push(ctx, opening->responder, "dm.session.offer", 0, json, len);
}

/* The same initiator may have lost the answer to the very same offer. */
static int
refuse_taken(
    struct convro_ctx *ctx, const struct opening *opening, const struct convro_db_result *why)
{
	const struct convro_db_val *same = convro_at(why, 0, 3), *offer = convro_at(why, 0, 5);
	const struct convro_node *stored = NULL;
	const char *copy;
	struct convro_json *json;

	if (same->type != CONVRO_DB_NULL && offer->type != CONVRO_DB_NULL) {
		copy = convro->mem->copy(ctx, offer->u.text, offer->len);
		if (copy == NULL ||
		    convro->json->parse(ctx, copy, offer->len, &stored) != CONVRO_OK)
			stored = NULL;
	}
	if (stored == NULL || !convro->json->equal(stored, opening->node))
		return convro->http->fail(ctx, 409, "SESSION_ID_EXISTS");
	json = convro->http->fail_with(ctx, "SESSION_ID_EXISTS");
	convro->json->put_bool(json, "identical", 1);
	convro->json->put_int(json, "sessionDbId", same->u.i);
	convro->json->put_text(
	    json, "state", convro_at(why, 0, 4)->u.i == 0 ? "PENDING" : "ACTIVE");
	return convro->http->reply(ctx, 409);
}

static void
why_read(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	(void)nresults;
	if (status != CONVRO_OK)
		(void)convro->http->fail_db(ctx, status);
	else if (convro_at(results, 0, 0)->u.i == 0)
		(void)convro->http->fail(ctx, 404, "INITIATOR_DEVICE_NOT_FOUND");
	else if (convro_at(results, 0, 1)->u.i == 0)
		(void)convro->http->fail(ctx, 404, "RESPONDER_DEVICE_NOT_FOUND");
	else if (convro_at(results, 0, 2)->u.i > 0)
		(void)refuse_taken(ctx, arg, results);
	else
		(void)convro->http->fail_later(ctx, 429, "TOO_MANY_PENDING_SESSIONS", 60);
}

static void
opened(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	struct opening *opening = arg;
	struct convro_json *json;

	(void)nresults;
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	if (results[RESULT_OPEN].nrows == 0) {
		convro->db->query(ctx, DM_SESSIONS_OPEN_WHY,
		    CONVRO_ARGS(convro_i64(opening->offer.initiator_device),
			convro_i64(opening->responder), convro_i64(opening->peer_user),
			convro_i32(opening->offer.session_id)),
		    why_read, opening);
		return;
	}
	opening->offer.session = convro_at(&results[RESULT_OPEN], 0, 0)->u.i;
	tell(ctx, opening);
	json = convro->http->answer(ctx);
	convro->json->put_bool(json, "ok", 1);
	convro->json->put_int(json, "sessionDbId", opening->offer.session);
	convro->json->put_hex8(json, "sessionId", opening->offer.session_id);
	convro->json->put_int(json, "responderUserId", convro_at(&results[RESULT_OPEN], 0, 1)->u.i);
	convro->json->put_hex16(json, "responderDeviceId", opening->responder);
	convro->json->put_text(json, "state", "PENDING");
	(void)convro->http->reply(ctx, 201);
}

static const char *
compact(struct convro_ctx *ctx, const struct convro_node *node, size_t *len)
{
	struct convro_json *json = convro->json->make(ctx);

	if (json == NULL)
		return NULL;
	convro->json->put_node(json, NULL, node);
	return convro->json->text(json, len);
}

static void
store(struct convro_ctx *ctx, struct opening *opening)
{
	struct convro_db_val initiator = convro_i64(opening->offer.initiator_device);
	struct convro_db_val responder = convro_i64(opening->responder);
	struct convro_db_batch *batch = convro->db->batch(ctx);

	convro->db->add(batch, DM_SESSIONS_OPEN_LOCK, CONVRO_ARGS(initiator, responder));
	convro->db->add(batch, DM_SESSIONS_OPEN,
	    CONVRO_ARGS(initiator, responder, convro_i64(opening->peer_user),
		convro_i32(opening->offer.session_id), convro_i64(opening->offer.created),
		convro_i64(opening->sessions->pending_max),
		convro_text_n(opening->offer.json, opening->offer.len)));
	convro->db->exec(batch, opened, opening);
}

int
dm_sessions_open(struct convro_ctx *ctx, void *self)
{
	const struct convro_principal *caller = convro->auth->principal(ctx);
	struct opening *opening = convro->mem->zero(ctx, sizeof(*opening));

	if (opening == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	opening->sessions = self;
	opening->peer_user = convro->http->field(ctx, OPEN_PEER)->u.i;
	opening->responder = convro->http->field(ctx, OPEN_RESPONDER)->u.i;
	opening->node = convro->http->field(ctx, OPEN_OFFER)->u.node;
	if (convro->http->field(ctx, OPEN_INITIATOR)->u.i != caller->device_id)
		return convro->http->fail(ctx, 403, "INITIATOR_DEVICE_MISMATCH");
	if (opening->responder == caller->device_id)
		return convro->http->fail(ctx, 400, "INVALID_PEER");
	opening->offer = (struct offer){ .initiator_user = caller->user_id,
		.initiator_device = caller->device_id,
		.created = convro->db->now(ctx),
		.session_id = (int32_t)convro->http->field(ctx, OPEN_SESSION_ID)->u.i };
	opening->offer.json = compact(ctx, opening->node, &opening->offer.len);
	if (opening->offer.json == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	store(ctx, opening);
	return CONVRO_OK;
}
