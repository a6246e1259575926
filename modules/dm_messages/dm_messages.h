/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the module dm_messages share.  Read dm_messages.c first.
 */
#ifndef DM_MESSAGES_H
#define DM_MESSAGES_H

#include "dm_messages_sql.h"

#include <convro/module.h>
#include <stdbool.h>

extern const struct convro_api *convro;

enum {
	TAG_BYTES = 16,
	CIPHERTEXT_MAX = 65536,
	MESSAGE_ID_CHARACTERS = 64,
	PAGE_LIMIT = 50,
	PAGE_LIMIT_MAX = 200,
	STATUS_PENDING = 0,
};

struct messages {
	const struct convro_realtime *realtime; /* NULL without it: messages are found by polling */
};

/* Positions in the field tables of dm_messages.c. */
enum {
	SEND_SESSION,
	SEND_RECIPIENT,
	SEND_CIPHERTEXT,
	SEND_TAG,
	SEND_ID,
	SEND_TIME,
	SEND_TIME_MS,
	SEND_VERSION
};
enum { HISTORY_SESSION, HISTORY_BEFORE, HISTORY_AFTER, HISTORY_LIMIT, HISTORY_DIRECTION };
enum { CONVERSATIONS_LIMIT, CONVERSATIONS_CURSOR };

convro_handler dm_messages_send, dm_messages_history, dm_messages_conversations;

/* ---- row.c: the message row of the contract ---- */

/* A message as it is shown; pointers are borrowed from where it was read. */
struct row {
	int64_t id, server_us, client_us;
	bool has_client_time;
	int32_t session_id, version;
	int64_t sender_user, recipient_user, sender_device, recipient_device;
	int32_t status; /* STATUS_PENDING, CONVRO_DELIVERED, CONVRO_READ */
	const uint8_t *cmid, *ciphertext, *tag;
	size_t cmid_len, ciphertext_len, tag_len;
};

/* Both sides of a session, to tell sender and recipient from a row's direction (0: by the
 * initiator). */
struct sides {
	int32_t session_id;
	int64_t initiator_user, responder_user, initiator_device, responder_device;
};

/* Writes the members into the object that is open. */
void row_put(struct convro_json *json, const struct row *row);
/* The row as JSON of its own, in the context's memory; NULL when memory is out. */
const char *row_json(struct convro_ctx *ctx, const struct row *row, size_t *len);
/* From columns id ts cts ver dir cmid tag ct status of a result, starting at `col`. */
void row_read(const struct convro_db_result *rows, uint32_t row, uint32_t col,
    const struct sides *sides, struct row *out);

/* ---- message_id.c: the stored form of a clientMessageId (design: storage, section 1) ---- */

enum { CMID_MAX = 1 + 4 * MESSAGE_ID_CHARACTERS };

/* The key that makes a send repeatable; without an id of the client's (NULL) one of our own.
 * Returns its length. */
size_t message_id_pack(const char *text, size_t len, uint8_t out[CMID_MAX]);
/* Writes clientMessageId: byte for byte, or null for one of our own. */
void message_id_put(struct convro_json *json, const uint8_t *cmid, size_t len);

/* ---- mark.c, catch_up.c ---- */

extern const struct convro_dm_messages dm_messages_service;
convro_pushed_ack dm_messages_acknowledged;
extern const struct convro_realtime_source dm_messages_source;
/* The service's functions take no self: set once in init. */
void mark_init(const struct messages *messages);

#endif
