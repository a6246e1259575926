/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /v1/prekeys/bundle - the keys to open a session with a device.  The
 * one-time key is consumed here; a commit whose outcome is unknown burns it,
 * which is the safe direction.
 */
#include "prekeys.h"

struct bundle {
	const struct prekeys *prekeys;
	struct convro_db_val user; /* NULL when only the device was given */
	bool device_given;
	int64_t device_id;
	struct convro_on_one_time subject;
	bool take, again; /* again: the first active device changed under us, once */
};

enum { RESULT_BUNDLE, RESULT_FREE };

static void find_device(struct convro_ctx *ctx, struct bundle *bundle);

static void
why_read(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const struct bundle *bundle = arg;

	(void)nresults;
	if (status != CONVRO_OK)
		(void)convro->http->fail_db(ctx, status);
	else if (bundle->user.type != CONVRO_DB_NULL && convro_at(results, 0, 0)->u.i == 0)
		(void)convro->http->fail(ctx, 404, "USER_NOT_FOUND");
	else if (bundle->device_given && convro_at(results, 0, 1)->u.i == 0)
		(void)convro->http->fail(ctx, 404, "DEVICE_NOT_FOUND");
	else
		(void)convro->http->fail(ctx, 404, "PREKEYS_NOT_FOUND");
}

static void
ask_why(struct convro_ctx *ctx, struct bundle *bundle)
{
	convro->db->query(ctx, PREKEYS_BUNDLE_WHY,
	    CONVRO_ARGS(
		bundle->device_given ? convro_i64(bundle->device_id) : convro_null(), bundle->user),
	    why_read, bundle);
}

static void
answer(struct convro_ctx *ctx, const struct convro_db_result *row)
{
	struct convro_json *json = convro->http->answer(ctx);
	const struct convro_db_val *identity = convro_at(row, 0, 1),
				   *signed_key = convro_at(row, 0, 3);
	const struct convro_db_val *signature = convro_at(row, 0, 4),
				   *one_time = convro_at(row, 0, 6);

	convro->json->put_hex16(json, "responderDeviceId", convro_at(row, 0, 0)->u.i);
	convro->json->put_bytes(json, "identityPublicKeyEd25519", identity->u.p, identity->len);
	convro->json->put_hex16(json, "signedPrekeyId", convro_at(row, 0, 2)->u.i);
	convro->json->put_bytes(
	    json, "signedPrekeyPublicKeyX25519", signed_key->u.p, signed_key->len);
	convro->json->put_bytes(json, "signedPrekeySignature", signature->u.p, signature->len);
	if (one_time->type != CONVRO_DB_NULL) {
		convro->json->put_hex16(json, "oneTimePrekeyId", convro_at(row, 0, 5)->u.i);
		convro->json->put_bytes(
		    json, "oneTimePrekeyPublicKeyX25519", one_time->u.p, one_time->len);
	} else {
		convro->json->put_null(json, "oneTimePrekeyId");
		convro->json->put_null(json, "oneTimePrekeyPublicKeyX25519");
	}
	(void)convro->http->reply(ctx, 200);
}

static void
consumed(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	struct bundle *bundle = arg;
	const struct convro_db_result *row, *left;
	bool got_key;

	(void)nresults;
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	row = &results[RESULT_BUNDLE];
	left = &results[RESULT_FREE];
	got_key = row->nrows > 0 && convro_at(row, 0, 5)->type != CONVRO_DB_NULL;
	if (bundle->take && !got_key)
		convro->bus->emit(ctx, "prekeys.one_time.unused", &bundle->subject);
	if (row->nrows == 0) {
		if (bundle->device_given || bundle->again) {
			ask_why(ctx, bundle);
		} else {
			bundle->again = true;
			find_device(ctx, bundle);
		}
		return;
	}
	/* Exactly one bundle takes the stock over the line. */
	if (got_key && left->nrows > 0 && convro_at(left, 0, 0)->u.i == LOW_BELOW - 1)
		prekeys_tell_low(ctx, bundle->prekeys, bundle->device_id, LOW_BELOW - 1);
	answer(ctx, row);
}

static void
decided(struct convro_ctx *ctx, void *arg, const struct convro_verdict *verdict)
{
	struct bundle *bundle = arg;
	struct convro_db_batch *batch = convro->db->batch(ctx);
	struct convro_db_val device = convro_i64(bundle->device_id);

	bundle->take = verdict->kind == CONVRO_ALLOW;
	convro->db->add(batch, PREKEYS_BUNDLE,
	    CONVRO_ARGS(device, bundle->user, convro_i64(convro->db->now(ctx)),
		convro_i32(bundle->take ? 1 : 0)));
	convro->db->add(batch, PREKEYS_FREE, CONVRO_ARGS(device));
	convro->db->exec(batch, consumed, bundle);
}

static void
take(struct convro_ctx *ctx, struct bundle *bundle)
{
	bundle->subject = (struct convro_on_one_time){ .size = sizeof(bundle->subject),
		.caller_user = convro->auth->principal(ctx)->user_id,
		.target_device = bundle->device_id };
	convro->bus->ask(ctx, "prekeys.one_time", &bundle->subject, decided, bundle);
}

static void
device_found(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	struct bundle *bundle = arg;

	(void)nresults;
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
	} else if (results->nrows == 0) {
		ask_why(ctx, bundle);
	} else {
		bundle->device_id = convro_at(results, 0, 0)->u.i;
		take(ctx, bundle);
	}
}

static void
find_device(struct convro_ctx *ctx, struct bundle *bundle)
{
	convro->db->query(ctx, PREKEYS_DEVICE_OF, CONVRO_ARGS(bundle->user), device_found, bundle);
}

int
prekeys_bundle(struct convro_ctx *ctx, void *self)
{
	const struct convro_value *user = convro->http->field(ctx, BUNDLE_USER);
	const struct convro_value *device = convro->http->field(ctx, BUNDLE_DEVICE);
	struct bundle *bundle;

	if (user->type == 0 && device->type == 0)
		return convro->http->fail_field(ctx, 400, "INVALID_QUERY", "user_id");
	bundle = convro->mem->zero(ctx, sizeof(*bundle));
	if (bundle == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	bundle->prekeys = self;
	bundle->user = user->type != 0 ? convro_i64(user->u.i) : convro_null();
	bundle->device_given = device->type != 0;
	if (bundle->device_given) {
		bundle->device_id = device->u.i;
		take(ctx, bundle);
	} else {
		find_device(ctx, bundle);
	}
	return CONVRO_OK;
}
