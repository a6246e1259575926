/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that grows: sticky, so that a writer checks once, at the end.
 */
#ifndef STATUS_TEXT_H
#define STATUS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *data; /* not NUL-terminated; freed by text_free */
	size_t len, capacity;
	bool failed; /* memory ran out; what is there is incomplete */
};

/* Starts from { 0 }.  Thread of all: the owner's. */
void text_put(struct text *text, const char *data, size_t len);
void text_puts(struct text *text, const char *data);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As HTML character data, good inside quoted attributes too. */
void text_escape(struct text *text, const char *data, size_t len);
void text_escapes(struct text *text, const char *data);
void text_free(struct text *text);

#endif
