/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/auth/refresh - rotates a refresh token.  One batch decides: of two
 * at once exactly one rotates; a rotated one that comes back late, or after its
 * successor was used, ends the family (design: storage, decision 9).
 */
#include "auth.h"

struct refresh {
	struct auth *auth;
	struct refresh_token old, next;
	char text[REFRESH_TEXT_SIZE];
};

enum { ROTATED, WRONG_SECRET, REVOKED, EXPIRED, KILLED };
enum { RESULT_KILL_EPOCH = 4, RESULT_STATE = 5 };

static void
answer(struct convro_ctx *ctx, const struct refresh *refresh, const struct convro_db_result *state)
{
	int64_t now = convro->db->now(ctx);
	struct claims claims = { .user_id = convro_at(state, 0, 1)->u.i,
		.device_id = convro_at(state, 0, 2)->u.i,
		.db_epoch = convro_at(state, 0, 6)->u.i,
		.expires_at = now + refresh->auth->access_us,
		.epoch = (uint32_t)convro_at(state, 0, 5)->u.i };
	const struct convro_db_val *username = convro_at(state, 0, 4);
	const char *token = token_sign(ctx, refresh->auth, &claims, now);
	struct convro_json *json;

	if (token == NULL) {
		(void)convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
		return;
	}
	json = convro->http->answer(ctx);
	convro->json->put_int(json, "userId", claims.user_id);
	convro->json->put_hex16(json, "deviceId", claims.device_id);
	put_number(json, ctx, "convroNumber", convro_at(state, 0, 3)->u.text);
	convro->json->put_text(
	    json, "username", username->type != CONVRO_DB_NULL ? username->u.text : NULL);
	convro->json->put_text(json, "accessToken", token);
	convro->json->put_text(json, "refreshToken", refresh->text);
	(void)convro->http->reply(ctx, 200);
}

static void
decided(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const struct refresh *refresh = arg;
	const struct convro_db_result *state, *killed;

	(void)nresults;
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	state = &results[RESULT_STATE];
	killed = &results[RESULT_KILL_EPOCH];
	if (state->nrows == 0) {
		(void)convro->http->fail(ctx, 401, "REFRESH_NOT_FOUND");
		return;
	}
	switch (convro_at(state, 0, 0)->u.i) {
	case ROTATED:
		answer(ctx, refresh, state);
		return;
	case WRONG_SECRET:
		(void)convro->http->fail(ctx, 401, "REFRESH_INVALID");
		return;
	case EXPIRED:
		(void)convro->http->fail(ctx, 401, "REFRESH_EXPIRED");
		return;
	case KILLED:
		if (killed->nrows > 0) {
			convro->log->write(ctx, CONVRO_LOG_WARNING,
			    "a rotated refresh token of user %lld came back: its login was ended",
			    (long long)convro_at(state, 0, 1)->u.i);
			emit_revoked(ctx, convro_at(state, 0, 1)->u.i, convro_at(killed, 0, 0)->u.i,
			    (uint32_t)convro_at(killed, 0, 1)->u.i);
		}
		break;
	default:
		break;
	}
	(void)convro->http->fail(ctx, 401, "REFRESH_REVOKED");
}

int
auth_refresh(struct convro_ctx *ctx, void *self)
{
	const struct convro_value *token = convro->http->field(ctx, REFRESH_TOKEN);
	struct refresh *refresh = convro->mem->zero(ctx, sizeof(*refresh));
	struct convro_db_batch *batch;
	struct convro_db_val jti, hash, next, now;

	if (refresh == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	refresh->auth = self;
	if (!refresh_token_read(token->u.text, token->len, &refresh->old))
		return convro->http->fail_field(ctx, 400, "INVALID_REFRESH_TOKEN", "refreshToken");
	refresh_token_make(&refresh->next, refresh->text);
	jti = convro_blob(refresh->old.jti, JTI_BYTES);
	hash = convro_blob(refresh->old.hash, SECRET_HASH_BYTES);
	next = convro_blob(refresh->next.jti, JTI_BYTES);
	now = convro_i64(convro->db->now(ctx));

	batch = convro->db->batch(ctx);
	convro->db->add(batch, AUTH_REFRESH_LOCK, CONVRO_ARGS(jti));
	convro->db->add(batch, AUTH_ROTATE, CONVRO_ARGS(jti, hash, next, now));
	convro->db->add(batch, AUTH_SUCCESSOR,
	    CONVRO_ARGS(jti, next, convro_blob(refresh->next.hash, SECRET_HASH_BYTES), now,
		convro_i64(now.u.i + refresh->auth->refresh_us)));
	convro->db->add(batch, AUTH_KILL,
	    CONVRO_ARGS(jti, hash, next, now, convro_i64(refresh->auth->grace_us)));
	convro->db->add(batch, AUTH_KILL_EPOCH, CONVRO_ARGS(jti, hash, now));
	convro->db->add(batch, AUTH_REFRESH_STATE, CONVRO_ARGS(jti, hash, next, now));
	convro->db->exec(batch, decided, refresh);
	return CONVRO_OK;
}
