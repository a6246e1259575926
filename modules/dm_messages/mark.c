/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service dm_messages.v1: marking messages delivered or read, for the
 * module receipts and for sockets that acknowledge what is pushed to them.
 */
#include "dm_messages.h"

#include <string.h>

static const struct messages *state;

struct marking {
	int64_t device, single; /* single: the id, or 0 for several */
	enum convro_receipt receipt;
	int64_t now;
	convro_marked *done;
	void *arg;
};

void
mark_init(const struct messages *messages)
{
	state = messages;
}

/* Columns id sid sender_device of dm_messages.receipt. */
static void
tell(struct convro_ctx *ctx, const struct marking *marking, const struct convro_db_val *at)
{
	struct convro_receipt_fact fact = { .size = sizeof(fact),
		.status = (int32_t)marking->receipt,
		.message = at[0].u.i,
		.sender_device = at[2].u.i,
		.recipient_device = marking->device };
	struct convro_json *json;
	const char *text;
	size_t len = 0;

	convro->bus->emit(ctx, "dm.receipt.stored", &fact);
	if (state->realtime == NULL || (json = convro->json->make(ctx)) == NULL)
		return;
	convro->json->open_object(json, NULL);
	convro->json->put_int(json, "messageId", at[0].u.i);
	convro->json->put_hex8(json, "sessionId", (int32_t)at[1].u.i);
	convro->json->put_hex16(json, "deviceId", marking->device);
	convro->json->put_text(
	    json, "status", marking->receipt == CONVRO_READ ? "READ" : "DELIVERED");
	convro->json->put_time(json, "at", marking->now);
	convro->json->close_object(json);
	text = convro->json->text(json, &len);
	if (text != NULL)
		state->realtime->push(ctx, at[2].u.i, "dm.receipt", 0, text, len);
}

static void
why_read(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const struct marking *marking = arg;
	enum convro_mark mark = CONVRO_MARK_UNKNOWN;

	(void)nresults;
	if (status == CONVRO_OK && results->nrows > 0)
		mark = convro_at(results, 0, 0)->u.i != 0 ? CONVRO_MARK_KNOWN : CONVRO_MARK_FOREIGN;
	marking->done(ctx, marking->arg, status, 0, mark);
}

static void
stored(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const struct marking *marking = arg;
	uint32_t updated = 0;

	if (status != CONVRO_OK) {
		marking->done(ctx, marking->arg, status, 0, CONVRO_MARK_KNOWN);
		return;
	}
	/* Locks and receipts alternate; a lock's rows are not receipts. */
	for (uint32_t i = 1; i < nresults; i += 2) {
		for (uint32_t r = 0; r < results[i].nrows; r++) {
			tell(ctx, marking, convro_at(&results[i], r, 0));
			updated++;
		}
	}
	if (updated == 0 && marking->single != 0)
		convro->db->query(ctx, DM_MESSAGES_RECEIPT_WHY,
		    CONVRO_ARGS(convro_i64(marking->single), convro_i64(marking->device)), why_read,
		    arg);
	else
		marking->done(ctx, marking->arg, CONVRO_OK, updated, CONVRO_MARK_KNOWN);
}

static void
mark(struct convro_ctx *ctx, int64_t device, enum convro_receipt receipt, const int64_t *ids,
    uint32_t count, convro_marked *done, void *arg)
{
	struct marking *marking = convro->mem->zero(ctx, sizeof(*marking));
	struct convro_db_batch *batch;
	struct convro_db_val caller = convro_i64(device);

	if (marking == NULL) {
		done(ctx, arg, CONVRO_NO_MEMORY, 0, CONVRO_MARK_KNOWN);
		return;
	}
	*marking = (struct marking){ .device = device,
		.single = count == 1 ? ids[0] : 0,
		.receipt = receipt,
		.now = convro->db->now(ctx),
		.done = done,
		.arg = arg };
	batch = convro->db->batch(ctx);
	for (uint32_t i = 0; i < count; i++) {
		convro->db->add(
		    batch, DM_MESSAGES_RECEIPT_LOCK, CONVRO_ARGS(caller, convro_i64(ids[i])));
		convro->db->add(batch, DM_MESSAGES_RECEIPT,
		    CONVRO_ARGS(caller, convro_i32((int32_t)receipt), convro_i64(ids[i]),
			convro_i64(marking->now)));
	}
	convro->db->exec(batch, stored, marking);
}

const struct convro_dm_messages dm_messages_service = {
	.size = sizeof(struct convro_dm_messages),
	.mark = mark,
};

static void
acknowledged(struct convro_ctx *ctx, void *arg, enum convro_status status, uint32_t updated,
    enum convro_mark mark)
{
	(void)arg;
	(void)updated;
	(void)mark;
	if (status != CONVRO_OK)
		convro->log->write(ctx, CONVRO_LOG_WARNING,
		    "an acknowledged message could not be marked delivered: it stays pending until it is read");
}

void
dm_messages_acknowledged(struct convro_ctx *ctx, void *self, int64_t device, int64_t cursor)
{
	(void)self;
	mark(ctx, device, CONVRO_DELIVERED, &cursor, 1, acknowledged, NULL);
}
