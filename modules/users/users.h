/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the module users share.  Read users.c first.
 */
#ifndef USERS_H
#define USERS_H

#include "users_sql.h"

#include <convro/module.h>

extern const struct convro_api *convro;

enum { RESOLVE_NUMBER, RESOLVE_USERNAME }; /* positions in the field table */

convro_handler users_resolve;

#endif
