/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers: the permutation behind them, and drawing until the space is full.
 */
#include "module_kit.h"

#include "number.h"

static const uint8_t key[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

static void
is_one_to_one(uint32_t width, uint64_t a, uint64_t b)
{
	uint8_t *seen = calloc((size_t)(a * b), 1);

	assert_non_null(seen);
	for (uint64_t n = 0; n < a * b; n++) {
		uint64_t value = number_permute(key, width, a, b, n);

		if (value >= a * b || seen[value] != 0)
			fail_msg("%llu is out of range or there twice", (unsigned long long)value);
		seen[value] = 1;
		if (number_invert(key, width, a, b, value) != n)
			fail_msg("the inverse of %llu is wrong", (unsigned long long)value);
	}
	free(seen);
}

static void
is_one_to_one_over_all_six_digit_numbers(void **state)
{
	(void)state;
	is_one_to_one(6, 1000, 1000);
}

static void
is_one_to_one_where_the_halves_differ_in_size(void **state)
{
	(void)state;
	is_one_to_one(5, 100, 1000);
	is_one_to_one(3, 1, 17);
	is_one_to_one(3, 17, 1);
	is_one_to_one(3, 7, 11);
}

static void
inverts_over_wide_spaces(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 100000; n += 7) { /* and the numbers of seven digits */
		uint64_t wide = number_permute(key, 7, 1000, 10000, n * 100);

		assert_true(wide < 10000000);
		assert_true(number_invert(key, 7, 1000, 10000, wide) == n * 100);
	}
	for (uint64_t n = 0; n < 100000; n += 7) {
		uint64_t far = n * 2814749767 % (UINT64_C(1) << 48);
		uint64_t value = number_permute(key, 0, 1U << 24, 1U << 24, far);

		assert_true(value < UINT64_C(1) << 48);
		assert_true(number_invert(key, 0, 1U << 24, 1U << 24, value) == far);
	}
}

/* Of a thousand inputs two unrelated permutations agree on a handful at most. */
static void
depends_on_key_and_width(void **state)
{
	uint8_t other[16];
	int same_key = 0, same_width = 0, neighbours = 0;

	(void)state;
	memcpy(other, key, sizeof(other));
	other[15] ^= 1;
	for (uint64_t n = 0; n < 1000; n++) {
		uint64_t value = number_permute(key, 6, 1000, 1000, n);

		same_key += value == number_permute(other, 6, 1000, 1000, n);
		same_width += value == number_permute(key, 7, 1000, 1000, n);
		neighbours += value + 1 == number_permute(key, 6, 1000, 1000, n + 1);
	}
	assert_true(same_key < 10);
	assert_true(same_width < 10);
	assert_true(neighbours < 10);
}

/* ---- drawing ---- */

/* Draws happen in contexts of the kit; the results are kept here. */
struct drawn {
	struct numbers *numbers;
	uint32_t times;
	enum convro_status status;
	struct number number;
};

static void
kept(struct convro_ctx *ctx, void *arg, enum convro_status status, const struct number *number)
{
	struct drawn *drawn = arg;

	(void)ctx;
	drawn->times++;
	drawn->status = status;
	assert_true((status == CONVRO_OK) == (number != NULL));
	if (number != NULL)
		drawn->number = *number;
}

static void
ask(struct convro_ctx *ctx, void *arg)
{
	struct drawn *drawn = arg;

	numbers_draw(ctx, drawn->numbers, kept, drawn);
}

static struct drawn
draw(struct kit *kit)
{
	struct drawn drawn = { .numbers = ((struct auth *)kit_self(kit))->numbers };

	kit_run(kit, ask, &drawn);
	assert_int_equal(drawn.times, 1);
	return drawn;
}

static struct kit *
start_with(const char *option, const char *value)
{
	struct kit *kit = kit_new(convro_module_v1());

	kit_secret(kit, "secret", "0123456789abcdef0123456789abcdef", 32);
	if (option != NULL)
		kit_option(kit, option, value);
	assert_int_equal(kit_start(kit), CONVRO_OK);
	return kit;
}

static int
start(void **state)
{
	*state = start_with(NULL, NULL);
	return 0;
}

