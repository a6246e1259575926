/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /v1/users/resolve - find the peer a conversation starts with.
 */
#include "users.h"

#include <stdbool.h>
#include <string.h>

enum { NAME_MIN = 3, NAME_MAX = 64 };

static const char *
text_or_null(const struct convro_db_val *val)
{
	return val->type != CONVRO_DB_NULL ? val->u.text : NULL;
}

static void
resolved(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	struct convro_json *json;
	char number[3 + 12 + 1] = "+99";
	size_t len;

	(void)arg;
	(void)nresults;
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	if (results->nrows == 0) {
		(void)convro->http->fail(ctx, 404, "USER_NOT_FOUND");
		return;
	}
	len = convro_at(results, 0, 1)->len;
	if (len > 12)
		len = 12;
	memcpy(number + 3, convro_at(results, 0, 1)->u.text, len);
	json = convro->http->answer(ctx);
	convro->json->put_int(json, "userId", convro_at(results, 0, 0)->u.i);
	convro->json->put_text_n(json, "convroNumber", number, 3 + len);
	convro->json->put_text(json, "username", text_or_null(convro_at(results, 0, 2)));
	convro->json->put_text(json, "fullName", text_or_null(convro_at(results, 0, 3)));
	(void)convro->http->reply(ctx, 200);
}

/* Lower case without one leading @; false when it cannot be anybody's name. */
static bool
name_key(const struct convro_value *value, char out[NAME_MAX], size_t *len)
{
	uint32_t skip = value->len > 0 && value->u.text[0] == '@' ? 1 : 0;

	*len = value->len - skip;
	if (*len < NAME_MIN || *len > NAME_MAX)
		return false;
	for (size_t i = 0; i < *len; i++) {
		char c = value->u.text[skip + i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		else if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
			     c == '.'))
			return false;
		out[i] = c;
	}
	return true;
}

int
users_resolve(struct convro_ctx *ctx, void *self)
{
	const struct convro_value *number = convro->http->field(ctx, RESOLVE_NUMBER);
	const struct convro_value *username = convro->http->field(ctx, RESOLVE_USERNAME);
	char key[NAME_MAX];
	size_t len;

	(void)self;
	if ((number->type == 0) == (username->type == 0)) /* exactly one names the peer */
		return convro->http->fail(ctx, 400, "INVALID_QUERY");
	if (number->type != 0) {
		convro->db->query(ctx, USERS_BY_NUMBER,
		    CONVRO_ARGS(convro_text_n(number->u.text, number->len)), resolved, NULL);
		return CONVRO_OK;
	}
	if (!name_key(username, key, &len))
		return convro->http->fail_field(ctx, 400, "INVALID_QUERY", "username");
	convro->db->query(
	    ctx, USERS_BY_USERNAME, CONVRO_ARGS(convro_text_n(key, len)), resolved, NULL);
	return CONVRO_OK;
}
