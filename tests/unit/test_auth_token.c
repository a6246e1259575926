/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens: what is read, what the authenticator makes of it, and what a
 * worker remembers.
 */
#include "auth_kit.h"

#include "base/base64.h"

#define DEVICE_ID (int64_t)0xa1b2c3d4e5f60708
#define ROW       "55|241772|Ala|4|5" /* of auth.me */

static const struct claims sample = { .user_id = 55,
	.device_id = DEVICE_ID,
	.db_epoch = 5,
	.expires_at = KIT_NOW_US + INT64_C(3600000000),
	.epoch = 4 };

struct signing {
	const struct auth *auth;
	const struct claims *claims;
	char text[2048];
};

static void
sign(struct convro_ctx *ctx, void *arg)
{
	struct signing *signing = arg;
	const char *text = token_sign(ctx, signing->auth, signing->claims, KIT_NOW_US);

	assert_non_null(text);
	snprintf(signing->text, sizeof(signing->text), "%s", text);
}

/* Borrowed until the next call. */
static const char *
signed_with(struct kit *kit, const struct auth *auth, const struct claims *claims)
{
	static struct signing signing;

	signing.auth = auth;
	signing.claims = claims;
	kit_run(kit, sign, &signing);
	return signing.text;
}

static const char *
token_of(struct kit *kit)
{
	return signed_with(kit, kit_self(kit), &sample);
}

static bool
is_read(struct kit *kit, const char *token)
{
	struct claims claims;

	return token_read(kit_self(kit), token, strlen(token), &claims);
}

static void
reads_what_it_signed(void **state)
{
	const char *token = token_of(*state);
	struct claims claims;

	assert_true(token_read(kit_self(*state), token, strlen(token), &claims));
	assert_int_equal(claims.user_id, sample.user_id);
	assert_int_equal(claims.device_id, sample.device_id);
	assert_int_equal(claims.db_epoch, sample.db_epoch);
	assert_int_equal(claims.epoch, sample.epoch);
	assert_int_equal(claims.expires_at, sample.expires_at);
}

/* Decoded JSON of part 0 (header) or 1 (claims). */
static const char *
part_of(const char *token, int part)
{
	static char out[2048];
	const char *at = token;
	size_t len = 0;

	if (part == 1)
		at = strchr(token, '.') + 1;
	assert_int_equal(
	    base64_decode(at, strcspn(at, "."), (uint8_t *)out, sizeof(out) - 1, &len), 0);
	out[len] = '\0';
	return out;
}

static void
carries_the_claims_of_the_contract(void **state)
{
	struct kit *kit = *state;
	const char *token = token_of(kit), *header = part_of(token, 0), *claims;

	assert_string_equal(kit_member_of(kit, header, "alg"), "HS256");
	assert_int_equal(strlen(kit_member_of(kit, header, "kid")), 16);
	claims = part_of(token, 1);
	assert_string_equal(kit_member_of(kit, claims, "sub"), "55");
	assert_string_equal(kit_member_of(kit, claims, "userId"), "55");
	assert_string_equal(kit_member_of(kit, claims, "deviceId"), DEVICE);
	assert_string_equal(kit_member_of(kit, claims, "epoch"), "4");
	assert_string_equal(kit_member_of(kit, claims, "iat"), "1769862896");
	assert_string_equal(kit_member_of(kit, claims, "exp"), "1769866496");
	assert_string_equal(kit_member_of(kit, claims, "iss"), "convro");
	assert_string_equal(kit_member_of(kit, claims, "aud"), "convro");
	assert_int_equal(strlen(kit_member_of(kit, claims, "jti")), 32);
}

static void
refuses_any_changed_character(void **state)
{
	char token[2048];
	size_t len;

	snprintf(token, sizeof(token), "%s", token_of(*state));
	len = strlen(token);
	for (size_t i = 0; i + 1 < len; i += 3) { /* the last character has spare bits */
		char was = token[i];

		token[i] = was == 'A' ? 'B' : 'A';
		if (is_read(*state, token))
			fail_msg("accepted with character %zu changed", i);
		token[i] = was;
	}
	assert_true(is_read(*state, token));
}

static void
refuses_what_is_no_token(void **state)
{
	static const char *const texts[] = { "", ".", "..", "...", "a.b.c", "e30.e30.", "e30.e30",
		"eyJhbGciOiJub25lIn0.e30.", "Bearer x" };
	char *large = malloc(5000);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(is_read(*state, texts[i]));
	snprintf(large, 5000, "%s%02500d", token_of(*state), 0);
	assert_false(is_read(*state, large));
	free(large);
}

static void
refuses_none_as_algorithm(void **state)
{
	char token[2048], head[64], forged[4096];
	const char *claims;

	snprintf(token, sizeof(token), "%s", token_of(*state));
	memset(head, 0, sizeof(head));
	base64url_encode("{\"typ\":\"JWT\",\"alg\":\"none\"}", 26, head);
	claims = strchr(token, '.');
	snprintf(
	    forged, sizeof(forged), "%s%.*s.", head, (int)(strrchr(token, '.') - claims), claims);
	assert_false(is_read(*state, forged));
	snprintf(forged, sizeof(forged), "%s%s", head, claims);
	assert_false(is_read(*state, forged));
}

