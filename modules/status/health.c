/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /health - is the server up, and does its store answer?  The body has one
 * shape, whatever the status: a probe reads the status, a person the body.
 */
#include "status.h"

static void
pinged(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	bool up = status == CONVRO_OK;
	struct convro_json *json = convro->http->answer(ctx);

	(void)arg;
	(void)results;
	(void)nresults;
	convro->json->put_text(json, "status", up ? "ok" : "degraded");
	convro->json->put_text(json, "db", up ? "ok" : "down");
	convro->json->put_time(json, "timestamp", convro->db->now(ctx));
	convro->json->put_text(json, "version", convro->http->version(ctx));
	convro->json->put_int(json, "uptimeSeconds", convro->http->uptime(ctx));
	convro->http->set_header(ctx, "Cache-Control", "no-store");
	(void)convro->http->reply(ctx, up ? 200 : 503);
}

int
status_health(struct convro_ctx *ctx, void *self)
{
	(void)self;
	convro->db->ping(ctx, pinged, NULL);
	return CONVRO_OK;
}
