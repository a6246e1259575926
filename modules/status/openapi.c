/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /openapi.json: the registered routes as OpenAPI 3.1.  This file is the
 * frame; openapi_schema.c says what a request takes, openapi_example.c what an
 * answer looks like.
 */
#include "status.h"

#include <stdio.h>
#include <string.h>

#define DESCRIPTION                                                                                     \
	"The endpoints that this server has registered. Wire rules: bodies are JSON objects in UTF-8, " \
	"unknown fields are ignored, null means absent; times are ISO 8601 in UTC with milliseconds; "  \
	"binary values are base64 (base64url is accepted); every error has ok, error, message and "     \
	"requestId. Realtime is Socket.IO at /socket.io on the same host and port."

/* ---- operations ---- */

/* "postAuthDevicesRegister" of POST /v1/auth/devices/register. */
static const char *
operation_id(struct convro_ctx *ctx, const struct convro_route *route)
{
	const char *path = strncmp(route->path, "/v1/", 4) == 0 ? route->path + 3 : route->path;
	const char *method = route_method(route);
	char *id = convro->mem->alloc(ctx, strlen(method) + strlen(path) + sizeof("Root"));
	size_t len = 0;
	bool upper = false;

	if (id == NULL)
		return NULL;
	for (; *method != '\0'; method++)
		id[len++] = (char)(*method - 'A' + 'a');
	if (strcmp(path, "/") == 0)
		path = "/root";
	for (; *path != '\0'; path++) {
		char c = *path;

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) {
			upper = true;
			continue;
		}
		id[len++] = upper && c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
		upper = false;
	}
	id[len] = '\0';
	return id;
}

static void
open_status(struct convro_json *json, uint32_t status)
{
	char key[12];

	(void)snprintf(key, sizeof(key), "%u", status);
	convro->json->open_object(json, key);
}

static void
write_answers(struct convro_ctx *ctx, struct convro_json *json, const struct convro_route *route)
{
	for (uint32_t i = 0; i < route->answers.count; i++) {
		const struct convro_answer *answer = list_at(&route->answers, i);

		open_status(json, answer->status);
		convro->json->put_text(
		    json, "description", answer->summary != NULL ? answer->summary : "success");
		if (answer->example != NULL && is_good_example(ctx, route, answer->example)) {
			convro->json->open_object(json, "content");
			convro->json->open_object(json, "application/json");
			openapi_write_shape(ctx, json, "schema", answer->example);
			convro->json->put_raw(
			    json, "example", answer->example, strlen(answer->example));
			convro->json->close_object(json);
			convro->json->close_object(json);
		}
		convro->json->close_object(json);
	}
}

static void
put_header(struct convro_json *json, const char *name, const char *description, const char *type)
{
	convro->json->open_object(json, "headers");
	convro->json->open_object(json, name);
	convro->json->put_text(json, "description", description);
	convro->json->open_object(json, "schema");
	convro->json->put_text(json, "type", type);
	convro->json->close_object(json);
	convro->json->close_object(json);
	convro->json->close_object(json);
}

/* The errors of one status: the schema is the common one, with these codes. */
static void
write_errors(struct convro_json *json, const struct known_error *errors, uint32_t count)
{
	struct text words = { 0 };

	for (uint32_t i = 0; i < count; i++) {
		text_puts(&words, i > 0 ? "; " : "");
		text_puts(&words, errors[i].code);
		if (errors[i].summary != NULL) {
			text_puts(&words, ": ");
			text_puts(&words, errors[i].summary);
		}
	}
	open_status(json, errors->status);
	convro->json->put_text_n(
	    json, "description", words.failed ? "error" : words.data, words.failed ? 5 : words.len);
	text_free(&words);
	if (errors->status == 401)
		put_header(json, "WWW-Authenticate", "Bearer", "string");
	if (errors->status == 429 || errors->status == 503)
		put_header(json, "Retry-After", "seconds to wait", "integer");
	convro->json->open_object(json, "content");
	convro->json->open_object(json, "application/json");
	convro->json->open_object(json, "schema");
	convro->json->put_text(json, "$ref", "#/components/schemas/Error");
	convro->json->open_object(json, "properties");
	convro->json->open_object(json, "error");
	convro->json->open_array(json, "enum");
	for (uint32_t i = 0; i < count; i++)
		convro->json->put_text(json, NULL, errors[i].code);
	convro->json->close_array(json);
	convro->json->open_array(json, "x-convro-summaries"); /* one for each code */
	for (uint32_t i = 0; i < count; i++)
		convro->json->put_text(
		    json, NULL, errors[i].summary != NULL ? errors[i].summary : "");
	convro->json->close_array(json);
	for (int open = 0; open < 6; open++) /* error, properties, schema, type, content, status */
		convro->json->close_object(json);
}

static bool
is_answered(const struct convro_route *route, uint32_t status)
{
	for (uint32_t i = 0; i < route->answers.count; i++)
		if (((const struct convro_answer *)list_at(&route->answers, i))->status == status)
			return true;
	return false;
}

