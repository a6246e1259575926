/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /v1/dm/messages/history - a page of a session's messages, ascending.
 */
#include "dm_messages.h"

struct page {
	struct sides sides;
	uint32_t limit;
	bool backwards; /* newest page below beforeId */
	bool incoming;
	bool has_after;
	int64_t from; /* beforeId or afterId */
};

static void
put_page(struct convro_ctx *ctx, const struct page *page, const struct convro_db_result *results)
{
	struct convro_json *json = convro->http->answer(ctx);
	bool more = results->nrows > page->limit; /* one more than the page was asked for */
	uint32_t count = more ? page->limit : results->nrows;
	int64_t last = 0;

	convro->json->put_hex8(json, "sessionId", page->sides.session_id);
	convro->json->open_array(json, "messages");
	for (uint32_t i = 0; i < count; i++) {
		struct row row;

		/* Read backwards they come newest first. */
		row_read(results, page->backwards ? count - 1 - i : i, 0, &page->sides, &row);
		convro->json->open_object(json, NULL);
		row_put(json, &row);
		convro->json->close_object(json);
		last = row.id;
	}
	convro->json->close_array(json);
	convro->json->put_bool(json, "hasMore", more);
	if (count > 0)
		convro->json->put_int(json, "nextAfterId", last);
	else if (page->has_after)
		convro->json->put_int(json, "nextAfterId", page->from);
	else
		convro->json->put_null(json, "nextAfterId");
	(void)convro->http->reply(ctx, 200);
}

/* The session's head, and its page. */
static void
read_both(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	struct page *page = arg;

	(void)nresults;
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	if (results->nrows == 0) {
		(void)convro->http->fail(ctx, 404, "SESSION_NOT_FOUND");
		return;
	}
	page->sides.initiator_user = convro_at(results, 0, 3)->u.i;
	page->sides.responder_user = convro_at(results, 0, 4)->u.i;
	page->sides.initiator_device = convro_at(results, 0, 5)->u.i;
	page->sides.responder_device = convro_at(results, 0, 6)->u.i;
	put_page(ctx, page, &results[1]);
}

int
dm_messages_history(struct convro_ctx *ctx, void *self)
{
	const struct convro_value *before = convro->http->field(ctx, HISTORY_BEFORE);
	const struct convro_value *after = convro->http->field(ctx, HISTORY_AFTER);
	const struct convro_value *limit = convro->http->field(ctx, HISTORY_LIMIT);
	const struct convro_value *direction = convro->http->field(ctx, HISTORY_DIRECTION);
	int64_t device = convro->auth->principal(ctx)->device_id;
	struct convro_db_batch *batch;
	struct page *page;

	(void)self;
	if (before->type != 0 && after->type != 0)
		return convro->http->fail(ctx, 400, "INVALID_QUERY");
	page = convro->mem->zero(ctx, sizeof(*page));
	if (page == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	page->sides.session_id = (int32_t)convro->http->field(ctx, HISTORY_SESSION)->u.i;
	page->limit = limit->type != 0 ? (uint32_t)limit->u.i : PAGE_LIMIT;
	page->has_after = after->type != 0;
	page->backwards = !page->has_after;
	page->from = page->has_after ? after->u.i : before->type != 0 ? before->u.i : INT64_MAX;
	/* A client that pages forward treats each row as received. */
	page->incoming = direction->type != 0 ? direction->u.i == 1 : page->has_after;
	batch = convro->db->batch(ctx);
	convro->db->add(batch, DM_MESSAGES_HEAD,
	    CONVRO_ARGS(convro_i64(device), convro_i32(page->sides.session_id)));
	convro->db->add(batch, page->backwards ? DM_MESSAGES_BEFORE : DM_MESSAGES_AFTER,
	    CONVRO_ARGS(convro_i64(device), convro_i32(page->sides.session_id),
		convro_i64(page->from), convro_i64(page->limit + 1),
		convro_i32(page->incoming ? 1 : 0)));
	convro->db->exec(batch, read_both, page);
	return CONVRO_OK;
}
