/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/auth/register - a user, a device and a login, all or nothing.
 * Steps: hash the password (pool), draw a number, one batch; a number that was
 * taken meanwhile is drawn again.
 */
#include "auth.h"

#include <string.h>

/* A number conflicts only with a registration that runs while gaps are used up. */
enum { DRAWS_MAX = 64 };

struct registration {
	struct password_job password; /* first: the pool's argument is the whole */
	struct auth *auth;
	struct number number;
	bool has_number;
	int draws;
	int64_t device_id, now;
	const char *username_key; /* lower case */
	struct refresh_token refresh;
	char refresh_text[REFRESH_TEXT_SIZE];
};

static void draw(struct convro_ctx *ctx, struct registration *registration);

static void
give_back(struct registration *registration)
{
	if (registration->has_number)
		numbers_give_back(registration->auth->numbers, &registration->number);
	registration->has_number = false;
}

static const char *
text_of(const struct convro_value *value)
{
	return value->type != 0 ? value->u.text : NULL;
}

static void
registered(struct convro_ctx *ctx, const struct registration *registration, uint32_t epoch,
    int64_t db_epoch)
{
	const struct convro_value *platform = convro->http->field(ctx, REGISTER_PLATFORM);
	struct account account = {
		.user_id = registration->number.user_id,
		.device_id = registration->device_id,
		.number = registration->number.digits,
		.username = text_of(convro->http->field(ctx, REGISTER_USERNAME)),
		.full_name = text_of(convro->http->field(ctx, REGISTER_FULL_NAME)),
		.platform = platform->type != 0 ? (int32_t)platform->u.i : 0,
		.epoch = epoch,
		.db_epoch = db_epoch,
		.refresh_text = registration->refresh_text,
	};

	(void)account_reply(ctx, registration->auth, &account, 201);
}

static void
why_read(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	struct registration *registration = arg;

	(void)nresults;
	if (status != CONVRO_OK) {
		give_back(registration);
		(void)convro->http->fail_db(ctx, status);
	} else if (convro_at(results, 0, 0)->u.i > 0) {
		give_back(registration);
		(void)convro->http->fail(ctx, 409, "USERNAME_TAKEN");
	} else if (convro_at(results, 0, 1)->u.i > 0) {
		give_back(registration);
		(void)convro->http->fail(ctx, 409, "DEVICE_ID_TAKEN");
	} else if (++registration->draws < DRAWS_MAX) {
		draw(ctx, registration); /* the number was taken: it is not given back */
	} else {
		(void)convro->http->fail(ctx, 500, "FAILED_TO_ALLOCATE_CONVRO_NUMBER");
	}
}

