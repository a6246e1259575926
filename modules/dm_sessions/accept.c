/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/dm/sessions/accept - the responder's device makes a session active.
 */
#include "dm_sessions.h"

struct accepting {
	const struct sessions *sessions;
	int64_t session;
};

static int
answer(struct convro_ctx *ctx, int64_t session, int32_t session_id)
{
	struct convro_json *json = convro->http->answer(ctx);

	convro->json->put_bool(json, "ok", 1);
	convro->json->put_int(json, "sessionDbId", session);
	convro->json->put_hex8(json, "sessionId", session_id);
	convro->json->put_text(json, "state", "ACTIVE");
	return convro->http->reply(ctx, 200);
}

static void
tell(struct convro_ctx *ctx, const struct accepting *accepting, int32_t session_id,
    int64_t initiator, int64_t initiator_user)
{
	const struct convro_principal *caller = convro->auth->principal(ctx);
	struct convro_session_fact fact = { .size = sizeof(fact),
		.session_id = session_id,
		.session = accepting->session,
		.initiator_user = initiator_user,
		.initiator_device = initiator,
		.responder_user = caller->user_id,
		.responder_device = caller->device_id };
	struct convro_json *json;
	const char *text;
	size_t len = 0;

	convro->bus->emit(ctx, "dm.session.accepted", &fact);
	if (accepting->sessions->realtime == NULL || (json = convro->json->make(ctx)) == NULL)
		return;
	convro->json->open_object(json, NULL);
	convro->json->put_int(json, "sessionDbId", accepting->session);
	convro->json->put_hex8(json, "sessionId", session_id);
	convro->json->put_text(json, "state", "ACTIVE");
	convro->json->put_int(json, "responderUserId", caller->user_id);
	convro->json->put_hex16(json, "responderDeviceId", caller->device_id);
	convro->json->close_object(json);
	text = convro->json->text(json, &len);
	if (text != NULL)
		accepting->sessions->realtime->push(
		    ctx, initiator, "dm.session.accept", 0, text, len);
}

/* Nothing was accepted: because it had been before, or may not be. */
static void
session_read(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const struct accepting *accepting = arg;

	(void)nresults;
	if (status != CONVRO_OK)
		(void)convro->http->fail_db(ctx, status);
	else if (results->nrows == 0)
		(void)convro->http->fail(ctx, 404, "SESSION_NOT_FOUND");
	else if (convro_at(results, 0, 2)->u.i == 0)
		(void)convro->http->fail(ctx, 403, "NOT_SESSION_RESPONDER");
	else
		(void)answer(ctx, accepting->session, (int32_t)convro_at(results, 0, 0)->u.i);
}

static void
accepted(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const struct accepting *accepting = arg;

	(void)nresults;
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	if (results->nrows == 0) {
		convro->db->query(ctx, DM_SESSIONS_SESSION,
		    CONVRO_ARGS(convro_i64(accepting->session),
			convro_i64(convro->auth->principal(ctx)->device_id)),
		    session_read, arg);
		return;
	}
	tell(ctx, accepting, (int32_t)convro_at(results, 0, 0)->u.i, convro_at(results, 0, 1)->u.i,
	    convro_at(results, 0, 2)->u.i);
	(void)answer(ctx, accepting->session, (int32_t)convro_at(results, 0, 0)->u.i);
}

int
dm_sessions_accept(struct convro_ctx *ctx, void *self)
{
	struct accepting *accepting = convro->mem->alloc(ctx, sizeof(*accepting));

	if (accepting == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	*accepting = (struct accepting){ self, convro->http->field(ctx, ACCEPT_SESSION)->u.i };
	convro->db->query(ctx, DM_SESSIONS_ACCEPT,
	    CONVRO_ARGS(convro_i64(accepting->session),
		convro_i64(convro->auth->principal(ctx)->device_id),
		convro_i64(convro->db->now(ctx))),
	    accepted, accepting);
	return CONVRO_OK;
}
