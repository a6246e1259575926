/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests that are measured, as text.  Session k of the bench is between
 * the users 2k-1 and 2k, and its sessionId is k in hex.
 */
#ifndef LOAD_REQUEST_H
#define LOAD_REQUEST_H

#include "scenario.h"

#define INITIATOR_OF(session) (2 * (uint64_t)(session)-1)
#define RESPONDER_OF(session) (2 * (uint64_t)(session))

struct requests {
	struct load *load; /* borrowed */
	char *text;        /* the request that was written last */
	size_t len, room;
	char *ciphertext; /* base64 of options.bytes random bytes */
	char tag[25];
	uint32_t run; /* tells the client ids of this run from those of others */
};

void requests_init(struct requests *requests, struct load *load);
void requests_fini(struct requests *requests);

/* GET of what the format makes; `user` 0 = without a token. */
void request_get(struct requests *requests, uint64_t user, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* POST of a JSON body. */
void request_post(struct requests *requests, uint64_t user, const char *path, const char *body);

/* Message `number` of this run, from the initiator of a session to its responder. */
void request_message(struct requests *requests, uint64_t session, uint64_t number);

/* Which one of this run a message row is, by its clientMessageId; false when it is another's. */
bool request_number_of(const struct requests *requests, const char *row, size_t len, uint64_t *out);

#endif
