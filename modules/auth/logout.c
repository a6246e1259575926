/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/auth/logout - ends one login, the device's or all of the user's.
 */
#include "auth.h"

static int
done(struct convro_ctx *ctx, const char *scope)
{
	struct convro_json *json = convro->http->answer(ctx);

	convro->json->put_bool(json, "ok", 1);
	convro->json->put_text(json, "scope", scope);
	return convro->http->reply(ctx, 200);
}

static void
token_revoked(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	(void)arg;
	(void)nresults;
	if (status != CONVRO_OK)
		(void)convro->http->fail_db(ctx, status);
	else if (results->nrows == 0)
		(void)convro->http->fail(ctx, 404, "REFRESH_NOT_FOUND");
	else
		(void)done(ctx, "single");
}

/* The first result has a row (device, new epoch) for each device whose access tokens end. */
static void
epochs_raised(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const char *scope = arg;
	int64_t user_id = convro->auth->principal(ctx)->user_id;

	(void)nresults;
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	for (uint32_t i = 0; i < results->nrows; i++)
		emit_revoked(ctx, user_id, convro_at(results, i, 0)->u.i,
		    (uint32_t)convro_at(results, i, 1)->u.i);
	(void)done(ctx, scope);
}

static int
revoke_token(struct convro_ctx *ctx, const struct convro_value *token)
{
	struct refresh_token refresh;

	if (!refresh_token_read(token->u.text, token->len, &refresh))
		return convro->http->fail_field(ctx, 400, "INVALID_REFRESH_TOKEN", "refreshToken");
	convro->db->query(ctx, AUTH_LOGOUT_TOKEN,
	    CONVRO_ARGS(convro_blob(refresh.jti, JTI_BYTES),
		convro_blob(refresh.hash, SECRET_HASH_BYTES),
		convro_i64(convro->auth->principal(ctx)->user_id),
		convro_i64(convro->db->now(ctx))),
	    token_revoked, NULL);
	return CONVRO_OK;
}

int
auth_logout(struct convro_ctx *ctx, void *self)
{
	static char device_scope[] = "device", user_scope[] = "user";
	const struct convro_principal *caller = convro->auth->principal(ctx);
	const struct convro_value *token = convro->http->field(ctx, LOGOUT_TOKEN);
	bool device = convro->http->field(ctx, LOGOUT_DEVICE)->type != 0;
	bool user = convro->http->field(ctx, LOGOUT_USER)->type != 0;
	struct convro_db_val now = convro_i64(convro->db->now(ctx));
	struct convro_db_batch *batch;

	(void)self;
	if ((token->type != 0) + device + user > 1)
		return convro->http->fail(ctx, 400, "INVALID_BODY");
	if (token->type != 0)
		return revoke_token(ctx, token);

	batch = convro->db->batch(ctx);
	if (user) {
		convro->db->add(batch, AUTH_EPOCH_USER, CONVRO_ARGS(convro_i64(caller->user_id)));
		convro->db->add(
		    batch, AUTH_REVOKE_USER, CONVRO_ARGS(convro_i64(caller->user_id), now));
	} else {
		convro->db->add(batch, AUTH_EPOCH_DEVICE,
		    CONVRO_ARGS(convro_i64(caller->device_id), convro_i64(caller->user_id)));
		convro->db->add(batch, AUTH_REVOKE_DEVICE,
		    CONVRO_ARGS(convro_i64(caller->device_id), convro_i64(caller->user_id), now));
	}
	convro->db->exec(batch, epochs_raised, user ? user_scope : device_scope);
	return CONVRO_OK;
}
