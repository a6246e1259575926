/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ISO 8601 date-times.  Days are counted in the proleptic Gregorian calendar,
 * in years that begin in March: then the leap day is the last one, and the
 * length of the months before a month is a linear formula.
 */
#include "base/isotime.h"

#include <stdbool.h>
#include <string.h>

#define SECOND      INT64_C(1000000)
#define DAY         (86400 * SECOND)
#define ERA_DAYS    146097 /* 400 years */
#define EPOCH_SHIFT 719468 /* 0000-03-01 to 1970-01-01 */

/* Days since 1970-01-01 of a day that exists, years 0..9999. */
static int64_t
days_from_date(int year, int month, int day)
{
	int shifted = month > 2 ? year : year - 1;
	int era = (shifted >= 0 ? shifted : shifted - 399) / 400;
	int of_era = shifted - era * 400;
	int of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return (int64_t)era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
	       EPOCH_SHIFT;
}

static void
date_from_days(int64_t days, int *year, int *month, int *day)
{
	int shifted = (int)days + EPOCH_SHIFT;
	int era = (shifted >= 0 ? shifted : shifted - (ERA_DAYS - 1)) / ERA_DAYS;
	int rest = shifted - era * ERA_DAYS;
	int of_era = (rest - rest / 1460 + rest / 36524 - rest / (ERA_DAYS - 1)) / 365;
	int of_year = rest - (365 * of_era + of_era / 4 - of_era / 100);
	int shifted_month = (5 * of_year + 2) / 153;

	*day = of_year - (153 * shifted_month + 2) / 5 + 1;
	*month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
	*year = era * 400 + of_era + (*month <= 2 ? 1 : 0);
}

static int
days_of_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

static void
put_digits(char *out, int value, int count)
{
	while (count > 0) {
		out[--count] = (char)('0' + value % 10);
		value /= 10;
	}
}

/* Writes the first 19 characters, up to the seconds; says how many microseconds are left. */
static int
format_seconds(int64_t us, char *out)
{
	int year, month, day, seconds;
	int64_t days, rest;

	if (us < ISOTIME_MIN)
		us = ISOTIME_MIN;
	if (us > ISOTIME_MAX)
		us = ISOTIME_MAX;
	days = us / DAY;
	rest = us % DAY;
	if (rest < 0) { /* before 1970: the day below, counted upwards */
		days--;
		rest += DAY;
	}
	date_from_days(days, &year, &month, &day);
	seconds = (int)(rest / SECOND);

	memcpy(out, "0000-00-00T00:00:00", 19);
	put_digits(out, year, 4);
	put_digits(out + 5, month, 2);
	put_digits(out + 8, day, 2);
	put_digits(out + 11, seconds / 3600, 2);
	put_digits(out + 14, seconds / 60 % 60, 2);
	put_digits(out + 17, seconds % 60, 2);
	return (int)(rest % SECOND);
}

void
isotime_format(int64_t us, char out[ISOTIME_LEN])
{
	int fraction = format_seconds(us, out);

	out[19] = '.';
	put_digits(out + 20, fraction / 1000, 3);
	out[23] = 'Z';
}

void
isotime_format_s(int64_t us, char out[ISOTIME_S_LEN])
{
	(void)format_seconds(us, out);
	out[19] = 'Z';
}

/* `count` digits at `text`; -1 when they are none. */
static int
get_digits(const char *text, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

/* The 19 characters up to the seconds. */
static int
parse_seconds(const char *text, int64_t *out)
{
	int year = get_digits(text, 4), month = get_digits(text + 5, 2);
	int day = get_digits(text + 8, 2), hour = get_digits(text + 11, 2);
	int minute = get_digits(text + 14, 2), second = get_digits(text + 17, 2);

	if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
	    text[16] != ':')
		return -1;
	if (year < 0 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
		return -1;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
		return -1;
	*out =
	    days_from_date(year, month, day) * DAY + (hour * 3600 + minute * 60 + second) * SECOND;
	return 0;
}

/* What follows the point; *len is the number of digits taken. */
static int
parse_fraction(const char *text, size_t size, size_t *len, int64_t *out)
{
	int64_t us = 0, unit = SECOND / 10;
	size_t count = 0;

	while (count < size && text[count] >= '0' && text[count] <= '9') {
		if (count == 9)
			return -1;
		us += (text[count++] - '0') * unit;
		unit /= 10; /* 0 behind the sixth digit */
	}
	if (count == 0)
		return -1;
	*len = count;
	*out = us;
	return 0;
}

/* Z or an offset, and nothing behind. */
static int
parse_zone(const char *text, size_t len, int64_t *out)
{
	int hours, minutes;

	if (len == 1 && text[0] == 'Z') {
		*out = 0;
		return 0;
	}
	if (len != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
		return -1;
	hours = get_digits(text + 1, 2);
	minutes = get_digits(text + 4, 2);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return -1;
	*out = (hours * 3600 + minutes * 60) * (text[0] == '-' ? -SECOND : SECOND);
	return 0;
}

int
isotime_parse(const char *text, size_t len, int64_t *out)
{
	int64_t us, fraction = 0, offset;
	size_t at = 19;

	if (len < ISOTIME_S_LEN || parse_seconds(text, &us) != 0)
		return -1;
	if (text[at] == '.') {
		size_t count;

		at++;
		if (parse_fraction(text + at, len - at, &count, &fraction) != 0)
			return -1;
		at += count;
	}
	if (parse_zone(text + at, len - at, &offset) != 0)
		return -1;
	us += fraction - offset;
	if (us < ISOTIME_MIN || us > ISOTIME_MAX)
		return -1;
	*out = us;
	return 0;
}
