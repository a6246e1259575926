/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /v1/auth/me - who the token speaks for.
 */
#include "auth.h"

int
auth_me(struct convro_ctx *ctx, void *self)
{
	const struct convro_principal *caller = convro->auth->principal(ctx);
	struct convro_json *json = convro->http->answer(ctx);

	(void)self;
	convro->json->put_int(json, "userId", caller->user_id);
	convro->json->put_hex16(json, "deviceId", caller->device_id);
	put_number(json, ctx, "convroNumber", caller->number);
	convro->json->put_text(json, "username", caller->username);
	return convro->http->reply(ctx, 200);
}
