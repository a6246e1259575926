/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /v1/dm/sessions/incoming - offers that wait for the caller's device; and
 * the same told to a device that connects.
 */
#include "dm_sessions.h"

enum { SOURCE_PAGE = 100 };

struct offer
dm_sessions_offer_at(const struct convro_db_result *rows, uint32_t row)
{
	return (struct offer){ .session = convro_at(rows, row, 0)->u.i,
		.session_id = (int32_t)convro_at(rows, row, 1)->u.i,
		.initiator_user = convro_at(rows, row, 2)->u.i,
		.initiator_device = convro_at(rows, row, 3)->u.i,
		.json = convro_at(rows, row, 4)->u.text,
		.len = convro_at(rows, row, 4)->len,
		.created = convro_at(rows, row, 5)->u.i };
}

/* The members that the answer and the event have in common. */
static void
put_offer(struct convro_json *json, const struct offer *offer)
{
	convro->json->put_int(json, "initiatorUserId", offer->initiator_user);
	convro->json->put_hex16(json, "initiatorDeviceId", offer->initiator_device);
	convro->json->put_raw(json, "handshakeOffer", offer->json, offer->len);
	convro->json->put_time(json, "createdAt", offer->created);
}

const char *
dm_sessions_offer_json(struct convro_ctx *ctx, const struct offer *offer, size_t *len)
{
	struct convro_json *json = convro->json->make(ctx);

	if (json == NULL)
		return NULL;
	convro->json->open_object(json, NULL);
	convro->json->put_text(json, "type", "dm.session.offer");
	convro->json->put_int(json, "sessionDbId", offer->session);
	convro->json->put_hex8(json, "sessionId", offer->session_id);
	convro->json->put_text(json, "state", "PENDING");
	put_offer(json, offer);
	convro->json->close_object(json);
	return convro->json->text(json, len);
}

static void
listed(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	struct convro_json *json;

	(void)arg;
	(void)nresults;
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	json = convro->http->answer(ctx);
	convro->json->open_array(json, "sessions");
	for (uint32_t i = 0; i < results->nrows; i++) {
		struct offer offer = dm_sessions_offer_at(results, i);

		convro->json->open_object(json, NULL);
		convro->json->put_int(json, "sessionDbId", offer.session);
		convro->json->put_hex8(json, "sessionId", offer.session_id);
		put_offer(json, &offer);
		convro->json->close_object(json);
	}
	convro->json->close_array(json);
	(void)convro->http->reply(ctx, 200);
}

int
dm_sessions_incoming(struct convro_ctx *ctx, void *self)
{
	const struct convro_value *limit = convro->http->field(ctx, INCOMING_FIELD_LIMIT);
	const struct convro_value *after = convro->http->field(ctx, INCOMING_FIELD_AFTER);

	(void)self;
	convro->db->query(ctx, DM_SESSIONS_INCOMING,
	    CONVRO_ARGS(convro_i64(convro->auth->principal(ctx)->device_id),
		convro_i64(after->type != 0 ? after->u.i : 0),
		convro_i64(limit->type != 0 ? limit->u.i : INCOMING_LIMIT)),
	    listed, NULL);
	return CONVRO_OK;
}

/* ---- on connect ---- */

struct telling {
	const struct convro_realtime *realtime;
	struct convro_catch_up *catch_up;
	int64_t device;
};

static void
page_read(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const struct telling *telling = arg;
	int64_t last = 0;

	(void)nresults;
	if (status != CONVRO_OK) {
		telling->realtime->page_done(telling->catch_up, status, 0);
		return;
	}
	for (uint32_t i = 0; i < results->nrows; i++) {
		struct offer offer = dm_sessions_offer_at(results, i);
		size_t len = 0;
		const char *json = dm_sessions_offer_json(ctx, &offer, &len);

		if (json == NULL) {
			telling->realtime->page_done(telling->catch_up, CONVRO_NO_MEMORY, 0);
			return;
		}
		telling->realtime->emit(telling->catch_up, "dm.session.offer", 0, json, len);
		last = offer.session;
	}
	if (results->nrows < SOURCE_PAGE) {
		telling->realtime->page_done(telling->catch_up, CONVRO_OK, 0);
		return;
	}
	/* Offers have no cursor of the client's, so the next page is read from here. */
	convro->db->query(ctx, DM_SESSIONS_INCOMING,
	    CONVRO_ARGS(convro_i64(telling->device), convro_i64(last), convro_i64(SOURCE_PAGE)),
	    page_read, arg);
}

static void
page(struct convro_ctx *ctx, void *self, struct convro_catch_up *catch_up, int64_t device,
    int64_t after)
{
	const struct sessions *sessions = self;
	struct telling *telling = convro->mem->alloc(ctx, sizeof(*telling));

	(void)after;
	if (telling == NULL) {
		sessions->realtime->page_done(catch_up, CONVRO_NO_MEMORY, 0);
		return;
	}
	*telling = (struct telling){ sessions->realtime, catch_up, device };
	convro->db->query(ctx, DM_SESSIONS_INCOMING,
	    CONVRO_ARGS(convro_i64(device), convro_i64(0), convro_i64(SOURCE_PAGE)), page_read,
	    telling);
}

/* Before messages (20): a client needs the session to read them. */
const struct convro_realtime_source dm_sessions_source = {
	.size = sizeof(struct convro_realtime_source),
	.order = 10,
	.page = page,
};
