/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message row (wire contract, section 2): one shape for send, history,
 * realtime and conversations, with the types that clients' decoders require.
 */
#include "dm_messages.h"

static const char *
status_name(int32_t status)
{
	static const char *const names[] = { "PENDING", "DELIVERED", "READ" };

	return status >= 0 && status <= 2 ? names[status] : names[0];
}

void
row_put(struct convro_json *json, const struct row *row)
{
	convro->json->put_int(json, "id", row->id);
	convro->json->put_int(json, "messageId", row->id);
	convro->json->put_int_text(json, "serverMessageId", row->id);
	convro->json->put_int(json, "c6pVersion", row->version);
	convro->json->put_hex8(json, "sessionId", row->session_id);
	convro->json->put_int_text(json, "senderUserId", row->sender_user);
	convro->json->put_int_text(json, "recipientUserId", row->recipient_user);
	convro->json->put_hex16(json, "senderDeviceId", row->sender_device);
	convro->json->put_hex16(json, "recipientDeviceId", row->recipient_device);
	message_id_put(json, row->cmid, row->cmid_len);
	if (row->has_client_time)
		convro->json->put_time(json, "clientTimestamp", row->client_us);
	else
		convro->json->put_null(json, "clientTimestamp");
	convro->json->put_time(json, "serverTimestamp", row->server_us);
	convro->json->put_text(json, "deliveryState", status_name(row->status));
	convro->json->put_bytes(json, "ciphertext", row->ciphertext, row->ciphertext_len);
	convro->json->put_bytes(json, "authTag", row->tag, row->tag_len);
}

const char *
row_json(struct convro_ctx *ctx, const struct row *row, size_t *len)
{
	struct convro_json *json = convro->json->make(ctx);

	if (json == NULL)
		return NULL;
	convro->json->open_object(json, NULL);
	row_put(json, row);
	convro->json->close_object(json);
	return convro->json->text(json, len);
}

void
row_read(const struct convro_db_result *rows, uint32_t row, uint32_t col, const struct sides *sides,
    struct row *out)
{
	const struct convro_db_val *at = convro_at(rows, row, col);
	bool by_initiator = at[4].u.i == 0;

	*out = (struct row){
		.id = at[0].u.i,
		.server_us = at[1].u.i,
		.client_us = at[2].u.i,
		.has_client_time = at[2].type != CONVRO_DB_NULL,
		.version = (int32_t)at[3].u.i,
		.session_id = sides->session_id,
		.sender_user = by_initiator ? sides->initiator_user : sides->responder_user,
		.recipient_user = by_initiator ? sides->responder_user : sides->initiator_user,
		.sender_device = by_initiator ? sides->initiator_device : sides->responder_device,
		.recipient_device =
		    by_initiator ? sides->responder_device : sides->initiator_device,
		.cmid = at[5].u.p,
		.cmid_len = at[5].len,
		.tag = at[6].u.p,
		.tag_len = at[6].len,
		.ciphertext = at[7].u.p,
		.ciphertext_len = at[7].len,
		.status = at[8].type != CONVRO_DB_NULL ? (int32_t)at[8].u.i : STATUS_PENDING,
	};
}
