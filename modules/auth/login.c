/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/auth/login - a password for tokens.
 * Steps: hook (limits), find the user, check the password (pool), one batch.
 * Everything that is wrong with the credentials gives one answer after the same
 * time.
 */
#include "auth.h"

#include <string.h>

struct login {
	struct password_job password; /* first: the pool's argument is the whole */
	struct auth *auth;
	struct convro_on_login subject; /* of the hook and the facts */
	const char *name;               /* lower case, without @; NULL = not given */
	const char *number;             /* digits; NULL = not given, "" = malformed */

	/* The user, once found; copies. */
	int64_t user_id;
	const char *user_number, *username, *full_name;
	bool mismatch; /* both identifiers, two users */

	int64_t device_id, now;
	struct refresh_token refresh;
	char refresh_text[REFRESH_TEXT_SIZE];
};

static void
tell(struct convro_ctx *ctx, const struct login *login, const char *event)
{
	struct convro_login_fact fact = { .size = sizeof(fact),
		.identifier = login->subject.identifier,
		.address = login->subject.address };

	convro->bus->emit(ctx, event, &fact);
}

static void
stored(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const struct login *login = arg;
	const struct convro_db_result *device, *token;

	(void)nresults;
	if (status != CONVRO_OK) {
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	device = &results[1];
	token = &results[2];
	if (device->nrows == 0 || token->nrows == 0) {
		device_refused(ctx, login->device_id, login->user_id);
		return;
	}
	(void)account_reply(ctx, login->auth,
	    &(struct account){
		.user_id = login->user_id,
		.device_id = login->device_id,
		.number = login->user_number,
		.username = login->username,
		.full_name = login->full_name,
		.platform = (int32_t)convro_at(device, 0, 2)->u.i,
		.epoch = (uint32_t)convro_at(token, 0, 0)->u.i,
		.db_epoch = convro_at(token, 0, 1)->u.i,
		.refresh_text = login->refresh_text,
	    },
	    200);
}

static void
store(struct convro_ctx *ctx, struct login *login)
{
	const struct convro_value *platform = convro->http->field(ctx, LOGIN_PLATFORM);
	struct convro_db_val device = convro_i64(login->device_id),
			     user = convro_i64(login->user_id);
	struct convro_db_batch *batch = convro->db->batch(ctx);
	struct convro_db_val now;

	login->now = convro->db->now(ctx);
	now = convro_i64(login->now);
	refresh_token_make(&login->refresh, login->refresh_text);
	convro->db->add(batch, AUTH_DEVICE_LOCK, CONVRO_ARGS(device, user));
	convro->db->add(batch, AUTH_DEVICE_PUT,
	    CONVRO_ARGS(device, user, now,
		platform->type != 0 ? convro_i32((int32_t)platform->u.i) : convro_null(),
		text_or_null(convro->http->field(ctx, LOGIN_LABEL)),
		convro_i64(login->auth->device_limit)));
	convro->db->add(batch, AUTH_TOKEN_ADD,
	    CONVRO_ARGS(convro_blob(login->refresh.jti, JTI_BYTES), user, device,
		convro_blob(login->refresh.hash, SECRET_HASH_BYTES), now,
		convro_i64(login->now + login->auth->refresh_us)));
	convro->db->add(batch, AUTH_TOKEN_TRIM,
	    CONVRO_ARGS(device, user, now, convro_i64(login->auth->logins_per_device)));
	convro->db->exec(batch, stored, login);
}

/* Neither right nor wrong: memory or the pool is short. */
static void
undecided(struct convro_ctx *ctx, const struct login *login)
{
	tell(ctx, login, "auth.login.undecided");
	(void)convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
}

static void
checked(struct convro_ctx *ctx, void *arg)
{
	struct login *login = arg;

	if (login->password.failed) {
		undecided(ctx, login);
		return;
	}
	if (!login->password.ok) {
		tell(ctx, login, "auth.login.failed");
		(void)convro->http->fail(ctx, 401, "INVALID_CREDENTIALS");
		return;
	}
	tell(ctx, login, "auth.login.succeeded");
	store(ctx, login);
}

static void
check(struct convro_ctx *ctx, struct login *login)
{
	if (login->mismatch)
		login->password.stored = NULL;
	if (convro->work->offload(ctx, password_check, checked, login) != CONVRO_OK)
		undecided(ctx, login);
}

static const char *
copy_text(struct convro_ctx *ctx, const struct convro_db_val *val)
{
	return val->type == CONVRO_DB_NULL ? NULL : convro->mem->copy(ctx, val->u.text, val->len);
}

static void
found(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	struct login *login = arg;
	bool second = login->name == NULL; /* the name was looked up already, or not given */

	(void)nresults;
	if (status != CONVRO_OK) {
		tell(ctx, login, "auth.login.undecided");
		(void)convro->http->fail_db(ctx, status);
		return;
	}
	if (results->nrows == 0) {
		login->mismatch = true;
	} else if (login->user_id != 0) {
		login->mismatch =
		    login->mismatch || login->user_id != convro_at(results, 0, 0)->u.i;
	} else {
		login->user_id = convro_at(results, 0, 0)->u.i;
		login->user_number = copy_text(ctx, convro_at(results, 0, 1));
		login->username = copy_text(ctx, convro_at(results, 0, 2));
		login->full_name = copy_text(ctx, convro_at(results, 0, 3));
		login->password.stored = copy_text(ctx, convro_at(results, 0, 4));
		if (login->user_number == NULL || login->password.stored == NULL) {
			undecided(ctx, login);
			return;
		}
	}
	if (!second && login->number != NULL) {
		login->name = NULL;
		convro->db->query(ctx, AUTH_FIND_NUMBER,
		    CONVRO_ARGS(convro_text_n(login->number, strlen(login->number))), found, login);
		return;
	}
	check(ctx, login);
}

static void
allowed(struct convro_ctx *ctx, void *arg, const struct convro_verdict *verdict)
{
	struct login *login = arg;

	if (verdict->kind == CONVRO_DENY) {
		(void)convro->http->fail_later(
		    ctx, verdict->status, verdict->code, verdict->retry_after);
		return;
	}
	if (login->name != NULL)
		convro->db->query(ctx, AUTH_FIND_NAME,
		    CONVRO_ARGS(convro_text_n(login->name, strlen(login->name))), found, login);
	else
		convro->db->query(ctx, AUTH_FIND_NUMBER,
		    CONVRO_ARGS(convro_text_n(login->number, strlen(login->number))), found, login);
}

static int
begin(struct convro_ctx *ctx, struct login *login)
{
	const struct convro_value *password = convro->http->field(ctx, LOGIN_PASSWORD);

	login->device_id = device_id_of(convro->http->field(ctx, LOGIN_DEVICE_ID));
	login->password.auth = login->auth;
	login->password.password = convro->mem->copy(ctx, password->u.text, password->len);
	login->password.len = password->len;
	if (login->password.password == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	login->subject = (struct convro_on_login){ .size = sizeof(login->subject),
		.identifier = login->name != NULL ? login->name : login->number,
		.address = convro->http->address(ctx) };
	convro->bus->ask(ctx, "auth.login", &login->subject, allowed, login);
	return CONVRO_OK;
}

int
auth_login(struct convro_ctx *ctx, void *self)
{
	const struct convro_value *username = convro->http->field(ctx, LOGIN_USERNAME);
	const struct convro_value *number = convro->http->field(ctx, LOGIN_NUMBER);
	struct login *login;

	if (username->type == 0 && number->type == 0 && number->wrong == 0)
		return convro->http->fail(ctx, 400, "MISSING_LOGIN_IDENTIFIER");
	login = convro->mem->zero(ctx, sizeof(*login));
	if (login == NULL)
		return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	login->auth = self;
	if (username->type != 0) {
		login->name = name_key(ctx, username);
		if (login->name == NULL)
			return convro->http->fail_later(ctx, 503, "OVERLOADED", 1);
	}
	if (number->type != 0)
		login->number = number->u.text;
	else if (number->wrong != 0)
		login->number = ""; /* nobody has it */
	return begin(ctx, login);
}
