/* SPDX-License-Identifier: Apache-2.0 */
/*
 * users - look people up.  Read this file first: it lists everything the
 * module adds to the server.
 */
#include "users.h"

const struct convro_api *convro;

static const struct convro_field who[] = {
	[RESOLVE_NUMBER] = { .name = "convroNumber",
	    .type = CONVRO_NUMBER,
	    .in = CONVRO_QUERY,
	    .aliases = "convro_number",
	    .error = "INVALID_QUERY",
	    .summary = "+99 and 6 to 12 digits; blanks and a missing plus are fine" },
	[RESOLVE_USERNAME] = { .name = "username",
	    .type = CONVRO_TEXT,
	    .in = CONVRO_QUERY,
	    .max = 65,
	    .error = "INVALID_QUERY",
	    .summary = "case-blind; one leading @ is dropped" },
};

static const struct convro_answer found[] = {
	{ 200,
	    "{\"userId\":123,\"convroNumber\":\"+99241772\",\"username\":\"sigmabo\",\"fullName\":null}",
	    NULL },
};

static const struct convro_error errors[] = {
	{ 404, "USER_NOT_FOUND", "nobody has that number or name" },
};

static const struct convro_route routes[] = {
	{ CONVRO_GET, "/v1/users/resolve", CONVRO_BEARER, users_resolve, .rate = "resolve",
	    .fields = CONVRO_LIST(who), .answers = CONVRO_LIST(found),
	    .errors = CONVRO_LIST(errors), .group = "Users",
	    .summary =
		"find the peer a conversation starts with, by exactly one of number and name" },
};

static const char *const needs[] = { "auth.v1" };

static const struct convro_module descriptor = {
	CONVRO_MODULE_HEAD,
	.name = "users",
	.version = "1.0.0",
	.summary = "resolve a convro number or a username",
	.api = &convro,
	.needs = CONVRO_LIST(needs),
	.statements = CONVRO_LIST(users_statements),
	.statement_base = &users_statement_base,
	.routes = CONVRO_LIST(routes),
};

const struct convro_module *
convro_module_v1(void)
{
	return &descriptor;
}
