/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Helpers for text that is not NUL-terminated.
 */
#include "base/text.h"

bool
slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool
slice_is(struct slice slice, const char *text)
{
	return slice_equal(slice, slice_of(text));
}

bool
slice_starts_with(struct slice slice, const char *prefix)
{
	size_t len = strlen(prefix);

	return slice.len >= len && (len == 0 || memcmp(slice.data, prefix, len) == 0);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct slice
slice_trim(struct slice slice)
{
	while (slice.len > 0 && is_blank(slice.data[0])) {
		slice.data++;
		slice.len--;
	}
	while (slice.len > 0 && is_blank(slice.data[slice.len - 1]))
		slice.len--;
	return slice;
}

char
text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool
text_equal_nocase(const char *a, size_t a_len, const char *b, size_t b_len)
{
	if (a_len != b_len)
		return false;
	for (size_t i = 0; i < a_len; i++)
		if (text_lower(a[i]) != text_lower(b[i]))
			return false;
	return true;
}

bool
slice_is_nocase(struct slice slice, const char *text)
{
	return text_equal_nocase(slice.data, slice.len, text, strlen(text));
}

int
text_int64(const char *text, size_t len, int64_t *out)
{
	bool negative = len > 0 && text[0] == '-';
	size_t i = negative ? 1 : 0;
	int64_t value = 0;

	if (i == len)
		return -1;
	if (text[i] == '0' && len > 1) /* "-0", "00", "01" */
		return -1;
	for (; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		/* Downwards, because the negative range is the larger one. */
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_sub_overflow(value, text[i] - '0', &value))
			return -1;
	}
	if (!negative && __builtin_sub_overflow((int64_t)0, value, &value))
		return -1;
	*out = value;
	return 0;
}

static const char pairs[200] = {
	"00010203040506070809101112131415161718192021222324252627282930313233343536"
	"37383940414243444546474849505152535455565758596061626364656667686970717273"
	"7475767778798081828384858687888990919293949596979899"
};

/* Two digits at a time: half the divisions. */
size_t
text_from_int64(int64_t value, char out[TEXT_INT64_MAX])
{
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char digits[TEXT_INT64_MAX];
	size_t at = sizeof digits;

	while (rest >= 10) {
		at -= 2;
		memcpy(digits + at, pairs + 2 * (rest % 100), 2);
		rest /= 100;
	}
	if (rest != 0 || at == sizeof digits)
		digits[--at] = (char)('0' + rest);
	if (value < 0)
		digits[--at] = '-';
	memcpy(out, digits + at, sizeof digits - at);
	return sizeof digits - at;
}
