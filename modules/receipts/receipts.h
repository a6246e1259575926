/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the module receipts share.  Read receipts.c first.
 */
#ifndef RECEIPTS_H
#define RECEIPTS_H

#include <convro/module.h>

extern const struct convro_api *convro;

enum { RECEIPT_STATUS, RECEIPT_ONE, RECEIPT_MANY }; /* positions in the field table */
enum { IDS_MAX = 200 };

convro_handler receipts_mark;

#endif
