/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of modules: cmocka and a started kit per test.
 */
#ifndef MODULE_KIT_H
#define MODULE_KIT_H

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A module that needs nothing but its defaults. */
static inline int
start_module(void **state)
{
	struct kit *kit = kit_new(convro_module_v1());

	assert_int_equal(kit_start(kit), CONVRO_OK);
	*state = kit;
	return 0;
}

static inline int
stop_module(void **state)
{
	kit_free(*state);
	return 0;
}

#define KIT_TEST(function)                                                                         \
	{                                                                                          \
#function, function, start_module, stop_module, NULL                               \
	}

#endif
