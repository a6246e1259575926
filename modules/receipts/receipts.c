/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receipts - what was delivered and read.  Read this file first: it lists
 * everything the module adds to the server.  The rows belong to dm_messages, so
 * that its joins hold when this module is not loaded.
 */
#include "receipts.h"

const struct convro_api *convro;

static const struct convro_field id[] = { { .type = CONVRO_ID, .error = "INVALID_MESSAGE_ID" } };

static const struct convro_field fields[] = {
	[RECEIPT_STATUS] = { .name = "status",
	    .type = CONVRO_CHOICE,
	    .flags = CONVRO_REQUIRED,
	    .values = "DELIVERED READ",
	    .error = "INVALID_STATUS" },
	[RECEIPT_ONE] = { .name = "messageId",
	    .type = CONVRO_ID,
	    .error = "INVALID_MESSAGE_ID",
	    .summary = "or messageIds" },
	[RECEIPT_MANY] = { .name = "messageIds",
	    .type = CONVRO_ARRAY,
	    .min = 1,
	    .max = IDS_MAX,
	    .error = "INVALID_MESSAGE_ID",
	    .items = CONVRO_LIST(id),
	    .summary = "at most 200" },
};

static const struct convro_answer answers[] = { { 200, "{\"ok\":true,\"updated\":1}",
    "how many messages changed; READ implies DELIVERED, never downwards" } };

static const struct convro_error errors[] = {
	{ 403, "NOT_MESSAGE_RECIPIENT", "a single id of somebody else's" },
	{ 404, "MESSAGE_NOT_FOUND", "a single unknown id" },
};

#define ROUTE(at, extra)                                                                           \
	{                                                                                          \
		CONVRO_POST, at, CONVRO_BEARER, receipts_mark,                                     \
		    .flags = (extra), .fields = CONVRO_LIST(fields),                               \
		    .answers = CONVRO_LIST(answers), .errors = CONVRO_LIST(errors),                \
		    .group = "Receipts",                                                           \
		    .summary = "mark messages to the caller's device delivered or read"            \
	}

static const struct convro_route routes[] = {
	ROUTE("/v1/dm/messages/receipts", 0),
	ROUTE("/v1/dm/receipts", CONVRO_ROUTE_HIDDEN), /* another spelling of clients */
};

static const char *const needs[] = { "auth.v1", "dm_messages.v1" };

static enum convro_status
init(struct convro_ctx *ctx, void **self)
{
	union {
		const void *table;
		void *self;
	} service = { .table = convro->bus->service(ctx, "dm_messages.v1") };

	*self = service.self;
	return CONVRO_OK;
}

static const struct convro_module descriptor = {
	CONVRO_MODULE_HEAD,
	.name = "receipts",
	.version = "1.0.0",
	.summary = "delivery and read receipts",
	.api = &convro,
	.needs = CONVRO_LIST(needs),
	.routes = CONVRO_LIST(routes),
	.init = init,
};

const struct convro_module *
convro_module_v1(void)
{
	return &descriptor;
}
