/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authenticator's slot: one module fills it, the HTTP side and any module
 * verify tokens through it.
 */
#ifndef AUTH_SLOT_H
#define AUTH_SLOT_H

#include "loop/ctx.h"

#include <convro/auth.h>

struct auth_slot {
	struct module *module; /* who filled it; NULL = empty */
	convro_verify *verify;
	void *self;
};

extern const struct convro_auth_table auth_table;

#endif
