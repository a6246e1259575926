/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service "dm_messages.v1": what other modules may do with messages.  It
 * is provided by the module dm_messages.
 */
#ifndef CONVRO_DM_MESSAGES_H
#define CONVRO_DM_MESSAGES_H

#include <convro/abi.h>

enum convro_receipt { CONVRO_DELIVERED = 1, CONVRO_READ = 2 };

enum convro_mark {
	CONVRO_MARK_UNKNOWN, /* there is no such message */
	CONVRO_MARK_FOREIGN, /* it is not addressed to the device */
	CONVRO_MARK_KNOWN    /* it is; whether or not it was marked before */
};

/* Runs exactly once, on the same worker, after the commit is durable.  `updated` messages changed.
 * `mark` tells of a single id; of several it is KNOWN. */
typedef void convro_marked(struct convro_ctx *ctx, void *arg, enum convro_status status,
    uint32_t updated, enum convro_mark mark);

struct convro_dm_messages {
	uint32_t size;

	/* Marks messages addressed to `device`, never downwards; foreign and unknown ids are passed
	 * over, doubles count once.  Senders are told (event dm.receipt).  At most 200 ids, copied.
	 * Thread: worker. */
	void (*mark)(struct convro_ctx *ctx, int64_t device, enum convro_receipt receipt,
	    const int64_t *ids, uint32_t count, convro_marked *done, void *arg);
};

#endif