static void
refuses_another_algorithm_issuer_audience_or_secret(void **state)
{
	struct auth other = *(const struct auth *)kit_self(*state);

	other.algorithm = "HS512";
	assert_false(is_read(*state, signed_with(*state, &other, &sample)));
	other = *(const struct auth *)kit_self(*state);
	other.issuer = "somebody";
	assert_false(is_read(*state, signed_with(*state, &other, &sample)));
	other = *(const struct auth *)kit_self(*state);
	other.audience = "somebody";
	assert_false(is_read(*state, signed_with(*state, &other, &sample)));
	other = *(const struct auth *)kit_self(*state);
	other.secret = (const uint8_t *)"0123456789abcdef0123456789abcdeg";
	assert_false(is_read(*state, signed_with(*state, &other, &sample)));
	assert_true(is_read(*state, token_of(*state)));
}

/* ---- the authenticator ---- */

static void
names_the_caller(void **state)
{
	struct kit *kit = *state;
	struct convro_principal who;

	kit_rows(kit, AUTH_ME, DEVICE_TEXT, ROW);
	assert_null(kit_verify(kit, token_of(kit), &who));
	assert_int_equal(who.user_id, 55);
	assert_int_equal(who.device_id, DEVICE_ID);
	assert_int_equal(who.epoch, 4);
	assert_int_equal(who.expires_at, sample.expires_at);
	assert_string_equal(who.number, "241772");
	assert_string_equal(who.username, "Ala");
}

static void
asks_the_store_once_in_two_seconds(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, AUTH_ME, NULL, ROW);
	for (int i = 0; i < 3; i++)
		assert_null(kit_verify(kit, token_of(kit), NULL));
	assert_int_equal(kit_ran(kit, AUTH_ME), 1);
	kit_advance(kit, 1999);
	assert_null(kit_verify(kit, token_of(kit), NULL));
	assert_int_equal(kit_ran(kit, AUTH_ME), 1);
	kit_advance(kit, 1);
	assert_null(kit_verify(kit, token_of(kit), NULL));
	assert_int_equal(kit_ran(kit, AUTH_ME), 2);
}

static void
notes_when_a_device_was_seen_every_five_minutes(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, AUTH_ME, NULL, ROW);
	for (int i = 0; i < 100; i++) { /* 300 s in all */
		assert_null(kit_verify(kit, token_of(kit), NULL));
		kit_advance(kit, 3000);
	}
	assert_int_equal(kit_ran(kit, AUTH_SEEN), 1);
	assert_string_equal(kit_args(kit, AUTH_SEEN, 0), DEVICE_TEXT "|1769862897000000");
	assert_null(kit_verify(kit, token_of(kit), NULL));
	assert_int_equal(kit_ran(kit, AUTH_SEEN), 1); /* a second later */
	kit_advance(kit, 1000);
	assert_int_equal(kit_ran(kit, AUTH_SEEN), 2);
}

/* Each device of a range comes once; their rows are alike. */
static void
see(struct kit *kit, int64_t from, int64_t to)
{
	struct claims claims = sample;

	for (claims.device_id = from; claims.device_id < to; claims.device_id++)
		assert_null(kit_verify(kit, signed_with(kit, kit_self(kit), &claims), NULL));
}

static void
drain(struct convro_ctx *ctx, void *arg)
{
	convro_module_v1()->drain(ctx, arg);
}

static void
notes_many_devices_in_one_write(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, AUTH_ME, NULL, ROW);
	see(kit, 1, 501);
	assert_int_equal(kit_ran(kit, AUTH_SEEN), 0);
	see(kit, 501, 521); /* the list is full at 512 */
	assert_int_equal(kit_ran(kit, AUTH_SEEN), 512);
	kit_advance(kit, 1000);
	assert_int_equal(kit_ran(kit, AUTH_SEEN), 520);
}

static void
writes_who_was_seen_before_it_stops(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, AUTH_ME, NULL, ROW);
	assert_null(kit_verify(kit, token_of(kit), NULL));
	assert_int_equal(kit_ran(kit, AUTH_SEEN), 0);
	kit_run(kit, drain, kit_self(kit));
	assert_int_equal(kit_ran(kit, AUTH_SEEN), 1);
}

static void
refuses_a_token_of_another_epoch_user_or_database(void **state)
{
	static const char *const rows[] = { "55|241772|Ala|5|5", "55|241772|Ala|3|5",
		"55|241772|Ala|4|6", "56|241772|Ala|4|5", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct kit *kit = auth_new();

		assert_int_equal(kit_start(kit), CONVRO_OK);
		kit_rows(kit, AUTH_ME, NULL, rows[i]);
		assert_string_equal(kit_verify(kit, token_of(kit), NULL), "TOKEN_INVALID");
		kit_free(kit);
	}
}

