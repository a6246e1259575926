/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows and arguments as text: "123|+99241772|\N", bytes in hex, arrays {a,b}.
 * The declared types say how a column is read.
 */
#include "private.h"

#include "base/hex.h"

#include <stdlib.h>
#include <string.h>

/* One "name:type" of a declaration, with perhaps `?` or `[]` behind. */
struct declared {
	char type; /* i j s b t; 0 = the end */
	bool nullable, array;
	const char *next;
};

static struct declared
declared_at(const char *text)
{
	struct declared declared = { 0 };
	const char *colon, *end;

	text += strspn(text, " ");
	if (*text == '\0')
		return declared;
	end = text + strcspn(text, " ");
	colon = memchr(text, ':', (size_t)(end - text));
	if (colon == NULL)
		kit_broken("a declaration without a type: %s", text);
	declared.type = colon[1];
	for (const char *at = colon + 2; at < end; at++) {
		declared.nullable = declared.nullable || *at == '?';
		declared.array = declared.array || *at == '[';
	}
	declared.next = end;
	return declared;
}

static uint32_t
declared_count(const char *text)
{
	struct declared at = declared_at(text);
	uint32_t count = 0;

	for (; at.type != 0; at = declared_at(at.next))
		count++;
	return count;
}

/* ---- reading ---- */

/* Up to an unescaped '|' or line feed; *end is there.  Replaces escapes; NULL for \N. */
static char *
take_cell(struct kit *kit, const char *text, const char **end)
{
	size_t len = 0, room = 0;
	char *out;
	bool null = strncmp(text, "\\N", 2) == 0;

	while (text[room] != '\0' && text[room] != '|' && text[room] != '\n')
		room += text[room] == '\\' && text[room + 1] != '\0' ? 2 : 1;
	out = kit_alloc(kit, room + 1);
	for (; *text != '\0' && *text != '|' && *text != '\n'; text++) {
		if (*text == '\\' && text[1] != '\0') {
			text++;
			out[len++] = *text == 'n' ? '\n' : *text;
		} else {
			out[len++] = *text;
		}
	}
	out[len] = '\0';
	*end = text;
	return null && len == 1 ? NULL : out;
}

static const char *
read_cell(struct kit *kit, struct declared declared, const char *cell, struct convro_db_val *out)
{
	char *end = NULL;
	size_t len;
	uint8_t *bytes;

	if (cell == NULL) {
		*out = convro_null();
		return declared.nullable ? NULL : "a NULL where the statement declares none";
	}
	len = strlen(cell);
	switch (declared.type) {
	case 'i':
		*out = convro_i64(strtoll(cell, &end, 10));
		return *cell != '\0' && *end == '\0' ? NULL : "no number";
	case 'j':
	case 's':
		*out = convro_i32((int32_t)strtol(cell, &end, 10));
		return *cell != '\0' && *end == '\0' ? NULL : "no number";
	case 'b':
		bytes = kit_alloc(kit, len / 2 + 1);
		*out = convro_blob(bytes, len / 2);
		return hex_decode(cell, len, bytes) == 0 ? NULL : "no hex";
	default:
		*out = convro_text_n(cell, len);
		return NULL;
	}
}

static uint32_t
count_lines(const char *text)
{
	uint32_t lines = *text != '\0' ? 1 : 0;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

bool
rows_read(struct kit *kit, const char *columns, const char *text, struct kit_answer *out,
    const char **why)
{
	struct convro_db_val *vals;

	*why = NULL;
	out->ncols = declared_count(columns);
	out->nrows = count_lines(text);
	vals = kit_alloc(kit, ((size_t)out->nrows * out->ncols + 1) * sizeof(*vals));
	out->vals = vals;
	out->changed = out->nrows;
	for (uint32_t row = 0; row < out->nrows && *why == NULL; row++) {
		struct declared declared = declared_at(columns);

		for (; declared.type != 0 && *why == NULL; declared = declared_at(declared.next)) {
			*why = read_cell(kit, declared, take_cell(kit, text, &text), vals++);
			if (*why == NULL && *text == '|' && declared_at(declared.next).type == 0)
				*why = "too many columns";
			else if (*why == NULL && *text != '|' &&
				 declared_at(declared.next).type != 0)
				*why = "too few columns";
			text += *text == '|';
		}
		text += *text == '\n';
	}
	return *why == NULL;
}

/* ---- writing ---- */

static void
write_text(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '|' || text[i] == '\\')
			buf_putc(out, '\\');
		if (text[i] == '\n')
			buf_puts(out, "\\n");
		else
			buf_putc(out, text[i]);
	}
}

static void
write_value(struct buf *out, const struct convro_db_val *val)
{
	switch (val->type) {
	case CONVRO_DB_NULL:
		buf_puts(out, "\\N");
		break;
	case CONVRO_DB_BLOB:
		hex_encode(val->u.p, val->len, buf_room(out, 2 * (size_t)val->len + 1));
		buf_wrote(out, 2 * (size_t)val->len);
		break;
	case CONVRO_DB_TEXT:
		write_text(out, val->u.text, val->len);
		break;
	case CONVRO_DB_ARRAY:
		buf_putc(out, '{');
		for (uint32_t i = 0; i < val->len; i++) {
			if (i > 0)
				buf_putc(out, ',');
			write_value(out, &val->u.array[i]);
		}
		buf_putc(out, '}');
		break;
	default:
		buf_put_int(out, val->u.i);
		break;
	}
}

const char *
rows_write(struct kit *kit, const struct convro_db_val *vals, uint32_t count)
{
	struct buf out;
	const char *text;

	buf_init(&out, 0);
	for (uint32_t i = 0; i < count; i++) {
		if (i > 0)
			buf_putc(&out, '|');
		write_value(&out, &vals[i]);
	}
	text = kit_copy(kit, buf_text(&out));
	buf_fini(&out);
	return text;
}

/* ---- checking ---- */

static bool
is_of(const struct convro_db_val *val, struct declared declared)
{
	switch (val->type) {
	case CONVRO_DB_NULL:
		return declared.nullable;
	case CONVRO_DB_I64:
		return declared.type == 'i';
	case CONVRO_DB_I32:
		return declared.type == 'j' || declared.type == 's';
	case CONVRO_DB_BLOB:
		return declared.type == 'b';
	case CONVRO_DB_TEXT:
		return declared.type == 't';
	default:
		return false;
	}
}

const char *
rows_check_args(const char *text, bool coalesce, struct convro_db_args args)
{
	struct declared declared = declared_at(text);

	if (declared_count(text) != args.count)
		return "has another number of arguments than it declares";
	for (uint32_t i = 0; i < args.count; i++, declared = declared_at(declared.next)) {
		const struct convro_db_val *val = &args.vals[i];

		/* What PostgreSQL gathers into arrays is given one by one. */
		declared.nullable = declared.nullable || (coalesce && declared.array);
		if (val->type != CONVRO_DB_ARRAY) {
			if ((declared.array && !coalesce) || !is_of(val, declared))
				return "has an argument of another type than it declares";
			continue;
		}
		if (!declared.array)
			return "has an array where it declares none";
		for (uint32_t e = 0; e < val->len; e++)
			if (!is_of(&val->u.array[e], declared))
				return "has an array of another type than it declares";
	}
	return NULL;
}
