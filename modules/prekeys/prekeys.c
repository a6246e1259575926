/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prekeys - public keys of devices; each one-time key is handed out once.  Read
 * this file first: it lists everything the module adds to the server.
 */
#include "prekeys.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

const struct convro_api *convro;

static const struct convro_option options[] = {
	{ .name = "prekey_signature",
	    .type = CONVRO_OPTION_CHOICE,
	    .initial = "any",
	    .values = "any off",
	    .summary =
		"Whether the signature of a signed prekey is verified at upload. any: it must be good for one of "
		"the three messages that clients sign; off: it is only stored, and clients verify it themselves.",
	    .example = "off" },
	{ .name = "one_time_stored_max",
	    .type = CONVRO_OPTION_INT,
	    .initial = "1000",
	    .min = 1,
	    .max = 100000,
	    .summary = "The most unused one-time keys that are stored for one device.",
	    .example = "200" },
};

/* ---- fields ---- */

static const struct convro_field one_time_fields[] = {
	[ONE_TIME_ID] = { .name = "keyId",
	    .type = CONVRO_HEX16,
	    .flags = CONVRO_REQUIRED,
	    .aliases = "prekeyId",
	    .error = "INVALID_ONE_TIME_PREKEY" },
	[ONE_TIME_KEY] = { .name = "publicKeyX25519",
	    .type = CONVRO_BINARY,
	    .flags = CONVRO_REQUIRED,
	    .min = PUBLIC_KEY_BYTES,
	    .max = PUBLIC_KEY_BYTES,
	    .aliases = "publicKeyX25519B64u",
	    .error = "INVALID_ONE_TIME_PREKEY" },
};

static const struct convro_field upload_fields[] = {
	[UPLOAD_IDENTITY] = { .name = "identity.publicKeyEd25519",
	    .type = CONVRO_BINARY,
	    .flags = CONVRO_REQUIRED,
	    .min = PUBLIC_KEY_BYTES,
	    .max = PUBLIC_KEY_BYTES,
	    .aliases =
		"identity.publicKeyEd25519B64u identityPublicKeyEd25519 identityPublicKeyEd25519B64u",
	    .error = "INVALID_IDENTITY_KEY",
	    .summary = "32 bytes; never changes for a device" },
	[UPLOAD_FINGERPRINT] = { .name = "identity.fingerprint",
	    .type = CONVRO_TEXT,
	    .flags = CONVRO_EMPTY_ABSENT,
	    .max = 256,
	    .aliases = "fingerprint" },
	[UPLOAD_SIGNED_ID] = { .name = "signedPrekey.keyId",
	    .type = CONVRO_HEX16,
	    .aliases = "signedPrekey.prekeyId",
	    .error = "INVALID_SIGNED_PREKEY",
	    .summary = "when absent: the first 8 bytes of SHA-256 of the key" },
	[UPLOAD_SIGNED_KEY] = { .name = "signedPrekey.publicKeyX25519",
	    .type = CONVRO_BINARY,
	    .flags = CONVRO_REQUIRED,
	    .min = PUBLIC_KEY_BYTES,
	    .max = PUBLIC_KEY_BYTES,
	    .aliases = "signedPrekey.publicKeyX25519B64u",
	    .error = "INVALID_SIGNED_PREKEY" },
	[UPLOAD_SIGNATURE] = { .name = "signedPrekey.signatureEd25519",
	    .type = CONVRO_BINARY,
	    .flags = CONVRO_REQUIRED,
	    .min = SIGNATURE_BYTES,
	    .max = SIGNATURE_BYTES,
	    .aliases = "signedPrekey.signatureEd25519B64u",
	    .error = "INVALID_SIGNATURE" },
	[UPLOAD_EXPIRES] = { .name = "signedPrekey.expiresAt",
	    .type = CONVRO_TIME,
	    .error = "INVALID_SIGNED_PREKEY",
	    .summary = "kept, has no effect" },
	[UPLOAD_ONE_TIME] = { .name = "oneTimePrekeys",
	    .type = CONVRO_ARRAY,
	    .max = ONE_TIME_A_CALL,
	    .error = "INVALID_ONE_TIME_PREKEY",
	    .large = "TOO_MANY_PREKEYS",
	    .items = CONVRO_LIST(one_time_fields),
	    .summary = "at most 256 a call" },
	[UPLOAD_DEVICE_ID] = { .name = "deviceId",
	    .type = CONVRO_HEX16,
	    .flags = CONVRO_LAX,
	    .summary = "the caller's own, if given" },
	[UPLOAD_NUMBER] = { .name = "virtualNumber",
	    .type = CONVRO_NUMBER,
	    .flags = CONVRO_LAX,
	    .summary = "the caller's own, if given" },
};

static const struct convro_field bundle_fields[] = {
	[BUNDLE_USER] = { .name = "user_id",
	    .type = CONVRO_ID,
	    .in = CONVRO_QUERY,
	    .aliases = "userId",
	    .error = "INVALID_QUERY" },
	[BUNDLE_DEVICE] = { .name = "device_id",
	    .type = CONVRO_HEX16,
	    .in = CONVRO_QUERY,
	    .aliases = "deviceId",
	    .error = "INVALID_QUERY",
	    .summary = "absent: the first active device that has a signed prekey" },
};

