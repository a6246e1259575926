/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log.  Lower case, no full stop, the value complained of, what to do
 * about it.  Never a password, token, key or ciphertext.
 */
#ifndef CONVRO_LOG_H
#define CONVRO_LOG_H

#include <convro/abi.h>

enum convro_log_level { CONVRO_LOG_ERROR, CONVRO_LOG_WARNING, CONVRO_LOG_INFO, CONVRO_LOG_DEBUG };

struct convro_log_table { /* thread: any that has a context */
	uint32_t size;

	/* One line, with time, level, the context's module and request id.  Cut at 2 KiB. */
	void (*write)(struct convro_ctx *ctx, enum convro_log_level level, const char *format, ...)
	    __attribute__((format(printf, 3, 4)));
	/* False: lines of this level are dropped, so that costly arguments need not be made. */
	int (*enabled)(struct convro_ctx *ctx, enum convro_log_level level);
};

#endif