/* The commit was not seen: the row tells. */
static void
outcome_read(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	struct registration *registration = arg;

	(void)nresults;
	if (status != CONVRO_OK) { /* undecided: the number stays unused, never twice */
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	if (results[0].nrows == 1 &&
	    convro_at(&results[0], 0, 0)->u.i == registration->number.user_id) {
		registered(ctx, registration, (uint32_t)convro_at(&results[0], 0, 3)->u.i,
		    convro_at(&results[0], 0, 4)->u.i);
		return;
	}
	give_back(registration);
	(void)convro->http->fail_db(ctx, CONVRO_UNKNOWN_OUTCOME);
}

static void
stored(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	struct registration *registration = arg;
	const struct convro_value *username = convro->http->field(ctx, REGISTER_USERNAME);
	const struct convro_db_result *token;

	if (status == CONVRO_UNKNOWN_OUTCOME) {
		convro->db->query(ctx, AUTH_ME, CONVRO_ARGS(convro_i64(registration->device_id)),
		    outcome_read, registration);
		return;
	}
	if (status != CONVRO_OK) {
		give_back(registration);
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	token = &results[nresults - 1];
	if (token->nrows == 1) {
		registered(ctx, registration, (uint32_t)convro_at(token, 0, 0)->u.i,
		    convro_at(token, 0, 1)->u.i);
		return;
	}
	convro->db->query(ctx, AUTH_REGISTER_WHY,
	    CONVRO_ARGS(username->type != 0
			    ? convro_text_n(registration->username_key, username->len)
			    : convro_null(),
		convro_i64(registration->device_id)),
	    why_read, registration);
}

static void
store(struct convro_ctx *ctx, struct registration *registration)
{
	const struct convro_value *username = convro->http->field(ctx, REGISTER_USERNAME);
	const struct convro_value *platform = convro->http->field(ctx, REGISTER_PLATFORM);
	const struct number *number = &registration->number;
	struct convro_db_val device = convro_i64(registration->device_id),
			     user = convro_i64(number->user_id);
	struct convro_db_val now;
	struct convro_db_batch *batch = convro->db->batch(ctx);

	registration->now = convro->db->now(ctx);
	now = convro_i64(registration->now);
	convro->db->add(batch, AUTH_DEVICE_LOCK, CONVRO_ARGS(device, user));
	convro->db->add(batch, AUTH_USER_ADD,
	    CONVRO_ARGS(user, now, convro_text_n(number->digits, strlen(number->digits)),
		text_or_null(username),
		username->type != 0 ? convro_text_n(registration->username_key, username->len)
				    : convro_null(),
		text_or_null(convro->http->field(ctx, REGISTER_FULL_NAME)),
		convro_text_n(registration->password.hash, strlen(registration->password.hash)),
		device));
	convro->db->add(batch, AUTH_DEVICE_FIRST,
	    CONVRO_ARGS(device, user, now,
		convro_i32(platform->type != 0 ? (int32_t)platform->u.i : 0),
		text_or_null(convro->http->field(ctx, REGISTER_LABEL))));
	convro->db->add(batch, AUTH_TOKEN_ADD,
	    CONVRO_ARGS(convro_blob(registration->refresh.jti, JTI_BYTES), user, device,
		convro_blob(registration->refresh.hash, SECRET_HASH_BYTES), now,
		convro_i64(registration->now + registration->auth->refresh_us)));
	convro->db->exec(batch, stored, registration);
}

static void
drawn(struct convro_ctx *ctx, void *arg, enum convro_status status, const struct number *number)
{
	struct registration *registration = arg;

	if (status == CONVRO_FAILED) {
		convro->log->write(ctx, CONVRO_LOG_ERROR,
		    "every number has been given out: set auth.number_growth = on or raise auth.number_digits");
		(void)convro->http->fail(ctx, 500, "FAILED_TO_ALLOCATE_CONVRO_NUMBER");
		return;
	}
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	registration->number = *number;
	registration->has_number = true;
	store(ctx, registration);
}

static void
draw(struct convro_ctx *ctx, struct registration *registration)
{
	registration->has_number = false;
	numbers_draw(ctx, registration->auth->numbers, drawn, registration);
}

static void
hashed(struct convro_ctx *ctx, void *arg)
{
	struct registration *registration = arg;

	if (!registration->password.ok) { /* its memory could not be had */
		(void)convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
		return;
	}
	draw(ctx, registration);
}

int
auth_register(struct convro_ctx *ctx, void *self)
{
	const struct convro_value *password = convro->http->field(ctx, REGISTER_PASSWORD);
	struct registration *registration = convro->mem->zero(ctx, sizeof(*registration));

	if (registration == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	registration->auth = self;
	registration->device_id = device_id_of(convro->http->field(ctx, REGISTER_DEVICE_ID));
	registration->username_key = name_key(ctx, convro->http->field(ctx, REGISTER_USERNAME));
	registration->password = (struct password_job){ .auth = self,
		.password = convro->mem->copy(ctx, password->u.text, password->len),
		.len = password->len };
	if (registration->username_key == NULL || registration->password.password == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	refresh_token_make(&registration->refresh, registration->refresh_text);
	if (convro->work->offload(ctx, password_make, hashed, registration) != CONVRO_OK)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	return CONVRO_OK;
}