static void
says_expired_only_of_a_token_that_was_good(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, AUTH_ME, NULL, ROW);
	kit_advance(kit, 3599999);
	assert_null(kit_verify(kit, token_of(kit), NULL));
	kit_advance(kit, 1);
	assert_string_equal(kit_verify(kit, token_of(kit), NULL), "TOKEN_EXPIRED");
	kit_advance(kit, 5000);
	kit_rows(kit, AUTH_ME, NULL, "55|241772|Ala|5|5"); /* revoked meanwhile */
	assert_string_equal(kit_verify(kit, token_of(kit), NULL), "TOKEN_INVALID");
	assert_string_equal(kit_verify(kit, "a.b.c", NULL), "TOKEN_INVALID");
}

static void
tells_a_store_that_fails_from_a_bad_token(void **state)
{
	struct kit *kit = *state;

	kit_fails(kit, AUTH_ME, CONVRO_NOT_SENT);
	kit_fails(kit, AUTH_ME, CONVRO_OVERLOAD);
	kit_rows(kit, AUTH_ME, NULL, ROW);
	assert_string_equal(kit_verify(kit, token_of(kit), NULL), "DB_UNAVAILABLE");
	assert_string_equal(kit_verify(kit, token_of(kit), NULL), "OVERLOADED");
	assert_null(kit_verify(kit, token_of(kit), NULL));
}

static void
forgets_a_device_at_once_when_it_is_revoked(void **state)
{
	const struct convro_revoked_fact fact = {
		.size = sizeof(fact), .epoch = 5, .user_id = 55, .device_id = DEVICE_ID
	};
	struct kit *kit = *state;

	kit_rows(kit, AUTH_ME, NULL, ROW);
	kit_rows(kit, AUTH_ME, NULL, "55|241772|Ala|5|5");
	assert_null(kit_verify(kit, token_of(kit), NULL));
	kit_tell(kit, "auth.revoked", &fact);
	assert_string_equal(kit_verify(kit, token_of(kit), NULL), "TOKEN_INVALID");
}

static void
revoke(struct kit *kit, void *arg)
{
	const struct convro_revoked_fact fact = {
		.size = sizeof(fact), .epoch = 5, .user_id = 55, .device_id = DEVICE_ID
	};

	(void)arg;
	kit_tell(kit, "auth.revoked", &fact);
}

static void
does_not_keep_a_row_read_before_a_revocation(void **state)
{
	struct kit *kit = *state;

	kit_rows(kit, AUTH_ME, NULL, ROW);
	kit_rows(kit, AUTH_ME, NULL, "55|241772|Ala|5|5");
	kit_meanwhile(kit, AUTH_ME, revoke, NULL); /* the row is on its way already */
	(void)kit_verify(kit, token_of(kit), NULL);
	assert_string_equal(kit_verify(kit, token_of(kit), NULL), "TOKEN_INVALID");
	assert_int_equal(kit_ran(kit, AUTH_ME), 2);
}

static void
answers_once_whatever_allocation_fails(void **state)
{
	struct kit *kit = *state;
	char token[2048];
	const char *error = "";

	kit_rows(kit, AUTH_ME, NULL, ROW);
	snprintf(token, sizeof(token), "%s", token_of(kit));
	for (long left = 0; error != NULL; left++) {
		assert_true(left < 10);
		kit_memory(kit, left);
		error = kit_verify(kit, token, NULL);
		kit_memory(kit, -1);
		if (error != NULL)
			assert_string_equal(error, "OVERLOADED");
	}
}

static void
refuses_to_start_without_a_good_secret(void **state)
{
	struct kit *kit = kit_new(convro_module_v1());

	(void)state;
	assert_int_not_equal(kit_start(kit), CONVRO_OK);
	assert_true(kit_logged(kit, "secret_file"));
	kit_free(kit);
	kit = kit_new(convro_module_v1());
	kit_secret(kit, "secret", AUTH_SECRET, 31);
	assert_int_not_equal(kit_start(kit), CONVRO_OK);
	assert_true(kit_logged(kit, "31 bytes"));
	assert_false(kit_logged(kit, "0123456789"));
	kit_free(kit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		AUTH_TEST(reads_what_it_signed),
		AUTH_TEST(carries_the_claims_of_the_contract),
		AUTH_TEST(refuses_any_changed_character),
		AUTH_TEST(refuses_what_is_no_token),
		AUTH_TEST(refuses_none_as_algorithm),
		AUTH_TEST(refuses_another_algorithm_issuer_audience_or_secret),
		AUTH_TEST(names_the_caller),
		AUTH_TEST(asks_the_store_once_in_two_seconds),
		AUTH_TEST(notes_when_a_device_was_seen_every_five_minutes),
		AUTH_TEST(notes_many_devices_in_one_write),
		AUTH_TEST(writes_who_was_seen_before_it_stops),
		cmocka_unit_test(refuses_a_token_of_another_epoch_user_or_database),
		AUTH_TEST(says_expired_only_of_a_token_that_was_good),
		AUTH_TEST(tells_a_store_that_fails_from_a_bad_token),
		AUTH_TEST(forgets_a_device_at_once_when_it_is_revoked),
		AUTH_TEST(does_not_keep_a_row_read_before_a_revocation),
		AUTH_TEST(answers_once_whatever_allocation_fails),
		cmocka_unit_test(refuses_to_start_without_a_good_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