/* ---- answers and errors, for the documentation ---- */

static const struct convro_answer uploaded[] = { { 200,
    "{\"ok\":true,\"accepted\":true,\"deviceId\":\"a1b2c3d4e5f60708\",\"userDeviceId\":1,"
    "\"storedOneTimePrekeys\":1,\"acceptedOneTimePrekeyIds\":[\"0102030405060708\"],\"oneTimeAvailable\":100,"
    "\"serverTime\":\"2026-01-31T12:34:56Z\"}",
    "acceptedOneTimePrekeyIds are those of the request that are stored unused now" } };
static const struct convro_answer bundle_answer[] = { { 200,
    "{\"responderDeviceId\":\"1122334455667788\",\"identityPublicKeyEd25519\":\"<base64>\","
    "\"signedPrekeyId\":\"0102030405060708\",\"signedPrekeyPublicKeyX25519\":\"<base64>\","
    "\"signedPrekeySignature\":\"<base64>\",\"oneTimePrekeyId\":null,\"oneTimePrekeyPublicKeyX25519\":null}",
    "the one-time key is consumed; null when none is left" } };
static const struct convro_error upload_errors[] = {
	{ 400, "TOO_MANY_PREKEYS", "more than 256 in a call or 1000 stored unused" },
	{ 403, "DEVICE_MISMATCH", "deviceId or virtualNumber is not the caller's" },
	{ 409, "IDENTITY_KEY_MISMATCH", "a device's identity key never changes" },
	{ 409, "KEY_ID_CONFLICT", "a known keyId with other bytes" },
};
static const struct convro_error bundle_errors[] = {
	{ 404, "USER_NOT_FOUND", NULL },
	{ 404, "DEVICE_NOT_FOUND", NULL },
	{ 404, "PREKEYS_NOT_FOUND", "no keys were uploaded" },
	{ 429, "RATE_LIMITED", NULL },
};

static const struct convro_route routes[] = {
	{ CONVRO_POST, "/v1/prekeys/upload", CONVRO_BEARER, prekeys_upload,
	    .fields = CONVRO_LIST(upload_fields), .answers = CONVRO_LIST(uploaded),
	    .errors = CONVRO_LIST(upload_errors), .group = "Prekeys",
	    .summary =
		"store identity, signed prekey and one-time keys of the caller's device, all or nothing" },
	{ CONVRO_GET, "/v1/prekeys/bundle", CONVRO_BEARER, prekeys_bundle,
	    .flags = CONVRO_ROUTE_NO_HEAD, .rate = "bundle", .fields = CONVRO_LIST(bundle_fields),
	    .answers = CONVRO_LIST(bundle_answer), .errors = CONVRO_LIST(bundle_errors),
	    .group = "Prekeys", .summary = "the keys to open a session with a device" },
};

static const struct convro_subscription subscriptions[] = { { "auth.device.removed", prekeys_purge,
    0 } };
static const struct convro_service services[] = { { "prekeys.v1", NULL } };
static const char *const needs[] = { "auth.v1" };
static const char *const wants[] = { "realtime.v1" };

static enum convro_status
init(struct convro_ctx *ctx, void **self)
{
	struct prekeys *prekeys = calloc(1, sizeof(*prekeys));

	if (prekeys == NULL || sodium_init() < 0) {
		free(prekeys);
		return CONVRO_NO_MEMORY;
	}
	prekeys->realtime = convro->bus->service(ctx, "realtime.v1");
	prekeys->check_signature =
	    strcmp(convro->conf->get_text(ctx, "prekey_signature"), "off") != 0;
	prekeys->stored_max = convro->conf->get_int(ctx, "one_time_stored_max");
	if (prekeys->realtime != NULL) {
		struct convro_realtime_source source = prekeys_source;

		source.self = prekeys;
		prekeys->realtime->add_source(ctx, &source);
	}
	*self = prekeys;
	return CONVRO_OK;
}

static enum convro_status
worker_init(struct convro_ctx *ctx, void *self)
{
	if (convro->work->worker(ctx) == 0)
		prekeys_purge_due(ctx, self);
	return CONVRO_OK;
}

static void
fini(struct convro_ctx *ctx, void *self)
{
	(void)ctx;
	free(self);
}

static const struct convro_module descriptor = {
	CONVRO_MODULE_HEAD,
	.name = "prekeys",
	.version = "1.0.0",
	.summary = "key bundles, each one-time key handed out once",
	.api = &convro,
	.needs = CONVRO_LIST(needs),
	.wants = CONVRO_LIST(wants),
	.provides = CONVRO_LIST(services),
	.options = CONVRO_LIST(options),
	.statements = CONVRO_LIST(prekeys_statements),
	.statement_base = &prekeys_statement_base,
	.migrations = CONVRO_LIST(prekeys_migrations),
	.routes = CONVRO_LIST(routes),
	.subscriptions = CONVRO_LIST(subscriptions),
	.init = init,
	.worker_init = worker_init,
	.fini = fini,
};

const struct convro_module *
convro_module_v1(void)
{
	return &descriptor;
}