/* The number of an ordinal, by the module's key in the kit (bytes 0..31). */
static const char *
digits_of(uint64_t ordinal)
{
	static char text[16];
	uint8_t numbers_key[16];

	for (uint8_t i = 0; i < 16; i++)
		numbers_key[i] = (uint8_t)(16 + i);
	snprintf(text, sizeof(text), "%06llu",
	    (unsigned long long)number_permute(numbers_key, 6, 1000, 1000, ordinal));
	return text;
}

static void
draws_a_block_from_the_counter_and_uses_it_up(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, AUTH_ORDINALS, "16|1000000", "32");
	kit_rows(kit, AUTH_ORDINALS, "16|1000000", "64");
	for (int64_t i = 0; i < 16; i++) {
		struct drawn drawn = draw(kit);

		assert_int_equal(drawn.status, CONVRO_OK);
		assert_int_equal(drawn.number.ordinal, 16 + i);
		assert_string_equal(drawn.number.digits, digits_of((uint64_t)(16 + i)));
		assert_true(drawn.number.user_id >= 1);
	}
	assert_int_equal(kit_ran(kit, AUTH_ORDINALS), 1);
	assert_int_equal(draw(kit).number.ordinal, 48);
	assert_int_equal(kit_ran(kit, AUTH_ORDINALS), 2);
}

static void
draws_again_what_was_given_back(void **state)
{
	struct kit *kit = *state;
	struct drawn first, second;

	kit_rows(kit, AUTH_ORDINALS, NULL, "16");
	first = draw(kit);
	numbers_give_back(first.numbers, &first.number);
	second = draw(kit);
	assert_int_equal(second.number.ordinal, first.number.ordinal);
	assert_int_equal(second.number.user_id, first.number.user_id);
	assert_string_equal(second.number.digits, first.number.digits);
	assert_int_equal(draw(kit).number.ordinal, first.number.ordinal + 1);
}

static void
draws_one_by_one_when_less_than_a_block_is_left(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, AUTH_ORDINALS, "16|1000000", "");
	kit_rows(kit, AUTH_ORDINALS, "1|1000000", "999999");
	kit_rows(kit, AUTH_ORDINALS, "1|1000000", "1000000");
	assert_int_equal(draw(kit).number.ordinal, 999998);
	assert_int_equal(draw(kit).number.ordinal, 999999);
	assert_int_equal(kit_ran(kit, AUTH_NUMBERS_PAGE), 0);
}

/* All numbers but those of the ordinals 5 and 70, in pages, as the store gives them. */
static void
answer_pages(struct kit *kit)
{
	char *page = malloc(1000 * 8 + 16), last[16] = "", gaps[2][16];

	assert_non_null(page);
	snprintf(gaps[0], sizeof(gaps[0]), "%s", digits_of(5));
	snprintf(gaps[1], sizeof(gaps[1]), "%s", digits_of(70));
	for (int number = 0; number < 1000000;) {
		size_t len = 0;
		char when[40];

		snprintf(when, sizeof(when), "%s|1000", last);
		for (int rows = 0; rows < 1000 && number < 1000000; number++) {
			char text[16];

			snprintf(text, sizeof(text), "%06d", number);
			if (strcmp(text, gaps[0]) == 0 || strcmp(text, gaps[1]) == 0)
				continue;
			len += (size_t)snprintf(page + len, 17, "%s%s", rows > 0 ? "\n" : "", text);
			memcpy(last, text, sizeof(last));
			rows++;
		}
		page[len] = '\0';
		kit_rows(kit, AUTH_NUMBERS_PAGE, when, page);
	}
	free(page);
}

static void
finds_the_gaps_at_the_end_of_the_space_and_then_says_so(void **state)
{
	struct kit *kit = *state;
	int64_t first, second;

	answer_pages(kit);
	first = draw(kit).number.ordinal;
	assert_int_equal(kit_ran(kit, AUTH_NUMBERS_PAGE), 1000);
	assert_true(kit_logged(kit, "looking for gaps"));
	second = draw(kit).number.ordinal;
	assert_true((first == 5 && second == 70) || (first == 70 && second == 5));
	assert_int_equal(draw(kit).status, CONVRO_FAILED);
	assert_int_equal(kit_ran(kit, AUTH_NUMBERS_PAGE), 1000); /* searched once */
}

