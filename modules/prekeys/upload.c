/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/prekeys/upload - identity, signed prekey and one-time keys of the
 * caller's device, all or nothing.  Steps: doubles within the call, curve
 * checks (pool), one batch; upload_take decides and the rest follows it.
 */
#include "prekeys.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct upload {
	struct key_check check; /* first: the pool's argument is the whole */
	const struct prekeys *prekeys;
	int64_t signed_id, ticket;
	uint8_t signed_id_bytes[8];
	struct one_time_key *keys; /* without doubles, in the request's order */
	uint32_t count;
	/* The same as arguments. */
	struct convro_db_val ids[ONE_TIME_A_CALL], algs[ONE_TIME_A_CALL], pubs[ONE_TIME_A_CALL];
};

/* Results of the batch, behind lock and one otp_in for each key. */
enum { RESULT_TAKE = 1, RESULT_SIGNED, RESULT_KEYS, RESULT_STATE, RESULT_KNOWN };

static const struct one_time_key *
find(const struct upload *upload, int64_t id)
{
	for (uint32_t i = 0; i < upload->count; i++)
		if (upload->keys[i].id == id)
			return &upload->keys[i];
	return NULL;
}

/* A known id with other bytes. */
static bool
is_conflict(const struct upload *upload, const struct convro_db_result *known)
{
	for (uint32_t i = 0; i < known->nrows; i++) {
		const struct one_time_key *key = find(upload, convro_at(known, i, 0)->u.i);
		const struct convro_db_val *pub = convro_at(known, i, 1);

		if (key != NULL && (pub->len != PUBLIC_KEY_BYTES ||
				       memcmp(pub->u.p, key->pub, PUBLIC_KEY_BYTES) != 0))
			return true;
	}
	return false;
}

static void
refuse(struct convro_ctx *ctx, const struct upload *upload, const struct convro_db_result *state,
    const struct convro_db_result *known)
{
	if (convro_at(state, 0, 4)->type ==
	    CONVRO_DB_NULL) /* removed since the token was checked */
		(void)convro->http->fail(ctx, 401, "TOKEN_INVALID");
	else if (convro_at(state, 0, 1)->u.i > 0)
		(void)convro->http->fail(ctx, 409, "IDENTITY_KEY_MISMATCH");
	else if (convro_at(state, 0, 2)->u.i > 0 || is_conflict(upload, known))
		(void)convro->http->fail(ctx, 409, "KEY_ID_CONFLICT");
	else
		(void)convro->http->fail(ctx, 400, "TOO_MANY_PREKEYS");
}

static void
stored(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const struct upload *upload = arg;
	const struct convro_db_result *state, *known;
	struct convro_json *json;

	(void)nresults;
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	results += upload->count;
	state = &results[RESULT_STATE];
	known = &results[RESULT_KNOWN];
	if (convro_at(state, 0, 0)->u.i == 0) {
		refuse(ctx, upload, state, known);
		return;
	}
	json = convro->http->answer(ctx);
	convro->json->put_bool(json, "ok", 1);
	convro->json->put_bool(json, "accepted", 1);
	convro->json->put_hex16(json, "deviceId", convro->auth->principal(ctx)->device_id);
	convro->json->put_int(json, "userDeviceId", convro_at(state, 0, 4)->u.i);
	convro->json->put_int(json, "storedOneTimePrekeys", results[RESULT_KEYS].nrows);
	convro->json->open_array(json, "acceptedOneTimePrekeyIds");
	for (uint32_t i = 0; i < known->nrows; i++)
		if (convro_at(known, i, 2)->type == CONVRO_DB_NULL) /* not consumed */
			convro->json->put_hex16(json, NULL, convro_at(known, i, 0)->u.i);
	convro->json->close_array(json);
	convro->json->put_int(json, "oneTimeAvailable", convro_at(state, 0, 3)->u.i);
	convro->json->put_time_s(json, "serverTime", convro->db->now(ctx));
	(void)convro->http->reply(ctx, 200);
}

static void
store(struct convro_ctx *ctx, struct upload *upload)
{
	const struct convro_value *finger = convro->http->field(ctx, UPLOAD_FINGERPRINT);
	const struct convro_value *expires = convro->http->field(ctx, UPLOAD_EXPIRES);
	struct convro_db_val device = convro_i64(convro->auth->principal(ctx)->device_id);
	struct convro_db_val now = convro_i64(convro->db->now(ctx)),
			     ticket = convro_i64(upload->ticket);
	struct convro_db_val alg = convro_i32(ALG_25519), signed_id = convro_i64(upload->signed_id);
	struct convro_db_val identity = convro_blob(upload->check.identity, PUBLIC_KEY_BYTES);
	struct convro_db_val signed_key = convro_blob(upload->check.signed_key, PUBLIC_KEY_BYTES);
	struct convro_db_val ids = convro_array(upload->ids, upload->count);
	struct convro_db_val algs = convro_array(upload->algs, upload->count);
	struct convro_db_val pubs = convro_array(upload->pubs, upload->count);
	struct convro_db_batch *batch = convro->db->batch(ctx);

	convro->db->add(batch, PREKEYS_UPLOAD_LOCK, CONVRO_ARGS(device));
	for (uint32_t i = 0; i < upload->count; i++)
		convro->db->add(batch, PREKEYS_OTP_IN,
		    CONVRO_ARGS(upload->ids[i], upload->algs[i], upload->pubs[i]));
	convro->db->add(batch, PREKEYS_UPLOAD_TAKE,
	    CONVRO_ARGS(device, now, ticket, alg, identity,
		finger->type != 0 ? convro_text_n(finger->u.text, finger->len) : convro_null(),
		signed_id, signed_key, convro_i64(upload->prekeys->stored_max), ids, algs, pubs));
	convro->db->add(batch, PREKEYS_UPLOAD_SIGNED,
	    CONVRO_ARGS(device, now, ticket,
		expires->type != 0 ? convro_i64(expires->u.i) : convro_null(), alg, signed_id,
		signed_key, convro_blob(upload->check.signature, SIGNATURE_BYTES)));
	convro->db->add(batch, PREKEYS_UPLOAD_KEYS, CONVRO_ARGS(device, ticket, ids, algs, pubs));
	convro->db->add(batch, PREKEYS_UPLOAD_STATE,
	    CONVRO_ARGS(device, ticket, identity, signed_id, signed_key));
	convro->db->add(batch, PREKEYS_KNOWN, CONVRO_ARGS(device, ids));
	convro->db->add(batch, PREKEYS_OTP_CLEAR, CONVRO_NO_ARGS);
	convro->db->exec(batch, stored, upload);
}

