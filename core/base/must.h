/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MUST(x): a statement about our own code.  It is kept in release builds and
 * ends the process with file and line when it does not hold.  Never use it on
 * input, memory or I/O: those are circumstances and get a status.
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

/* Prints "file:line: bug: condition" to stderr and aborts.  Thread: any. */
_Noreturn void must_failed(const char *file, int line, const char *condition);

#define MUST(x) ((x) ? (void)0 : must_failed(__FILE__, __LINE__, #x))

#endif