static void
tells_of_a_store_that_fails_and_searches_again_later(void **state)
{
	struct kit *kit = *state;

	kit_fails(kit, AUTH_ORDINALS, CONVRO_NOT_SENT);
	kit_rows(kit, AUTH_ORDINALS, NULL, "");
	kit_fails(kit, AUTH_NUMBERS_PAGE, CONVRO_OVERLOAD);
	kit_rows(kit, AUTH_NUMBERS_PAGE, NULL, "000001");
	assert_int_equal(draw(kit).status, CONVRO_NOT_SENT);
	assert_int_equal(draw(kit).status, CONVRO_OVERLOAD);
	assert_int_equal(draw(kit).status, CONVRO_OK);
	assert_int_equal(kit_ran(kit, AUTH_NUMBERS_PAGE), 2);
}

static void
draw_meanwhile(struct kit *kit, void *arg)
{
	struct drawn *drawn = arg;

	*drawn = draw(kit);
}

static void
asks_a_second_registration_to_come_again_during_the_search(void **state)
{
	struct kit *kit = *state;
	struct drawn second = { 0 };

	kit_rows(kit, AUTH_NUMBERS_PAGE, NULL, "000001");
	kit_meanwhile(kit, AUTH_NUMBERS_PAGE, draw_meanwhile, &second);
	assert_int_equal(draw(kit).status, CONVRO_OK);
	assert_int_equal(second.status, CONVRO_RETRY);
}

static void
says_so_without_memory(void **state)
{
	struct kit *kit = *state;

	kit_memory(kit, 0);
	assert_int_equal(draw(kit).status, CONVRO_NO_MEMORY);
}

static void
grows_by_a_digit_when_told(void **state)
{
	struct kit *kit = start_with("number_growth", "on");
	struct drawn drawn;

	(void)state;
	kit_rows(kit, AUTH_ORDINALS, "16|1111111000000", "1000008");
	for (int64_t ordinal = 999992; ordinal < 1000008; ordinal++) {
		drawn = draw(kit);
		assert_int_equal(drawn.number.ordinal, ordinal);
		assert_int_equal(strlen(drawn.number.digits), ordinal < 1000000 ? 6 : 7);
	}
	kit_rows(kit, AUTH_ORDINALS, NULL, "");
	assert_int_equal(draw(kit).status, CONVRO_FAILED);
	assert_int_equal(kit_ran(kit, AUTH_NUMBERS_PAGE), 0);
	kit_free(kit);
}

static void
never_searches_a_space_too_wide_to_read(void **state)
{
	struct kit *kit = start_with("number_digits", "9");

	(void)state;
	kit_rows(kit, AUTH_ORDINALS, "16|1000000000", "");
	assert_int_equal(draw(kit).status, CONVRO_FAILED);
	assert_int_equal(kit_ran(kit, AUTH_NUMBERS_PAGE), 0);
	kit_free(kit);
}

#define DRAW_TEST(function)                                                                        \
	{                                                                                          \
#function, function, start, stop_module, NULL                                      \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_one_to_one_over_all_six_digit_numbers),
		cmocka_unit_test(is_one_to_one_where_the_halves_differ_in_size),
		cmocka_unit_test(inverts_over_wide_spaces),
		cmocka_unit_test(depends_on_key_and_width),
		DRAW_TEST(draws_a_block_from_the_counter_and_uses_it_up),
		DRAW_TEST(draws_again_what_was_given_back),
		DRAW_TEST(draws_one_by_one_when_less_than_a_block_is_left),
		DRAW_TEST(finds_the_gaps_at_the_end_of_the_space_and_then_says_so),
		DRAW_TEST(tells_of_a_store_that_fails_and_searches_again_later),
		DRAW_TEST(asks_a_second_registration_to_come_again_during_the_search),
		DRAW_TEST(says_so_without_memory),
		cmocka_unit_test(grows_by_a_digit_when_told),
		cmocka_unit_test(never_searches_a_space_too_wide_to_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
