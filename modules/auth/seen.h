/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devices.last_seen_at: written at most every five minutes for a device, and
 * for many devices in one transaction, so that neither reading nor a thousand
 * sockets that come back cost a write each.
 */
#ifndef AUTH_SEEN_LIST_H
#define AUTH_SEEN_LIST_H

#include <convro/module.h>

struct seen; /* of all workers; each touches its own part */

struct seen *seen_new(uint32_t workers);
void seen_free(struct seen *seen);
/* The device was seen just now. */
void seen_note(struct convro_ctx *ctx, struct seen *seen, int64_t device_id);
/* Writes what is not written yet. */
void seen_write(struct convro_ctx *ctx, struct seen *seen);

#endif
