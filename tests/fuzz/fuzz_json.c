/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON reader and writer: what is read is written and read again with an equal
 * value, and, when built with CONVRO_FUZZ_JANSSON, jansson is the oracle.
 * Known differences: a NUL is a status of its own here, jansson refuses it in a
 * key and allows it in a string; integers beyond 64 bits are doubles here, an
 * error there; "-0" is a double here, an integer there; a NUL byte behind a
 * number is lost there; our limits are lower.
 */
#include "json/writer.h"

#include "base/must.h"

#include <string.h>

#ifdef CONVRO_FUZZ_JANSSON
/* Two libraries, one prefix.  The macros json_is_array, _object and _null must not be used. */
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY  JANSSON_ARRAY
#define JSON_NULL   JANSSON_NULL
#define json_equal  jansson_equal
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_NULL
#undef json_equal
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifdef CONVRO_FUZZ_JANSSON
static void must_agree(const struct json_value *ours, const json_t *theirs);

static void
must_agree_in_members(const struct json_value *ours, const json_t *theirs)
{
	MUST(json_typeof(theirs) == JANSSON_OBJECT && json_object_size(theirs) == ours->count);
	for (uint32_t i = 0; i < ours->count; i++) {
		const struct json_member *member = &ours->u.members[i];

		must_agree(
		    &member->value, json_object_getn(theirs, member->name, member->name_len));
	}
}

static void
must_agree(const struct json_value *ours, const json_t *theirs)
{
	switch ((enum json_type)ours->type) {
	case JSON_NULL:
		MUST(json_typeof(theirs) == JANSSON_NULL);
		break;
	case JSON_BOOL:
		MUST(json_is_boolean(theirs) && json_is_true(theirs) == ours->u.boolean);
		break;
	case JSON_INT:
		MUST(json_is_integer(theirs) && json_integer_value(theirs) == ours->u.integer);
		break;
	case JSON_DOUBLE: {
		double real = json_number_value(theirs);

		MUST(json_is_number(theirs) && real >= ours->u.real && real <= ours->u.real);
		break;
	}
	case JSON_TEXT:
		MUST(json_is_string(theirs) && json_string_length(theirs) == ours->count);
		MUST(memcmp(json_string_value(theirs), ours->u.text, ours->count) == 0);
		break;
	case JSON_ARRAY:
		MUST(
		    json_typeof(theirs) == JANSSON_ARRAY && json_array_size(theirs) == ours->count);
		for (uint32_t i = 0; i < ours->count; i++)
			must_agree(&ours->u.items[i], json_array_get(theirs, i));
		break;
	case JSON_OBJECT:
		must_agree_in_members(ours, theirs);
		break;
	}
}

static void
ask_the_oracle(
    const char *text, size_t len, enum json_status status, const struct json_value *value)
{
	json_error_t error;
	json_t *theirs = json_loadb(
	    text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

	if (theirs == NULL) {
		enum json_error_code code = json_error_code(&error);

		MUST(status != JSON_OK || code == json_error_numeric_overflow);
		MUST(status != JSON_NUL || code == json_error_numeric_overflow ||
		     code == json_error_null_byte_in_key);
	} else {
		MUST(status != JSON_SYNTAX || memchr(text, '\0', len) != NULL);
		if (value != NULL)
			must_agree(value, theirs);
	}
	json_decref(theirs);
}
#endif

static void
write_whole(struct buf *out, const struct json_value *value)
{
	struct json_writer writer;

	buf_init(out, 0);
	json_writer_init(&writer, out);
	json_put_value(&writer, NULL, value);
	MUST(json_done(&writer));
}

static void
must_survive_a_round_trip(
    struct arena *arena, enum json_status status, const struct json_value *value)
{
	const struct json_value *again, *raw;
	struct buf first, second;

	write_whole(&first, value);
	MUST(json_parse(arena, first.data, first.len, NULL, &again, NULL) == status);
	MUST(json_equal(value, again) && json_equal(again, value));
	write_whole(&second, again);
	MUST(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
	MUST(json_parse(arena, value->raw, value->raw_len, NULL, &raw, NULL) == status);
	MUST(json_equal(value, raw));
	buf_fini(&first);
	buf_fini(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct arena *arena = arena_new(16);
	const struct json_value *value;
	struct json_error error;
	enum json_status status;

	MUST(arena != NULL);
	status = json_parse(arena, text, size, NULL, &value, &error);
	MUST((value != NULL) == (status == JSON_OK || status == JSON_NUL));
	MUST(status == JSON_OK || error.offset <= size);
	if (value != NULL)
		must_survive_a_round_trip(arena, status, value);
#ifdef CONVRO_FUZZ_JANSSON
	ask_the_oracle(text, size, status, value);
#endif
	arena_free(arena);
	return 0;
}
