/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a process whose own code is wrong.
 */
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

void
must_failed(const char *file, int line, const char *condition)
{
	(void)fprintf(stderr, "%s:%d: bug: %s\n", file, line, condition);
	abort();
}
