/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Did you mean ...?": the distance between two names by letters inserted,
 * dropped, changed or swapped (optimal string alignment).
 */
#include "conf/private.h"

#include <stdio.h>
#include <string.h>

#define LETTERS 64 /* longer names are never near */

static uint32_t
least(uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t ab = a < b ? a : b;
	return ab < c ? ab : c;
}

uint32_t
conf_distance(const char *a, const char *b)
{
	uint32_t rows[3][LETTERS + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > LETTERS || b_len > LETTERS)
		return 99;
	for (uint32_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (uint32_t i = 1; i <= a_len; i++) {
		uint32_t *now = rows[i % 3];
		const uint32_t *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		now[0] = i;
		for (uint32_t j = 1; j <= b_len; j++) {
			uint32_t change = a[i - 1] == b[j - 1] ? 0 : 1;

			now[j] = least(last[j] + 1, now[j - 1] + 1, last[j - 1] + change);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
	}
	return rows[a_len % 3][b_len];
}

bool
conf_is_near(uint32_t distance, const char *written)
{
	size_t len = strlen(written);

	return distance <= (len <= 3 ? 1 : len <= 7 ? 2 : 3);
}

bool
conf_nearest_word(const char *written, const char *words, char *out, size_t size)
{
	uint32_t best = 99;

	while (*words != '\0') {
		size_t len = strcspn(words, " ");
		char word[LETTERS + 1];

		if (len > 0 && len < sizeof(word)) {
			uint32_t distance;

			memcpy(word, words, len);
			word[len] = '\0';
			distance = conf_distance(written, word);
			if (distance < best && conf_is_near(distance, written)) {
				best = distance;
				snprintf(out, size, "%s", word);
			}
		}
		words += len + strspn(words + len, " ");
	}
	return best < 99;
}
