/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /v1/auth/devices - the caller's devices, oldest first.
 */
#include "auth.h"

static void
read_devices(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	int64_t current = convro->auth->principal(ctx)->device_id;
	struct convro_json *json;

	(void)arg;
	(void)nresults;
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	json = convro->http->answer(ctx);
	convro->json->open_array(json, "devices");
	for (uint32_t i = 0; i < results->nrows; i++) {
		const struct convro_db_val *label = convro_at(results, i, 2),
					   *seen = convro_at(results, i, 4);

		convro->json->open_object(json, NULL);
		convro->json->put_hex16(json, "deviceId", convro_at(results, i, 0)->u.i);
		convro->json->put_text(
		    json, "platform", platform_name(convro_at(results, i, 1)->u.i));
		convro->json->put_text(
		    json, "deviceLabel", label->type != CONVRO_DB_NULL ? label->u.text : NULL);
		convro->json->put_time(json, "createdAt", convro_at(results, i, 3)->u.i);
		if (seen->type != CONVRO_DB_NULL)
			convro->json->put_time(json, "lastSeenAt", seen->u.i);
		else
			convro->json->put_null(json, "lastSeenAt");
		convro->json->put_bool(
		    json, "isActive", convro_at(results, i, 5)->type == CONVRO_DB_NULL);
		convro->json->put_bool(json, "current", convro_at(results, i, 0)->u.i == current);
		convro->json->close_object(json);
	}
	convro->json->close_array(json);
	(void)convro->http->reply(ctx, 200);
}

int
auth_devices(struct convro_ctx *ctx, void *self)
{
	(void)self;
	convro->db->query(ctx, AUTH_DEVICES,
	    CONVRO_ARGS(convro_i64(convro->auth->principal(ctx)->user_id)), read_devices, NULL);
	return CONVRO_OK;
}
