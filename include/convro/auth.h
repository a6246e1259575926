/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is calling.  The core has a slot that one module fills: it turns a
 * bearer token into a principal.  A server with bearer routes and an empty
 * slot refuses to start.
 */
#ifndef CONVRO_AUTH_H
#define CONVRO_AUTH_H

#include <convro/abi.h>

struct convro_principal {
	uint32_t size;
	uint32_t epoch; /* the device's token epoch that the token carried */
	int64_t user_id;
	int64_t device_id;
	int64_t expires_at;   /* microseconds since 1970 */
	const char *number;   /* digits after +99 */
	const char *username; /* or NULL */
};

/* Runs exactly once, on the same worker, perhaps before verify returned.  `error` is NULL and the
 * principal valid until the call returns, or error is UNAUTHORIZED, TOKEN_INVALID, TOKEN_EXPIRED
 * (401), DB_UNAVAILABLE or OVERLOADED (503). */
typedef void convro_verified(
    struct convro_ctx *ctx, void *arg, const char *error, const struct convro_principal *principal);

typedef void convro_verify(struct convro_ctx *ctx, void *self, const char *token, size_t len,
    convro_verified *done, void *arg);

struct convro_auth_table {
	uint32_t size;

	/* The caller of this context, borrowed until it ends; NULL on public routes and outside
	 * requests.  Thread: worker. */
	const struct convro_principal *(*principal)(struct convro_ctx *ctx);
	/* Fills the slot.  Only in init; a second module that does so is refused.  Thread: main. */
	enum convro_status (*provide)(struct convro_ctx *ctx, convro_verify *verify, void *self);
	/* Checks a token that came another way than the Authorization header.  Thread: worker. */
	void (*verify)(struct convro_ctx *ctx, const char *token, size_t len, convro_verified *done,
	    void *arg);
};

#endif
