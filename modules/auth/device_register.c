/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/auth/devices/register - a further device of the caller.  It gets no
 * tokens: it logs in with its id.
 */
#include "auth.h"

struct adding {
	int64_t device_id, now;
};

static void
stored(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const struct adding *adding = arg;
	const struct convro_principal *caller = convro->auth->principal(ctx);
	const struct convro_db_result *device;
	const struct convro_db_val *label;
	struct convro_json *json;

	(void)nresults;
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	device = &results[1];
	if (device->nrows == 0) {
		device_refused(ctx, adding->device_id, caller->user_id);
		return;
	}
	label = convro_at(device, 0, 3);
	json = convro->http->answer(ctx);
	convro->json->put_bool(json, "ok", 1);
	convro->json->put_int(json, "userId", caller->user_id);
	convro->json->put_hex16(json, "deviceId", adding->device_id);
	convro->json->put_text(json, "platform", platform_name(convro_at(device, 0, 2)->u.i));
	convro->json->put_text(
	    json, "deviceLabel", label->type != CONVRO_DB_NULL ? label->u.text : NULL);
	convro->json->put_time(json, "createdAt", convro_at(device, 0, 1)->u.i);
	(void)convro->http->reply(ctx, convro_at(device, 0, 1)->u.i == adding->now ? 201 : 200);
}

int
auth_device_register(struct convro_ctx *ctx, void *self)
{
	const struct auth *auth = self;
	const struct convro_principal *caller = convro->auth->principal(ctx);
	const struct convro_value *platform = convro->http->field(ctx, DEVICE_PLATFORM);
	struct adding *adding = convro->mem->zero(ctx, sizeof(*adding));
	struct convro_db_val device, user;
	struct convro_db_batch *batch;

	if (adding == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	adding->device_id = device_id_of(convro->http->field(ctx, DEVICE_ID));
	adding->now = convro->db->now(ctx);
	device = convro_i64(adding->device_id);
	user = convro_i64(caller->user_id);
	batch = convro->db->batch(ctx);
	convro->db->add(batch, AUTH_DEVICE_LOCK, CONVRO_ARGS(device, user));
	convro->db->add(batch, AUTH_DEVICE_PUT,
	    CONVRO_ARGS(device, user, convro_i64(adding->now),
		platform->type != 0 ? convro_i32((int32_t)platform->u.i) : convro_null(),
		text_or_null(convro->http->field(ctx, DEVICE_LABEL)),
		convro_i64(auth->device_limit)));
	convro->db->exec(batch, stored, adding);
	return CONVRO_OK;
}
