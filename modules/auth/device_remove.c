/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DELETE /v1/auth/devices/{deviceId} - removes another device of the caller.
 */
#include "auth.h"

static void
removed(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	int64_t user_id = convro->auth->principal(ctx)->user_id;
	struct convro_device_removed_fact fact = { .size = sizeof(fact), .user_id = user_id };
	struct convro_json *json;

	(void)arg;
	(void)nresults;
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	if (results->nrows == 0) {
		(void)convro->http->fail(ctx, 404, "DEVICE_NOT_FOUND");
		return;
	}
	fact.device_id = convro_at(results, 0, 0)->u.i;
	emit_revoked(ctx, user_id, fact.device_id, (uint32_t)convro_at(results, 0, 1)->u.i);
	convro->bus->emit(ctx, "auth.device.removed", &fact);
	json = convro->http->answer(ctx);
	convro->json->put_bool(json, "ok", 1);
	(void)convro->http->reply(ctx, 200);
}

int
auth_device_remove(struct convro_ctx *ctx, void *self)
{
	const struct convro_principal *caller = convro->auth->principal(ctx);
	int64_t device_id = convro->http->field(ctx, REMOVE_DEVICE_ID)->u.i;
	struct convro_db_val now = convro_i64(convro->db->now(ctx));
	struct convro_db_batch *batch;

	(void)self;
	if (device_id == caller->device_id)
		return convro->http->fail(ctx, 409, "CURRENT_DEVICE");
	batch = convro->db->batch(ctx);
	convro->db->add(batch, AUTH_DEVICE_REMOVE,
	    CONVRO_ARGS(convro_i64(device_id), convro_i64(caller->user_id), now));
	convro->db->add(batch, AUTH_REVOKE_DEVICE,
	    CONVRO_ARGS(convro_i64(device_id), convro_i64(caller->user_id), now));
	convro->db->exec(batch, removed, NULL);
	return CONVRO_OK;
}
