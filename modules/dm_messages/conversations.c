/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /v1/dm/messages/conversations - the device's sessions, newest activity
 * first.  The cursor is "<last activity>-<session>" of the page's last row.
 */
#include "dm_messages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	COL_SESSION,
	COL_SESSION_ID,
	COL_STATE,
	COL_LAST_AT,
	COL_PEER_USER,
	COL_PEER_DEVICE,
	COL_UNREAD,
	COL_NUMBER,
	COL_USERNAME,
	COL_FULL_NAME,
	COL_MESSAGE,
	COL_ROLE = COL_MESSAGE + 9
};

struct listing {
	uint32_t limit;
};

static const char *
text_or_null(const struct convro_db_val *val)
{
	return val->type != CONVRO_DB_NULL ? val->u.text : NULL;
}

static void
put_number(struct convro_json *json, const struct convro_db_val *digits)
{
	char text[3 + 12 + 1] = "+99";

	if (digits->type == CONVRO_DB_NULL || digits->len > 12) {
		convro->json->put_null(json, "peerConvroNumber");
		return;
	}
	memcpy(text + 3, digits->u.text, digits->len);
	convro->json->put_text_n(json, "peerConvroNumber", text, 3 + digits->len);
}

static void
put_last_message(struct convro_ctx *ctx, struct convro_json *json,
    const struct convro_db_result *rows, uint32_t i)
{
	const struct convro_db_val *at = convro_at(rows, i, 0);
	const struct convro_principal *caller = convro->auth->principal(ctx);
	bool initiator = at[COL_ROLE].u.i == 0;
	struct sides sides = { .session_id = (int32_t)at[COL_SESSION_ID].u.i,
		.initiator_user = initiator ? caller->user_id : at[COL_PEER_USER].u.i,
		.responder_user = initiator ? at[COL_PEER_USER].u.i : caller->user_id,
		.initiator_device = initiator ? caller->device_id : at[COL_PEER_DEVICE].u.i,
		.responder_device = initiator ? at[COL_PEER_DEVICE].u.i : caller->device_id };
	struct row row;

	if (at[COL_MESSAGE].type == CONVRO_DB_NULL) {
		convro->json->put_null(json, "lastMessage");
		return;
	}
	row_read(rows, i, COL_MESSAGE, &sides, &row);
	convro->json->open_object(json, "lastMessage");
	row_put(json, &row);
	convro->json->close_object(json);
}

static void
put_conversation(struct convro_ctx *ctx, struct convro_json *json,
    const struct convro_db_result *rows, uint32_t i)
{
	const struct convro_db_val *at = convro_at(rows, i, 0);

	convro->json->open_object(json, NULL);
	convro->json->put_int(json, "sessionDbId", at[COL_SESSION].u.i);
	convro->json->put_hex8(json, "sessionId", (int32_t)at[COL_SESSION_ID].u.i);
	convro->json->put_text(json, "state", at[COL_STATE].u.i == 0 ? "PENDING" : "ACTIVE");
	convro->json->put_int_text(json, "peerUserId", at[COL_PEER_USER].u.i);
	convro->json->put_hex16(json, "peerDeviceId", at[COL_PEER_DEVICE].u.i);
	put_number(json, &at[COL_NUMBER]);
	convro->json->put_text(json, "peerUsername", text_or_null(&at[COL_USERNAME]));
	convro->json->put_text(json, "peerFullName", text_or_null(&at[COL_FULL_NAME]));
	convro->json->put_int(json, "unreadCount", at[COL_UNREAD].u.i);
	convro->json->put_time(json, "lastActivityAt", at[COL_LAST_AT].u.i);
	put_last_message(ctx, json, rows, i);
	convro->json->close_object(json);
}

static void
listed(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const struct listing *listing = arg;
	struct convro_json *json;
	uint32_t count;

	(void)nresults;
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	count = results->nrows > listing->limit ? listing->limit : results->nrows;
	json = convro->http->answer(ctx);
	convro->json->open_array(json, "conversations");
	for (uint32_t i = 0; i < count; i++)
		put_conversation(ctx, json, results, i);
	convro->json->close_array(json);
	if (results->nrows > count) {
		char cursor[48];

		(void)snprintf(cursor, sizeof(cursor), "%" PRId64 "-%" PRId64,
		    convro_at(results, count - 1, COL_LAST_AT)->u.i,
		    convro_at(results, count - 1, COL_SESSION)->u.i);
		convro->json->put_text(json, "nextCursor", cursor);
	} else {
		convro->json->put_null(json, "nextCursor");
	}
	(void)convro->http->reply(ctx, 200);
}

/* Digits up to the end or a dash; NULL when there are none or too many. */
static const char *
read_part(const char *text, int64_t *out)
{
	int64_t value = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9'; at++) {
		if (at - text >= 18)
			return NULL;
		value = value * 10 + (*at - '0');
	}
	*out = value;
	return at != text ? at : NULL;
}

static bool
read_cursor(const char *text, int64_t *at, int64_t *session)
{
	const char *end = read_part(text, at);

	if (end == NULL || *end != '-')
		return false;
	end = read_part(end + 1, session);
	return end != NULL && *end == '\0';
}

int
dm_messages_conversations(struct convro_ctx *ctx, void *self)
{
	const struct convro_value *limit = convro->http->field(ctx, CONVERSATIONS_LIMIT);
	const struct convro_value *cursor = convro->http->field(ctx, CONVERSATIONS_CURSOR);
	struct listing *listing = convro->mem->alloc(ctx, sizeof(*listing));
	int64_t at = INT64_MAX, session = INT64_MAX;

	(void)self;
	if (listing == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	if (cursor->type != 0 && !read_cursor(cursor->u.text, &at, &session))
		return convro->http->fail_field(ctx, 400, "INVALID_QUERY", "cursor");
	listing->limit = limit->type != 0 ? (uint32_t)limit->u.i : PAGE_LIMIT;
	convro->db->query(ctx, DM_MESSAGES_CONVERSATIONS,
	    CONVRO_ARGS(convro_i64(convro->auth->principal(ctx)->device_id), convro_i64(at),
		convro_i64(session), convro_i64((int64_t)listing->limit + 1)),
	    listed, listing);
	return CONVRO_OK;
}
