/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several handlers of this module answer or need alike.
 */
#include "auth.h"

#include <sodium.h>
#include <string.h>

static const char *const platforms[] = { "unknown", "ios", "android", "desktop", "web" };

const char *
platform_name(int64_t platform)
{
	return platform >= 0 && platform < (int64_t)(sizeof(platforms) / sizeof(platforms[0]))
		   ? platforms[platform]
		   : platforms[0];
}

void
put_number(struct convro_json *json, struct convro_ctx *ctx, const char *key, const char *digits)
{
	char text[4 + NUMBER_DIGITS_MAX + 1] = "+99";
	size_t len = strlen(digits);

	(void)ctx;
	if (len > NUMBER_DIGITS_MAX)
		len = NUMBER_DIGITS_MAX;
	memcpy(text + 3, digits, len);
	convro->json->put_text_n(json, key, text, 3 + len);
}

const char *
name_key(struct convro_ctx *ctx, const struct convro_value *value)
{
	bool given = value->type != 0;
	uint32_t skip = given && value->len > 0 && value->u.text[0] == '@' ? 1 : 0;
	char *key = convro->mem->copy(
	    ctx, given ? value->u.text + skip : "", given ? value->len - skip : 0);

	for (char *c = key; c != NULL && *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return key;
}

int64_t
device_id_of(const struct convro_value *value)
{
	int64_t id;

	if (value->type != 0)
		return value->u.i;
	randombytes_buf(&id, sizeof(id));
	return id;
}

struct convro_db_val
text_or_null(const struct convro_value *value)
{
	return value->type != 0 ? convro_text_n(value->u.text, value->len) : convro_null();
}

void
emit_revoked(struct convro_ctx *ctx, int64_t user_id, int64_t device_id, uint32_t epoch)
{
	struct convro_revoked_fact fact = {
		.size = sizeof(fact), .epoch = epoch, .user_id = user_id, .device_id = device_id
	};

	convro->bus->emit(ctx, "auth.revoked", &fact);
}

static void
why_read(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const char *code = "DEVICE_LIMIT_REACHED";

	(void)arg;
	(void)nresults;
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	if (results->nrows > 0 && convro_at(results, 0, 0)->u.i == 0)
		code = "DEVICE_OWNED_BY_OTHER_USER";
	else if (results->nrows > 0 && convro_at(results, 0, 1)->u.i != 0)
		code = "DEVICE_REMOVED";
	(void)convro->http->fail(ctx, 403, code);
}

void
device_refused(struct convro_ctx *ctx, int64_t device_id, int64_t user_id)
{
	convro->db->query(ctx, AUTH_DEVICE_WHY,
	    CONVRO_ARGS(convro_i64(device_id), convro_i64(user_id)), why_read, NULL);
}

int
account_reply(
    struct convro_ctx *ctx, const struct auth *auth, const struct account *account, int status)
{
	int64_t now = convro->db->now(ctx);
	struct claims claims = { .user_id = account->user_id,
		.device_id = account->device_id,
		.db_epoch = account->db_epoch,
		.expires_at = now + auth->access_us,
		.epoch = account->epoch };
	const char *token = token_sign(ctx, auth, &claims, now);
	struct convro_json *json;

	if (token == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	json = convro->http->answer(ctx);
	convro->json->put_int(json, "userId", account->user_id);
	put_number(json, ctx, "convroNumber", account->number);
	convro->json->put_text(json, "username", account->username);
	convro->json->put_text(json, "fullName", account->full_name);
	convro->json->put_hex16(json, "deviceId", account->device_id);
	convro->json->put_text(json, "platform", platform_name(account->platform));
	convro->json->put_text(json, "accessToken", token);
	convro->json->put_text(json, "refreshToken", account->refresh_text);
	return convro->http->reply(ctx, status);
}
