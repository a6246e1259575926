/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Header lines and the text form of arguments and rows.
 */
#include "sql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void
header_parse(const char *list, struct header *out)
{
	out->count = 0;
	while (*list != '\0') {
		size_t len = strcspn(list, " ");
		const char *colon = memchr(list, ':', len);
		struct item *item = &out->items[out->count++];

		assert_non_null(colon);
		assert_true(out->count <= MAX_ITEMS);
		item->type = colon[1];
		item->is_nullable = list[len - 1] == '?';
		item->is_array = list[len - 1] == ']';
		list += len + (list[len] == ' ');
	}
}

static const char *
take_cell(const char *text, const char *stop, char cell[CELL_SIZE])
{
	size_t len = strcspn(text, stop);

	assert_true(len < CELL_SIZE);
	memcpy(cell, text, len);
	cell[len] = '\0';
	return text + len;
}

void
cells_parse(const char *text, size_t ncols, struct cells *out)
{
	out->nrows = 0;
	out->ncols = ncols;
	if (strcmp(text, "none") == 0)
		return;
	for (bool more = true; more; text++) {
		assert_true(out->nrows < MAX_ROWS && ncols <= MAX_ITEMS);
		for (size_t col = 0; col < ncols; col++) {
			text = take_cell(text, "|;", out->cell[out->nrows][col]);
			if (col + 1 < ncols && *text++ != '|')
				fail_msg("too few cells in row %zu", out->nrows + 1);
		}
		if (*text != ';' && *text != '\0')
			fail_msg("too many cells in row %zu: \"%s\"", out->nrows + 1, text);
		out->nrows++;
		more = *text == ';';
	}
}

bool
array_parse(const char *cell, struct cells *out)
{
	out->nrows = 0;
	out->ncols = 1;
	if (*cell != '{')
		return false;
	for (cell++; *cell != '}' && *cell != '\0'; cell += *cell == ',') {
		assert_true(out->nrows < MAX_ROWS);
		cell = take_cell(cell, ",}", out->cell[out->nrows++][0]);
	}
	return true;
}

void
output_add(struct output *out, const char *data, size_t len)
{
	assert_true(out->len + len < sizeof(out->text));
	memcpy(out->text + out->len, data, len);
	out->len += len;
	out->text[out->len] = '\0';
}
