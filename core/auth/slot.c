/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authenticator's slot and the ABI's group table auth.
 */
#include "auth/slot.h"

#include "log/log.h"
#include "server.h"

static const struct convro_principal *
get_principal(struct convro_ctx *ctx)
{
	return ctx->principal;
}

static enum convro_status
provide(struct convro_ctx *ctx, convro_verify *verify, void *self)
{
	struct auth_slot *slot = ctx->worker->server->auth;

	if (slot->module != NULL) {
		log_error("module %s: module %s authenticates already: load one of them",
		    ctx->module->name, slot->module->name);
		return CONVRO_CONFLICT;
	}
	*slot = (struct auth_slot){ .module = ctx->module, .verify = verify, .self = self };
	return CONVRO_OK;
}

/* In the context's arena: gives the context back to the module that asked. */
struct asking {
	struct module *asker;
	convro_verified *done;
	void *arg;
};

static void
verified(
    struct convro_ctx *ctx, void *arg, const char *error, const struct convro_principal *principal)
{
	const struct asking *asking = arg;

	ctx->module = asking->asker;
	asking->done(ctx, asking->arg, error, principal);
}

static void
verify(struct convro_ctx *ctx, const char *token, size_t len, convro_verified *done, void *arg)
{
	struct auth_slot *slot = ctx->worker->server->auth;
	struct asking *asking = mem_table.alloc(ctx, sizeof(*asking));

	if (asking == NULL) {
		done(ctx, arg, "OVERLOADED", NULL);
		return;
	}
	if (slot->module == NULL) { /* no authenticator: no token is good */
		done(ctx, arg, "TOKEN_INVALID", NULL);
		return;
	}
	*asking = (struct asking){ .asker = ctx->module, .done = done, .arg = arg };
	ctx->module = slot->module;
	slot->verify(ctx, slot->self, token, len, verified, asking);
}

const struct convro_auth_table auth_table = {
	.size = sizeof(struct convro_auth_table),
	.principal = get_principal,
	.provide = provide,
	.verify = verify,
};
