/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/dm/messages/send - stores a ciphertext for the session's other
 * device.  Answered, and pushed, only once the commit is durable.
 */
#include "dm_messages.h"

struct sending {
	const struct messages *messages;
	uint8_t cmid[CMID_MAX];
	size_t cmid_len;
};

/* Outcomes of dm_messages.send (sql/dm_messages/statements.sql). */
enum { NEW, REPEATED, ID_REUSED, NOT_ACTIVE, GONE, MISMATCH };

/* Both statements exist for every engine but the lock only on one. */
enum { RESULT_LOCK, RESULT_SEND };

static int
refuse(struct convro_ctx *ctx, int64_t outcome)
{
	switch (outcome) {
	case ID_REUSED:
		return convro->http->fail(ctx, 409, "CLIENT_MESSAGE_ID_REUSED");
	case NOT_ACTIVE:
		return convro->http->fail(ctx, 409, "SESSION_NOT_ACTIVE");
	case GONE:
		return convro->http->fail(ctx, 409, "PEER_GONE");
	default:
		return convro->http->fail_field(
		    ctx, 400, "RECIPIENT_MISMATCH", "recipientDeviceId");
	}
}

static void
read_row(struct convro_ctx *ctx, const struct sending *sending,
    const struct convro_db_result *result, struct row *row)
{
	const struct convro_db_val *at = convro_at(result, 0, 0);
	const struct convro_value *ciphertext = convro->http->field(ctx, SEND_CIPHERTEXT);
	const struct convro_value *tag = convro->http->field(ctx, SEND_TAG);

	*row = (struct row){
		.id = at[1].u.i,
		.server_us = at[2].u.i,
		.client_us = at[3].u.i,
		.has_client_time = at[3].type != CONVRO_DB_NULL,
		.version = (int32_t)at[4].u.i,
		.status = (int32_t)at[5].u.i,
		.session_id = (int32_t)convro->http->field(ctx, SEND_SESSION)->u.i,
		.sender_user = at[6].u.i,
		.recipient_user = at[7].u.i,
		.sender_device = convro->auth->principal(ctx)->device_id,
		.recipient_device = at[8].u.i,
		.cmid = sending->cmid,
		.cmid_len = sending->cmid_len,
		.ciphertext = ciphertext->u.bytes,
		.ciphertext_len = ciphertext->len,
		.tag = tag->u.bytes,
		.tag_len = tag->len,
	};
}

static void
tell(struct convro_ctx *ctx, const struct messages *messages, const struct row *row)
{
	struct convro_message_fact fact = { .size = sizeof(fact),
		.session_id = row->session_id,
		.id = row->id,
		.sender_user = row->sender_user,
		.sender_device = row->sender_device,
		.recipient_user = row->recipient_user,
		.recipient_device = row->recipient_device };
	const char *json;
	size_t len = 0;

	convro->bus->emit(ctx, "dm.message.stored", &fact);
	if (messages->realtime == NULL)
		return;
	json = row_json(ctx, row, &len);
	if (json == NULL) {
		/* It is stored; the device finds it on its next connect or page. */
		convro->log->write(ctx, CONVRO_LOG_WARNING,
		    "out of memory: message %lld was not pushed", (long long)row->id);
		return;
	}
	messages->realtime->push(ctx, row->recipient_device, "dm.message", row->id, json, len);
}

static void
stored(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const struct sending *sending = arg;
	const struct convro_db_result *result;
	struct convro_json *json;
	struct row row;
	int64_t outcome;

	(void)nresults;
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	result = &results[RESULT_SEND];
	if (result->nrows == 0) {
		(void)convro->http->fail(ctx, 404, "SESSION_NOT_FOUND");
		return;
	}
	outcome = convro_at(result, 0, 0)->u.i;
	if (outcome != NEW && outcome != REPEATED) {
		(void)refuse(ctx, outcome);
		return;
	}
	read_row(ctx, sending, result, &row);
	if (outcome == NEW)
		tell(ctx, sending->messages, &row);
	json = convro->http->answer(ctx);
	convro->json->put_bool(json, "ok", 1);
	row_put(json, &row);
	convro->json->put_bool(json, "deduped", outcome == REPEATED);
	(void)convro->http->reply(ctx, outcome == NEW ? 201 : 200);
}

static struct convro_db_val
client_time(struct convro_ctx *ctx)
{
	const struct convro_value *iso = convro->http->field(ctx, SEND_TIME);
	const struct convro_value *ms = convro->http->field(ctx, SEND_TIME_MS);

	if (iso->type != 0)
		return convro_i64(iso->u.i);
	return ms->type != 0 ? convro_i64(ms->u.i * 1000) : convro_null();
}

int
dm_messages_send(struct convro_ctx *ctx, void *self)
{
	const struct convro_value *recipient = convro->http->field(ctx, SEND_RECIPIENT);
	const struct convro_value *ciphertext = convro->http->field(ctx, SEND_CIPHERTEXT);
	const struct convro_value *tag = convro->http->field(ctx, SEND_TAG);
	const struct convro_value *id = convro->http->field(ctx, SEND_ID);
	const struct convro_value *version = convro->http->field(ctx, SEND_VERSION);
	struct convro_db_val device = convro_i64(convro->auth->principal(ctx)->device_id);
	struct convro_db_val session =
	    convro_i32((int32_t)convro->http->field(ctx, SEND_SESSION)->u.i);
	struct sending *sending = convro->mem->alloc(ctx, sizeof(*sending));
	struct convro_db_batch *batch;

	if (sending == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	sending->messages = self;
	sending->cmid_len = message_id_pack(
	    id->type != 0 ? id->u.text : NULL, id->type != 0 ? id->len : 0, sending->cmid);
	batch = convro->db->batch(ctx);
	convro->db->add(batch, DM_MESSAGES_SEND_LOCK, CONVRO_ARGS(device, session));
	convro->db->add(batch, DM_MESSAGES_SEND,
	    CONVRO_ARGS(device, session,
		recipient->type != 0 ? convro_i64(recipient->u.i) : convro_null(),
		convro_blob(sending->cmid, sending->cmid_len), client_time(ctx),
		convro_i32(version->type != 0 ? (int32_t)version->u.i : 1),
		convro_blob(tag->u.bytes, tag->len),
		convro_blob(ciphertext->u.bytes, ciphertext->len),
		convro_i64(convro->db->now(ctx))));
	convro->db->exec(batch, stored, sending);
	return CONVRO_OK;
}
