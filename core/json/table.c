/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ABI's group table json.  It only translates to writer.h and reader.h.
 */
#include "json/table.h"

static void
end(void *arg)
{
	struct convro_json *json = arg;

	buf_fini(&json->buf);
}

struct convro_json *
json_make(struct convro_ctx *ctx)
{
	struct convro_json *json = arena_alloc(ctx->arena, sizeof(*json));

	if (json == NULL || !ctx_at_end(ctx, end, json))
		return NULL;
	buf_init(&json->buf, 0);
	json_writer_init(&json->writer, &json->buf);
	return json;
}

static const char *
text(struct convro_json *json, size_t *len)
{
	if (!json_done(&json->writer))
		return NULL;
	*len = json->buf.len;
	return buf_text(&json->buf);
}

static void
open_object(struct convro_json *json, const char *key)
{
	json_open_object(&json->writer, key);
}

static void
close_object(struct convro_json *json)
{
	json_close_object(&json->writer);
}

static void
open_array(struct convro_json *json, const char *key)
{
	json_open_array(&json->writer, key);
}

static void
close_array(struct convro_json *json)
{
	json_close_array(&json->writer);
}

static void
put_null(struct convro_json *json, const char *key)
{
	json_put_null(&json->writer, key);
}

static void
put_bool(struct convro_json *json, const char *key, int value)
{
	json_put_bool(&json->writer, key, value != 0);
}

static void
put_int(struct convro_json *json, const char *key, int64_t value)
{
	json_put_int(&json->writer, key, value);
}

static void
put_int_text(struct convro_json *json, const char *key, int64_t value)
{
	json_put_int_text(&json->writer, key, value);
}

static void
put_text(struct convro_json *json, const char *key, const char *value)
{
	json_put_text(&json->writer, key, value);
}

static void
put_text_n(struct convro_json *json, const char *key, const char *value, size_t len)
{
	json_put_text_n(&json->writer, key, value, len);
}

static void
put_bytes(struct convro_json *json, const char *key, const void *data, size_t len)
{
	json_put_bytes(&json->writer, key, data, len);
}

static void
put_hex16(struct convro_json *json, const char *key, int64_t value)
{
	json_put_hex16(&json->writer, key, value);
}

static void
put_hex8(struct convro_json *json, const char *key, int32_t value)
{
	json_put_hex8(&json->writer, key, value);
}

static void
put_time(struct convro_json *json, const char *key, int64_t us)
{
	json_put_time(&json->writer, key, us);
}

static void
put_time_s(struct convro_json *json, const char *key, int64_t us)
{
	json_put_time_s(&json->writer, key, us);
}

static void
put_node(struct convro_json *json, const char *key, const struct convro_node *node)
{
	json_put_value(&json->writer, key, json_of_node(node));
}

static void
put_raw(struct convro_json *json, const char *key, const char *value, size_t len)
{
	json_put_raw(&json->writer, key, value, len);
}

static enum convro_status
parse(struct convro_ctx *ctx, const char *data, size_t len, const struct convro_node **out)
{
	const struct json_value *value = NULL;
	enum json_status status = json_parse(ctx->arena, data, len, NULL, &value, NULL);

	*out = value != NULL ? json_node(value) : NULL; /* there is one with JSON_NUL, too */
	if (status == JSON_OK)
		return CONVRO_OK;
	return status == JSON_NO_MEMORY ? CONVRO_NO_MEMORY : CONVRO_INVALID;
}

static enum convro_node_type
type(const struct convro_node *node)
{
	return (enum convro_node_type)json_of_node(node)->type;
}

static uint32_t
count(const struct convro_node *node)
{
	return json_of_node(node)->count;
}

static const struct convro_node *
item(const struct convro_node *node, uint32_t index)
{
	return json_node(json_item(json_of_node(node), index));
}

static const struct convro_node *
member(const struct convro_node *node, const char *name)
{
	return json_node(json_member(json_of_node(node), name));
}

static const char *
get_text(const struct convro_node *node, size_t *len)
{
	const struct json_value *value = json_of_node(node);

	if (value == NULL || value->type != JSON_TEXT)
		return NULL;
	*len = value->count;
	return value->u.text;
}

static int64_t
get_int(const struct convro_node *node)
{
	const struct json_value *value = json_of_node(node);

	if (value != NULL && value->type == JSON_INT)
		return value->u.integer;
	return value != NULL && value->type == JSON_BOOL && value->u.boolean;
}

static int
equal(const struct convro_node *a, const struct convro_node *b)
{
	return json_equal(json_of_node(a), json_of_node(b));
}

static const char *
name(const struct convro_node *node, uint32_t index, size_t *len)
{
	const struct json_value *object = json_of_node(node);
	const struct json_member *found;

	if (object->type != JSON_OBJECT || index >= object->count)
		return NULL;
	found = &object->u.members[index];
	*len = found->name_len;
	return found->name;
}

const struct convro_json_table json_table = {
	.size = sizeof(struct convro_json_table),
	.make = json_make,
	.text = text,
	.open_object = open_object,
	.close_object = close_object,
	.open_array = open_array,
	.close_array = close_array,
	.put_null = put_null,
	.put_bool = put_bool,
	.put_int = put_int,
	.put_int_text = put_int_text,
	.put_text = put_text,
	.put_text_n = put_text_n,
	.put_bytes = put_bytes,
	.put_hex16 = put_hex16,
	.put_hex8 = put_hex8,
	.put_time = put_time,
	.put_time_s = put_time_s,
	.put_node = put_node,
	.put_raw = put_raw,
	.parse = parse,
	.type = type,
	.count = count,
	.item = item,
	.member = member,
	.get_text = get_text,
	.get_int = get_int,
	.equal = equal,
	.name = name,
};
