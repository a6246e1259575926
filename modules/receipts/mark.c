/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/dm/messages/receipts - marks messages delivered or read.
 */
#include "receipts.h"

#include <stdbool.h>

static void
marked(struct convro_ctx *ctx, void *arg, enum convro_status status, uint32_t updated,
    enum convro_mark mark)
{
	bool is_batch = arg != NULL; /* there foreign and unknown ids are skipped, a lone one too */
	struct convro_json *json;

	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
	} else if (mark == CONVRO_MARK_FOREIGN && !is_batch) {
		(void)convro->http->fail(ctx, 403, "NOT_MESSAGE_RECIPIENT");
	} else if (mark == CONVRO_MARK_UNKNOWN && !is_batch) {
		(void)convro->http->fail(ctx, 404, "MESSAGE_NOT_FOUND");
	} else {
		json = convro->http->answer(ctx);
		convro->json->put_bool(json, "ok", 1);
		convro->json->put_int(json, "updated", updated);
		(void)convro->http->reply(ctx, 200);
	}
}

int
receipts_mark(struct convro_ctx *ctx, void *self)
{
	const struct convro_dm_messages *messages = self;
	const struct convro_value *one = convro->http->field(ctx, RECEIPT_ONE);
	const struct convro_value *many = convro->http->field(ctx, RECEIPT_MANY);
	enum convro_receipt receipt =
	    convro->http->field(ctx, RECEIPT_STATUS)->u.i == 0 ? CONVRO_DELIVERED : CONVRO_READ;
	int64_t ids[IDS_MAX];
	uint32_t count = 0;

	if ((one->type == 0) == (many->type == 0)) /* exactly one of the two */
		return convro->http->fail_field(ctx, 400, "INVALID_MESSAGE_ID", "messageId");
	if (one->type != 0)
		ids[count++] = one->u.i;
	for (uint32_t i = 0; many->type != 0 && i < many->len && i < IDS_MAX; i++)
		ids[count++] = many->u.items[i].u.i;
	messages->mark(ctx, convro->auth->principal(ctx)->device_id, receipt, ids, count, marked,
	    many->type != 0 ? self : NULL);
	return CONVRO_OK;
}
