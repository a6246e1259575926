/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the module auth share.  Read auth.c first.
 */
#ifndef AUTH_H
#define AUTH_H

#include "auth_sql.h"

#include <convro/module.h>
#include <pthread.h>
#include <stdbool.h>

extern const struct convro_api *convro;

enum {
	PASSWORD_BYTES_MAX = 1024,
	HASH_TEXT_SIZE = 128, /* crypto_pwhash_STRBYTES */
	JTI_BYTES = 16,
	SECRET_BYTES = 32,
	SECRET_HASH_BYTES = 32,
	REFRESH_TEXT_SIZE = 3 + 2 * JTI_BYTES + 1 + 43 + 1, /* rt_<jti>_<secret> and NUL */
	NUMBER_DIGITS_MAX = 12,
};

/* Wire spellings of devices.platform; the position is the value stored. */
#define PLATFORMS "unknown ios android desktop web"

struct numbers; /* number.c */
struct caches;  /* cache.h */
struct seen;    /* seen.h */

/* The module's state; constant after init but for what numbers and caches guard themselves. */
struct auth {
	const uint8_t *secret; /* of access tokens, borrowed from the configuration */
	size_t secret_len;
	char kid[17]; /* names the secret without telling it: hex of a hash */
	const char *algorithm, *issuer, *audience;
	int64_t access_us, refresh_us, grace_us; /* lifetimes, microseconds */
	int64_t device_limit, logins_per_device;
	unsigned long long password_passes;
	size_t password_memory;
	struct numbers *numbers;
	struct caches *caches; /* one per worker */
	struct seen *seen;
};

/* ---- token.c: access tokens (RFC 7519) ---- */

struct claims {
	int64_t user_id, device_id, db_epoch;
	int64_t expires_at; /* microseconds */
	uint32_t epoch;
};

/* The signed token, NUL-terminated, in the context's memory; NULL when memory is out. */
const char *token_sign(
    struct convro_ctx *ctx, const struct auth *auth, const struct claims *claims, int64_t now);
/* False when it is no JWT of ours: form, algorithm, signature, issuer, audience.  Does not look at
 * exp. */
bool token_read(const struct auth *auth, const char *text, size_t len, struct claims *out);

/* ---- refresh_token.c ---- */

struct refresh_token {
	uint8_t jti[JTI_BYTES];
	uint8_t hash[SECRET_HASH_BYTES]; /* SHA-256 of the secret's bytes: all that is stored */
};

/* A new token: its text for the client, its parts for the store. */
void refresh_token_make(struct refresh_token *out, char text[REFRESH_TEXT_SIZE]);
/* False when the form is wrong. */
bool refresh_token_read(const char *text, size_t len, struct refresh_token *out);

/* ---- password.c: Argon2id, in the offload pool ---- */

struct password_job {
	const struct auth *auth;
	const char *password; /* context memory; zeroed afterwards */
	size_t len;
	const char
	    *stored; /* check: the stored hash; NULL = unknown user, costs the same and fails */
	char hash[HASH_TEXT_SIZE]; /* make: the result */
	bool ok;
	bool failed; /* check: neither right nor wrong, memory was out */
};

void password_make(void *job);
void password_check(void *job);

/* ---- number.c ---- */

/* A place in the sequence of registrations, and what is derived from it. */
struct number {
	int64_t ordinal;
	int64_t user_id;
	char digits[NUMBER_DIGITS_MAX + 1]; /* after +99 */
};

/* status OK: a number to try; FAILED: the space is full; else the store's. */
typedef void number_drawn(
    struct convro_ctx *ctx, void *arg, enum convro_status status, const struct number *number);

struct numbers *numbers_new(struct convro_ctx *ctx, const uint8_t key[32]);
void numbers_free(struct numbers *numbers);
/* Draws the next number; `done` runs exactly once, perhaps before it returns. */
void numbers_draw(struct convro_ctx *ctx, struct numbers *numbers, number_drawn *done, void *arg);
/* Gives back a number whose registration stored nothing. */
void numbers_give_back(struct numbers *numbers, const struct number *number);

/* ---- verify.c: the authenticator ---- */

convro_verify auth_verify;
convro_fact_function auth_forget; /* "auth.revoked": drops what is cached of the device */

/* ---- answers shared by register and login ---- */

struct account {
	int64_t user_id, device_id;
	const char *number;               /* digits */
	const char *username, *full_name; /* or NULL */
	int32_t platform;
	uint32_t epoch;
	int64_t db_epoch;
	const char *refresh_text;
};

/* {userId, convroNumber, ..., accessToken, refreshToken} with `status`. */
int account_reply(
    struct convro_ctx *ctx, const struct auth *auth, const struct account *account, int status);

/* "+99" and the digits, in the context's memory. */
void
put_number(struct convro_json *json, struct convro_ctx *ctx, const char *key, const char *digits);
/* Wire spelling of a stored platform. */
const char *platform_name(int64_t platform);
/* A user name as names are compared: ASCII lower case, without one leading @; "" when absent, NULL
 * when memory is out. */
const char *name_key(struct convro_ctx *ctx, const struct convro_value *value);
/* The device id of a request, or a new random one. */
int64_t device_id_of(const struct convro_value *value);
/* Text of an optional field as an argument; NULL when absent. */
struct convro_db_val text_or_null(const struct convro_value *value);
/* Tells "auth.revoked". */
void emit_revoked(struct convro_ctx *ctx, int64_t user_id, int64_t device_id, uint32_t epoch);
/* The answer after device_put stored nothing: asks why; 403. */
void device_refused(struct convro_ctx *ctx, int64_t device_id, int64_t user_id);

/* ---- handlers, one file each ---- */

convro_handler auth_register, auth_login, auth_refresh, auth_logout, auth_me;
convro_handler auth_device_register, auth_devices, auth_device_remove;

/* Positions in the field tables of auth.c. */
enum {
	REGISTER_PASSWORD,
	REGISTER_USERNAME,
	REGISTER_FULL_NAME,
	REGISTER_DEVICE_ID,
	REGISTER_PLATFORM,
	REGISTER_LABEL
};
enum { LOGIN_PASSWORD, LOGIN_USERNAME, LOGIN_NUMBER, LOGIN_DEVICE_ID, LOGIN_PLATFORM, LOGIN_LABEL };
enum { REFRESH_TOKEN };
enum { LOGOUT_TOKEN, LOGOUT_DEVICE, LOGOUT_USER };
enum { DEVICE_ID, DEVICE_PLATFORM, DEVICE_LABEL };
enum { REMOVE_DEVICE_ID };

#endif