static void
checked(struct convro_ctx *ctx, void *arg)
{
	struct upload *upload = arg;

	if (upload->check.error != NULL)
		(void)convro->http->fail(ctx, 400, upload->check.error);
	else
		store(ctx, upload);
}

static int
by_id(const void *left, const void *right)
{
	const struct one_time_key *a = left, *b = right;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return memcmp(a->pub, b->pub, PUBLIC_KEY_BYTES);
}

/* Copies the keys without doubles; false when one id came with different bytes, or memory is out
 * (*out_of_memory). */
static bool
take_keys(struct convro_ctx *ctx, struct upload *upload, bool *out_of_memory)
{
	const struct convro_value *list = convro->http->field(ctx, UPLOAD_ONE_TIME);
	uint32_t count = list->type != 0 ? list->len : 0;
	struct one_time_key *sorted = convro->mem->zero(ctx, (count + 1) * sizeof(*sorted));

	upload->keys = convro->mem->zero(ctx, (count + 1) * sizeof(*upload->keys));
	*out_of_memory = sorted == NULL || upload->keys == NULL;
	if (*out_of_memory)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		sorted[i].id = list->u.items[i * ONE_TIME_FIELDS + ONE_TIME_ID].u.i;
		sorted[i].pub = list->u.items[i * ONE_TIME_FIELDS + ONE_TIME_KEY].u.bytes;
	}
	qsort(sorted, count, sizeof(*sorted), by_id);
	for (uint32_t i = 1; i < count; i++)
		if (sorted[i].id == sorted[i - 1].id &&
		    memcmp(sorted[i].pub, sorted[i - 1].pub, PUBLIC_KEY_BYTES) != 0)
			return false;
	for (uint32_t i = 0; i < count; i++) {
		int64_t id = list->u.items[i * ONE_TIME_FIELDS + ONE_TIME_ID].u.i;

		if (find(upload, id) != NULL)
			continue;
		upload->keys[upload->count].id = id;
		upload->keys[upload->count].pub =
		    list->u.items[i * ONE_TIME_FIELDS + ONE_TIME_KEY].u.bytes;
		upload->ids[upload->count] = convro_i64(id);
		upload->algs[upload->count] = convro_i32(ALG_25519);
		upload->pubs[upload->count] =
		    convro_blob(upload->keys[upload->count].pub, PUBLIC_KEY_BYTES);
		upload->count++;
	}
	return true;
}

/* Some clients say whose keys these are; then it must be true. */
static bool
is_own(struct convro_ctx *ctx)
{
	const struct convro_principal *caller = convro->auth->principal(ctx);
	const struct convro_value *device = convro->http->field(ctx, UPLOAD_DEVICE_ID);
	const struct convro_value *number = convro->http->field(ctx, UPLOAD_NUMBER);

	if (device->wrong != 0 || (device->type != 0 && device->u.i != caller->device_id))
		return false;
	return number->wrong == 0 &&
	       (number->type == 0 || strcmp(number->u.text, caller->number) == 0);
}

int
prekeys_upload(struct convro_ctx *ctx, void *self)
{
	const struct convro_value *signed_id = convro->http->field(ctx, UPLOAD_SIGNED_ID);
	struct upload *upload = convro->mem->zero(ctx, sizeof(*upload));
	bool out_of_memory = true;

	if (upload == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	if (!is_own(ctx))
		return convro->http->fail(ctx, 403, "DEVICE_MISMATCH");
	if (!take_keys(ctx, upload, &out_of_memory))
		return out_of_memory ? convro->http->fail_later(ctx, 503, "OVERLOADED", 1)
				     : convro->http->fail(ctx, 409, "KEY_ID_CONFLICT");
	upload->prekeys = self;
	upload->check = (struct key_check){ .check_signature = upload->prekeys->check_signature,
		.identity = convro->http->field(ctx, UPLOAD_IDENTITY)->u.bytes,
		.signed_key = convro->http->field(ctx, UPLOAD_SIGNED_KEY)->u.bytes,
		.signature = convro->http->field(ctx, UPLOAD_SIGNATURE)->u.bytes,
		.signed_id = upload->signed_id_bytes,
		.keys = upload->keys,
		.count = upload->count };
	upload->signed_id =
	    signed_id->type != 0 ? signed_id->u.i : prekeys_derived_id(upload->check.signed_key);
	for (int i = 0; i < 8; i++)
		upload->signed_id_bytes[i] = (uint8_t)((uint64_t)upload->signed_id >> (56 - 8 * i));
	randombytes_buf(&upload->ticket, sizeof(upload->ticket));
	if (convro->work->offload(ctx, prekeys_check, checked, upload) != CONVRO_OK)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	return CONVRO_OK;
}
