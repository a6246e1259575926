/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the module dm_sessions share.  Read dm_sessions.c first.
 */
#ifndef DM_SESSIONS_H
#define DM_SESSIONS_H

#include "dm_sessions_sql.h"

#include <convro/module.h>

extern const struct convro_api *convro;

enum { KEY_BYTES = 32, INCOMING_LIMIT = 100, INCOMING_LIMIT_MAX = 200 };

struct sessions {
	const struct convro_realtime *realtime; /* NULL without it: offers are found by polling */
	int64_t pending_max;
};

/* Positions in the field tables of dm_sessions.c. */
enum {
	OPEN_PEER,
	OPEN_OFFER,
	OPEN_VERSION,
	OPEN_INITIATOR,
	OPEN_RESPONDER,
	OPEN_SESSION_ID,
	OPEN_EPHEMERAL,
	OPEN_SIGNED_PREKEY,
	OPEN_ONE_TIME
};
enum { INCOMING_FIELD_LIMIT, INCOMING_FIELD_AFTER };
enum { ACCEPT_SESSION };

convro_handler dm_sessions_open, dm_sessions_incoming, dm_sessions_accept;

/* Tells a connecting device the offers that are still pending. */
extern const struct convro_realtime_source dm_sessions_source;

/* An offer on its way to the responder; `offer` is JSON. */
struct offer {
	int64_t session, initiator_user, initiator_device, created;
	int32_t session_id;
	const char *json;
	size_t len;
};

/* The payload of dm.session.offer, in the context's memory; NULL when memory is out. */
const char *dm_sessions_offer_json(struct convro_ctx *ctx, const struct offer *offer, size_t *len);

/* Columns of dm_sessions.incoming. */
struct offer dm_sessions_offer_at(const struct convro_db_result *rows, uint32_t row);

#endif
