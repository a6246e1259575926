/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the module prekeys share.  Read prekeys.c first.
 */
#ifndef PREKEYS_H
#define PREKEYS_H

#include "prekeys_sql.h"

#include <convro/module.h>
#include <stdbool.h>

extern const struct convro_api *convro;

enum {
	PUBLIC_KEY_BYTES = 32,
	SIGNATURE_BYTES = 64,
	ONE_TIME_A_CALL = 256,
	ALG_25519 = 1,  /* alg of the store: Ed25519 identity, X25519 prekeys */
	LOW_BELOW = 20, /* "prekeys.low" is told below it */
};

struct prekeys {
	const struct convro_realtime *realtime; /* NULL without it: nobody is told of a low stock */
	bool check_signature;
	int64_t stored_max;
};

/* Positions in the field tables of prekeys.c. */
enum {
	UPLOAD_IDENTITY,
	UPLOAD_FINGERPRINT,
	UPLOAD_SIGNED_ID,
	UPLOAD_SIGNED_KEY,
	UPLOAD_SIGNATURE,
	UPLOAD_EXPIRES,
	UPLOAD_ONE_TIME,
	UPLOAD_DEVICE_ID,
	UPLOAD_NUMBER
};
enum { ONE_TIME_ID, ONE_TIME_KEY, ONE_TIME_FIELDS };
enum { BUNDLE_USER, BUNDLE_DEVICE };

convro_handler prekeys_upload, prekeys_bundle;

/* check.c: what costs time, for the offload pool. */
struct one_time_key {
	int64_t id;
	const uint8_t *pub;
};

struct key_check {
	bool check_signature;
	const uint8_t *identity, *signed_key, *signature;
	const uint8_t *signed_id; /* 8 bytes as on the wire */
	const struct one_time_key *keys;
	uint32_t count;
	const char *error; /* result: wire code, NULL = all is well */
};

void prekeys_check(void *key_check);
/* The id of a signed prekey that came without one: the first 8 bytes of SHA-256 of the key. */
int64_t prekeys_derived_id(const uint8_t pub[PUBLIC_KEY_BYTES]);

/* low.c */
convro_fact_function prekeys_purge; /* "auth.device.removed" */
void prekeys_purge_due(struct convro_ctx *ctx, void *self);
void prekeys_tell_low(
    struct convro_ctx *ctx, const struct prekeys *prekeys, int64_t device_id, int64_t available);
extern const struct convro_realtime_source prekeys_source;

#endif
