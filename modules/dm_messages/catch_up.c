/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connecting device missed: every message to it above its cursor, over
 * all its sessions, in order (design: storage, section 2.4).
 */
#include "dm_messages.h"

enum { SOURCE_PAGE = 200, COL_SESSION_ID = 9 };

struct telling {
	const struct convro_realtime *realtime;
	struct convro_catch_up *catch_up;
};

static void
page_read(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const struct telling *telling = arg;

	(void)nresults;
	for (uint32_t i = 0; status == CONVRO_OK && i < results->nrows; i++) {
		const struct convro_db_val *at = convro_at(results, i, COL_SESSION_ID);
		struct sides sides = { .session_id = (int32_t)at[0].u.i,
			.initiator_user = at[1].u.i,
			.responder_user = at[2].u.i,
			.initiator_device = at[3].u.i,
			.responder_device = at[4].u.i };
		struct row row;
		const char *json;
		size_t len = 0;

		row_read(results, i, 0, &sides, &row);
		json = row_json(ctx, &row, &len);
		if (json != NULL)
			telling->realtime->emit(telling->catch_up, "dm.message", row.id, json, len);
		else
			status = CONVRO_NO_MEMORY; /* ends the connection: the client asks again */
	}
	telling->realtime->page_done(
	    telling->catch_up, status, status == CONVRO_OK && results->nrows == SOURCE_PAGE);
}

static void
page(struct convro_ctx *ctx, void *self, struct convro_catch_up *catch_up, int64_t device,
    int64_t after)
{
	const struct messages *messages = self;
	struct telling *telling = convro->mem->alloc(ctx, sizeof(*telling));

	if (telling == NULL) {
		messages->realtime->page_done(catch_up, CONVRO_NO_MEMORY, 0);
		return;
	}
	*telling = (struct telling){ messages->realtime, catch_up };
	convro->db->query(ctx, DM_MESSAGES_CATCH_UP,
	    CONVRO_ARGS(convro_i64(device), convro_i64(after), convro_i64(SOURCE_PAGE)), page_read,
	    telling);
}

const struct convro_realtime_source dm_messages_source = {
	.size = sizeof(struct convro_realtime_source),
	.order = 20,
	.page = page,
};
