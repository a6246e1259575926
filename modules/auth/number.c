/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and user ids: keyed permutations of one counter, so that both are
 * unique for ever, tell nothing of order or growth, and never collide however
 * full the space is (design: storage, section 3).  The key belongs to the
 * database.  Registrations are rare beside everything else: one mutex is fine.
 */
#include "number.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 10, BLOCK = 16, GAP_PAGE = 1000, GAP_DIGITS_MAX = 8 };

/* Two keys: one for ids, one for numbers; the width is mixed in so that widths are unrelated. */
static uint64_t
round_value(
    const uint8_t key[crypto_shorthash_KEYBYTES], uint32_t width, uint32_t round, uint64_t half)
{
	uint8_t in[16], out[crypto_shorthash_BYTES];
	uint64_t value;

	memcpy(in, &half, 8);
	memcpy(in + 8, &width, 4);
	memcpy(in + 12, &round, 4);
	(void)crypto_shorthash(out, in, sizeof(in), key);
	memcpy(&value, out, sizeof(value));
	return value;
}

/* A Feistel network over a * b: the halves swap roles (and sizes) each round, an even number of
 * times. */
uint64_t
number_permute(const uint8_t *key, uint32_t width, uint64_t a, uint64_t b, uint64_t n)
{
	uint64_t left = n / b, right = n % b;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint64_t size = round % 2 == 0 ? a : b;
		uint64_t mixed = (left + round_value(key, width, round, right) % size) % size;

		left = right;
		right = mixed;
	}
	return left * b + right;
}

uint64_t
number_invert(const uint8_t *key, uint32_t width, uint64_t a, uint64_t b, uint64_t n)
{
	uint64_t left = n / b, right = n % b;

	for (uint32_t round = ROUNDS; round-- > 0;) {
		uint64_t size = round % 2 == 0 ? a : b;
		uint64_t before =
		    (right + size - round_value(key, width, round, left) % size) % size;

		right = left;
		left = before;
	}
	return left * b + right;
}

static uint64_t
power_of_ten(uint32_t digits)
{
	uint64_t value = 1;

	while (digits-- > 0)
		value *= 10;
	return value;
}

struct numbers {
	pthread_mutex_t lock;
	const uint8_t *key; /* 32 bytes, borrowed from the store */
	uint32_t digits;
	bool growth;
	int64_t limit; /* ordinals below it have a number */

	int64_t *free; /* ordinals to use next, the last one first */
	uint32_t free_count, free_size;
	bool searched;  /* gaps were looked for */
	bool searching; /* are being looked for */
};

static void
derive(const struct numbers *numbers, int64_t ordinal, struct number *out)
{
	uint64_t n = (uint64_t)ordinal;
	uint32_t digits = numbers->digits;
	uint64_t a, b;

	out->ordinal = ordinal;
	out->user_id = (int64_t)number_permute(numbers->key, 0, 1U << 24, 1U << 24, n) + 1;
	while (digits < NUMBER_DIGITS_MAX && n >= power_of_ten(digits))
		n -= power_of_ten(digits++);
	a = power_of_ten(digits / 2);
	b = power_of_ten(digits - digits / 2);
	(void)snprintf(out->digits, sizeof(out->digits), "%0*llu", (int)digits,
	    (unsigned long long)number_permute(
		numbers->key + crypto_shorthash_KEYBYTES, digits, a, b, n));
}

struct numbers *
numbers_new(struct convro_ctx *ctx, const uint8_t key[32])
{
	struct numbers *numbers = calloc(1, sizeof(*numbers));

	if (numbers == NULL)
		return NULL;
	pthread_mutex_init(&numbers->lock, NULL);
	numbers->key = key;
	numbers->digits = (uint32_t)convro->conf->get_int(ctx, "number_digits");
	numbers->growth = convro->conf->get_int(ctx, "number_growth") != 0;
	numbers->limit = 0;
	for (uint32_t digits = numbers->digits; digits <= NUMBER_DIGITS_MAX; digits++) {
		numbers->limit += (int64_t)power_of_ten(digits);
		if (!numbers->growth)
			break;
	}
	return numbers;
}

void
numbers_free(struct numbers *numbers)
{
	if (numbers == NULL)
		return;
	pthread_mutex_destroy(&numbers->lock);
	free(numbers->free);
	free(numbers);
}

/* With the lock held. */
static bool
push(struct numbers *numbers, int64_t ordinal)
{
	if (numbers->free_count == numbers->free_size) {
		uint32_t size = numbers->free_size != 0 ? numbers->free_size * 2 : BLOCK;
		int64_t *grown = realloc(numbers->free, size * sizeof(*grown));

		if (grown == NULL)
			return false; /* the ordinal is lost until gaps are looked for */
		numbers->free = grown;
		numbers->free_size = size;
	}
	numbers->free[numbers->free_count++] = ordinal;
	return true;
}

static bool
pop(struct numbers *numbers, struct number *out)
{
	bool found;

	pthread_mutex_lock(&numbers->lock);
	found = numbers->free_count > 0;
	if (found)
		derive(numbers, numbers->free[--numbers->free_count], out);
	pthread_mutex_unlock(&numbers->lock);
	return found;
}

void
numbers_give_back(struct numbers *numbers, const struct number *number)
{
	pthread_mutex_lock(&numbers->lock);
	(void)push(numbers, number->ordinal);
	pthread_mutex_unlock(&numbers->lock);
}

/* ---- drawing ---- */

struct draw {
	struct numbers *numbers;
	number_drawn *done;
	void *arg;
	int64_t count;  /* asked of the counter: a block, then one, then the gaps */
	uint8_t *taken; /* gap search: a bit per number, malloc'ed */
	char last[NUMBER_DIGITS_MAX + 1];
};

