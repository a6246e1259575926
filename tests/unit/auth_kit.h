/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the tests of the module auth: a started kit with a secret and a cheap
 * password hash, and the hash of a known password.
 */
#ifndef AUTH_KIT_H
#define AUTH_KIT_H

#include "module_kit.h"

#include "cache.h"

#include <sodium.h>

#define AUTH_SECRET "0123456789abcdef0123456789abcdef"
#define DEVICE      "a1b2c3d4e5f60708"
#define DEVICE_TEXT "-6795153568590067960" /* the same as the store has it */

static inline struct kit *
auth_new(void)
{
	struct kit *kit = kit_new(convro_module_v1());

	kit_secret(kit, "secret", AUTH_SECRET, 32);
	kit_option(kit, "password_memory", "8k");
	kit_option(kit, "password_passes", "1");
	return kit;
}

static inline int
start_auth(void **state)
{
	struct kit *kit = auth_new();

	assert_int_equal(kit_start(kit), CONVRO_OK);
	*state = kit;
	return 0;
}

#define AUTH_TEST(function)                                                                        \
	{                                                                                          \
#function, function, start_auth, stop_module, NULL                                 \
	}

#endif
