/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authenticator: signature first, then the device's epoch in the store
 * (at most two seconds old, dropped at once by a revocation), expiry last, so
 * that a revoked token is TOKEN_INVALID whatever its age.
 */
#include "cache.h"
#include "seen.h"

#include <stdlib.h>
#include <string.h>

struct verification {
	const struct auth *auth;
	struct claims claims;
	uint64_t generation;
	convro_verified *done;
	void *arg;
};

static void
judge(struct convro_ctx *ctx, const struct verification *verification, struct device *device)
{
	const struct claims *claims = &verification->claims;
	struct convro_principal principal;

	if (device->user_id != claims->user_id || device->epoch != claims->epoch ||
	    device->db_epoch != claims->db_epoch) {
		verification->done(ctx, verification->arg, "TOKEN_INVALID", NULL);
		return;
	}
	if (claims->expires_at <= convro->db->now(ctx)) {
		verification->done(ctx, verification->arg, "TOKEN_EXPIRED", NULL);
		return;
	}
	principal = (struct convro_principal){ .size = sizeof(principal),
		.epoch = claims->epoch,
		.user_id = claims->user_id,
		.device_id = claims->device_id,
		.expires_at = claims->expires_at };
	/* The cache may change while the request runs. */
	principal.number = convro->mem->copy(ctx, device->number, strlen(device->number));
	if (device->has_username)
		principal.username =
		    convro->mem->copy(ctx, device->username, strlen(device->username));
	if (principal.number == NULL || (device->has_username && principal.username == NULL)) {
		verification->done(ctx, verification->arg, "OVERLOADED", NULL);
		return;
	}
	verification->done(ctx, verification->arg, NULL, &principal);
}

static void
copy_text(char *out, size_t size, const struct convro_db_val *val)
{
	size_t len = val->len < size - 1 ? val->len : size - 1;

	memcpy(out, val->u.text, len);
	out[len] = '\0';
}

static void
device_read(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const struct verification *verification = arg;
	struct caches *caches = verification->auth->caches;
	uint32_t worker = convro->work->worker(ctx);
	struct device device = { .device_id = verification->claims.device_id };
	struct device *kept;

	(void)nresults;
	if (status != CONVRO_OK) {
		verification->done(ctx, verification->arg,
		    status == CONVRO_OVERLOAD ? "OVERLOADED" : "DB_UNAVAILABLE", NULL);
		return;
	}
	if (results->nrows == 0) { /* removed, erased, or from another database */
		verification->done(ctx, verification->arg, "TOKEN_INVALID", NULL);
		return;
	}
	device.user_id = convro_at(results, 0, 0)->u.i;
	copy_text(device.number, sizeof(device.number), convro_at(results, 0, 1));
	device.has_username = convro_at(results, 0, 2)->type != CONVRO_DB_NULL;
	if (device.has_username)
		copy_text(device.username, sizeof(device.username), convro_at(results, 0, 2));
	device.epoch = (uint32_t)convro_at(results, 0, 3)->u.i;
	device.db_epoch = convro_at(results, 0, 4)->u.i;
	device.loaded_ms = convro->timer->now(ctx);
	kept = cache_put_device(caches, worker, &device, verification->generation);
	seen_note(ctx, verification->auth->seen, device.device_id);
	judge(ctx, verification, kept != NULL ? kept : &device);
}

void
auth_verify(struct convro_ctx *ctx, void *self, const char *token, size_t len,
    convro_verified *done, void *arg)
{
	struct auth *auth = self;
	uint32_t worker = convro->work->worker(ctx);
	struct verification *verification = convro->mem->zero(ctx, sizeof(*verification));
	uint8_t digest[TOKEN_DIGEST_BYTES];
	struct device *device;

	if (verification == NULL) {
		done(ctx, arg, "OVERLOADED", NULL);
		return;
	}
	verification->auth = auth;
	verification->done = done;
	verification->arg = arg;
	cache_digest(auth->caches, token, len, digest);
	if (!cache_get_token(
		auth->caches, worker, digest, convro->timer->now(ctx), &verification->claims)) {
		if (!token_read(auth, token, len, &verification->claims)) {
			done(ctx, arg, "TOKEN_INVALID", NULL);
			return;
		}
		cache_put_token(
		    auth->caches, worker, digest, convro->timer->now(ctx), &verification->claims);
	}
	device = cache_get_device(auth->caches, worker, verification->claims.device_id);
	if (device != NULL && convro->timer->now(ctx) - device->loaded_ms < DEVICE_FRESH_MS) {
		judge(ctx, verification, device);
		return;
	}
	verification->generation = cache_generation(auth->caches, worker);
	convro->db->query(ctx, AUTH_ME, CONVRO_ARGS(convro_i64(verification->claims.device_id)),
	    device_read, verification);
}

void
auth_forget(struct convro_ctx *ctx, void *self, const void *fact)
{
	struct auth *auth = self;
	const struct convro_revoked_fact *revoked = fact;

	cache_forget_device(auth->caches, convro->work->worker(ctx), revoked->device_id);
}