static void draw_block(struct convro_ctx *ctx, struct draw *draw);
static void search_page(struct convro_ctx *ctx, struct draw *draw);

static void
finish(struct convro_ctx *ctx, struct draw *draw, enum convro_status status)
{
	struct number number;

	free(draw->taken);
	draw->taken = NULL;
	if (status == CONVRO_OK && pop(draw->numbers, &number))
		draw->done(ctx, draw->arg, CONVRO_OK, &number);
	else
		draw->done(ctx, draw->arg, status == CONVRO_OK ? CONVRO_FAILED : status, NULL);
}

static void
end_search(struct numbers *numbers, bool done)
{
	pthread_mutex_lock(&numbers->lock);
	numbers->searching = false;
	numbers->searched = done;
	pthread_mutex_unlock(&numbers->lock);
}

/* What is free goes onto the list; numbers in use by a registration under way conflict there and
 * are drawn again. */
static void
collect_gaps(struct draw *draw)
{
	struct numbers *numbers = draw->numbers;
	uint64_t a = power_of_ten(numbers->digits / 2);
	uint64_t b = power_of_ten(numbers->digits - numbers->digits / 2);

	pthread_mutex_lock(&numbers->lock);
	for (uint64_t value = 0; value < a * b; value++)
		if ((draw->taken[value / 8] & 1U << value % 8) == 0)
			(void)push(numbers,
			    (int64_t)number_invert(numbers->key + crypto_shorthash_KEYBYTES,
				numbers->digits, a, b, value));
	pthread_mutex_unlock(&numbers->lock);
}

static void
page_read(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	struct draw *draw = arg;

	(void)nresults;
	if (status != CONVRO_OK) {
		end_search(draw->numbers, false);
		finish(ctx, draw, status);
		return;
	}
	for (uint32_t i = 0; i < results->nrows; i++) {
		const struct convro_db_val *val = convro_at(results, i, 0);
		unsigned long long value = strtoull(val->u.text, NULL, 10);

		if (val->len == draw->numbers->digits)
			draw->taken[value / 8] |= (uint8_t)(1U << value % 8);
		if (val->len < sizeof(draw->last))
			memcpy(draw->last, val->u.text, val->len + 1);
	}
	if (results->nrows == GAP_PAGE) {
		search_page(ctx, draw);
		return;
	}
	collect_gaps(draw);
	end_search(draw->numbers, true);
	finish(ctx, draw, CONVRO_OK);
}

static void
search_page(struct convro_ctx *ctx, struct draw *draw)
{
	convro->db->query(ctx, AUTH_NUMBERS_PAGE,
	    CONVRO_ARGS(convro_text_n(draw->last, strlen(draw->last)), convro_i64(GAP_PAGE)),
	    page_read, draw);
}

/* The counter is at its end: once in a process's life the numbers are read to find those that a
 * crash lost.  Wider spaces than 10^8 are never filled. */
static void
search_gaps(struct convro_ctx *ctx, struct draw *draw)
{
	struct numbers *numbers = draw->numbers;
	bool first, searching;

	pthread_mutex_lock(&numbers->lock);
	searching = numbers->searching;
	first = !numbers->searched && !numbers->growth && numbers->digits <= GAP_DIGITS_MAX;
	if (first)
		numbers->searched = numbers->searching = true;
	pthread_mutex_unlock(&numbers->lock);
	if (!first) { /* another registration searches: come again; or the space is full */
		finish(ctx, draw, searching ? CONVRO_RETRY : CONVRO_OK);
		return;
	}
	draw->taken = calloc(1, (size_t)power_of_ten(numbers->digits) / 8 + 1);
	if (draw->taken == NULL) {
		end_search(numbers, false);
		finish(ctx, draw, CONVRO_NO_MEMORY);
		return;
	}
	convro->log->write(ctx, CONVRO_LOG_WARNING,
	    "all numbers of %u digits have been drawn: looking for gaps; set auth.number_growth = on",
	    numbers->digits);
	search_page(ctx, draw);
}

static void
block_drawn(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	struct draw *draw = arg;
	struct numbers *numbers = draw->numbers;

	(void)nresults;
	if (status != CONVRO_OK) {
		finish(ctx, draw, status);
		return;
	}
	if (results->nrows == 1) {
		int64_t next = convro_at(results, 0, 0)->u.i;

		pthread_mutex_lock(&numbers->lock);
		for (int64_t ordinal = next; ordinal-- > next - draw->count;)
			(void)push(numbers, ordinal);
		pthread_mutex_unlock(&numbers->lock);
		finish(ctx, draw, CONVRO_OK);
	} else if (draw->count > 1) {
		draw->count = 1; /* the rest is smaller than a block */
		draw_block(ctx, draw);
	} else {
		search_gaps(ctx, draw);
	}
}

static void
draw_block(struct convro_ctx *ctx, struct draw *draw)
{
	convro->db->query(ctx, AUTH_ORDINALS,
	    CONVRO_ARGS(convro_i64(draw->count), convro_i64(draw->numbers->limit)), block_drawn,
	    draw);
}

void
numbers_draw(struct convro_ctx *ctx, struct numbers *numbers, number_drawn *done, void *arg)
{
	struct number number;
	struct draw *draw;

	if (pop(numbers, &number)) {
		done(ctx, arg, CONVRO_OK, &number);
		return;
	}
	draw = convro->mem->zero(ctx, sizeof(*draw));
	if (draw == NULL) {
		done(ctx, arg, CONVRO_NO_MEMORY, NULL);
		return;
	}
	draw->numbers = numbers;
	draw->done = done;
	draw->arg = arg;
	draw->count = BLOCK;
	draw_block(ctx, draw);
}
