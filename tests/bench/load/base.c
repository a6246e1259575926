/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Last words, memory and a sequence of numbers: see base.h.
 */
#include "base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void __attribute__((format(printf, 1, 0))) print(const char *format, va_list args)
{
	(void)fputs("convro-load: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
}

void
die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(format, args);
	va_end(args);
	exit(2);
}

void
say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print(format, args);
	va_end(args);
}

void *
allocate(size_t count, size_t size)
{
	void *memory = calloc(count > 0 ? count : 1, size);

	if (memory == NULL)
		die("out of memory: %zu times %zu bytes", count, size);
	return memory;
}

void *
reallocate(void *old, size_t count, size_t size)
{
	void *memory = reallocarray(old, count > 0 ? count : 1, size);

	if (memory == NULL)
		die("out of memory: %zu times %zu bytes", count, size);
	return memory;
}

uint64_t
random_next(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15u;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1du;
}