static bool
write_responses(struct convro_ctx *ctx, struct convro_json *json, const struct convro_route *route)
{
	struct known_errors errors;
	bool ok;

	errors_read(route, &errors);
	convro->json->open_object(json, "responses");
	write_answers(ctx, json, route);
	for (uint32_t i = 0, count; i < errors.count; i += count) {
		for (count = 1; i + count < errors.count &&
				errors.items[i + count].status == errors.items[i].status;)
			count++;
		if (!is_answered(route, errors.items[i].status))
			write_errors(json, &errors.items[i], count);
	}
	convro->json->close_object(json);
	ok = !errors.failed;
	errors_free(&errors);
	return ok;
}

static bool
write_operation(struct convro_ctx *ctx, struct convro_json *json, const struct entry *entry)
{
	static const char *const keys[] = { "", "get", "post", "put", "delete", "patch",
		"options" };
	const struct convro_route *route = entry->route;
	const char *id = operation_id(ctx, route);
	bool ok;

	if (id == NULL)
		return false;
	convro->json->open_object(json, keys[route->method]);
	convro->json->put_text(json, "operationId", id);
	convro->json->open_array(json, "tags");
	convro->json->put_text(json, NULL, group_name(entry));
	convro->json->close_array(json);
	if (route->summary != NULL)
		convro->json->put_text(json, "summary", route->summary);
	if (route->notes != NULL)
		convro->json->put_text(json, "description", route->notes);
	convro->json->open_array(json, "security");
	if (route->access == CONVRO_BEARER) {
		convro->json->open_object(json, NULL);
		convro->json->open_array(json, "bearer");
		convro->json->close_array(json);
		convro->json->close_object(json);
	}
	convro->json->close_array(json);
	openapi_write_parameters(ctx, json, route);
	openapi_write_body(ctx, json, route);
	ok = write_responses(ctx, json, route);
	convro->json->put_text(json, "x-convro-module", entry->module);
	convro->json->close_object(json);
	return ok;
}

/* ---- the document ---- */

static bool
write_paths(struct convro_ctx *ctx, struct convro_json *json, const struct catalog *catalog)
{
	bool ok = true;

	convro->json->open_object(json, "paths");
	for (uint32_t i = 0; i < catalog->count; i++) {
		const char *path = catalog->entries[i].route->path;
		bool seen = false;

		for (uint32_t k = 0; k < i; k++)
			seen = seen || strcmp(catalog->entries[k].route->path, path) == 0;
		if (seen)
			continue;
		convro->json->open_object(json, path);
		for (uint32_t k = i; k < catalog->count; k++)
			if (strcmp(catalog->entries[k].route->path, path) == 0)
				ok = write_operation(ctx, json, &catalog->entries[k]) && ok;
		convro->json->close_object(json);
	}
	convro->json->close_object(json);
	return ok;
}

static void
write_tags(struct convro_json *json, const struct catalog *catalog)
{
	convro->json->open_array(json, "tags");
	for (uint32_t i = 0; i < catalog->count; i++) {
		const char *name = group_name(&catalog->entries[i]);
		bool seen = false;

		for (uint32_t k = 0; k < i; k++)
			seen = seen || strcmp(group_name(&catalog->entries[k]), name) == 0;
		if (seen)
			continue;
		convro->json->open_object(json, NULL);
		convro->json->put_text(json, "name", name);
		convro->json->close_object(json);
	}
	convro->json->close_array(json);
}

#define COMPONENTS                                                                                      \
	"{\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\","                    \
	"\"bearerFormat\":\"JWT\",\"description\":\"the accessToken of register, login or refresh\"}}," \
	"\"schemas\":{\"Error\":{\"type\":\"object\","                                                  \
	"\"required\":[\"ok\",\"error\",\"message\",\"requestId\"],\"properties\":{"                    \
	"\"ok\":{\"const\":false},"                                                                     \
	"\"error\":{\"type\":\"string\",\"description\":\"what a client goes by\"},"                    \
	"\"message\":{\"type\":\"string\",\"description\":\"for people; may change\"},"                 \
	"\"requestId\":{\"type\":\"string\"},"                                                          \
	"\"field\":{\"type\":\"string\",\"description\":\"where one field is at fault\"}},"             \
	"\"example\":{\"ok\":false,\"error\":\"INVALID_BODY\","                                         \
	"\"message\":\"a field of the request body is missing or malformed\","                          \
	"\"requestId\":\"f3b1c2\",\"field\":\"password\"}}}}"

const char *
openapi_write(struct convro_ctx *ctx, const char *title, const struct catalog *catalog, size_t *len)
{
	struct convro_json *json = convro->json->make(ctx);
	bool ok;

	if (json == NULL)
		return NULL;
	convro->json->open_object(json, NULL);
	convro->json->put_text(json, "openapi", "3.1.0");
	convro->json->open_object(json, "info");
	convro->json->put_text(json, "title", title);
	convro->json->put_text(json, "version", convro->http->version(ctx));
	convro->json->put_text(json, "description", DESCRIPTION);
	convro->json->close_object(json);
	convro->json->open_array(json, "servers");
	convro->json->open_object(json, NULL);
	convro->json->put_text(json, "url", "/");
	convro->json->close_object(json);
	convro->json->close_array(json);
	write_tags(json, catalog);
	ok = write_paths(ctx, json, catalog);
	convro->json->put_raw(json, "components", COMPONENTS, sizeof(COMPONENTS) - 1);
	convro->json->close_object(json);
	return ok ? convro->json->text(json, len) : NULL;
}
