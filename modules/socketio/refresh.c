/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth.refresh: a fresh access token of the same device takes the place of the
 * one that the client connected with (wire contract, section 5).
 */
#include "mount.h"

#include <stdio.h>

struct refreshing {              /* in the context's memory */
	struct session *session; /* a reference */
	uint32_t round;
	struct slice id;
};

static void
answer_error(struct convro_ctx *ctx, struct session *session, struct slice id, const char *error)
{
	char json[96];
	int len = snprintf(json, sizeof(json), "{\"ok\":false,\"error\":\"%s\"}", error);

	client_answer(ctx, session, id, (struct slice){ json, (size_t)len });
}

static void
replace(struct convro_ctx *ctx, struct session *session, struct slice id,
    const struct convro_principal *principal)
{
	if (principal->user_id != session->user_id || principal->device_id != session->device_id) {
		answer_error(ctx, session, id, "DEVICE_MISMATCH");
		return;
	}
	session->epoch = principal->epoch;
	session->expires_at = principal->expires_at;
	session->expiring_told = false;
	expiry_watch(ctx, session);
	client_answer(ctx, session, id, slice_of("{\"ok\":true}"));
}

static void
verified(
    struct convro_ctx *ctx, void *arg, const char *error, const struct convro_principal *principal)
{
	const struct refreshing *refreshing = arg;
	struct session *session = refreshing->session;

	if (session->state == SESSION_OPEN && session->client == CLIENT_CONNECTED &&
	    session->connect_round == refreshing->round) {
		if (error != NULL)
			answer_error(ctx, session, refreshing->id, error);
		else
			replace(ctx, session, refreshing->id, principal);
	}
	session_unref(session);
}

void
client_refresh(struct convro_ctx *ctx, struct session *session, struct slice id,
    const struct convro_node *argument)
{
	const struct convro_node *node =
	    argument != NULL ? convro->json->member(argument, "token") : NULL;
	struct refreshing *refreshing = convro->mem->zero(ctx, sizeof(*refreshing));
	size_t len = 0;
	const char *token = node != NULL ? convro->json->get_text(node, &len) : NULL;

	if (token == NULL || len == 0) {
		answer_error(ctx, session, id,
		    node != NULL && token == NULL ? "TOKEN_INVALID" : "UNAUTHORIZED");
		return;
	}
	/* Copies: a check may outlast what the packet lies in. */
	token = convro->mem->copy(ctx, token, len);
	if (refreshing != NULL)
		refreshing->id = (struct slice){ convro->mem->copy(ctx, id.data, id.len), id.len };
	if (token == NULL || refreshing == NULL || refreshing->id.data == NULL) {
		answer_error(ctx, session, id, "OVERLOADED");
		return;
	}
	refreshing->session = session;
	refreshing->round = session->connect_round;
	session_ref(session);
	convro->auth->verify(ctx, token, len, verified, refreshing);
}
