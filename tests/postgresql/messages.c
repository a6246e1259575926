/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real statements in groups: sends and receipts merged, keys that wait,
 * locks in one order, a deadlock with another process.
 */
#include "messages.h"

#include <pthread.h>

void
make_sessions(struct kit *kit, int count)
{
	char sql[2000];

	(void)snprintf(sql, sizeof(sql),
	    "INSERT INTO users(id, created_at, number) SELECT n, 1, n::text FROM"
	    " (SELECT 1000 + i AS n FROM generate_series(1, %d) i UNION ALL"
	    "  SELECT 2000 + i FROM generate_series(1, %d) i) x;"
	    "INSERT INTO devices(device_id, user_id, created_at, platform)"
	    " SELECT id, id, 1, 0 FROM users;"
	    "INSERT INTO dm_sessions(id, initiator_device, responder_device, initiator_user,"
	    "  responder_user, created_at, last_at, session_id, state)"
	    " SELECT i, 1000 + i, 2000 + i, 1000 + i, 2000 + i, 1, 1, i, 1 FROM generate_series(1, %d) i;"
	    "SELECT setval('dm_sessions_id_seq', 1000);"
	    "INSERT INTO dm_participants(device_id, session_id, session, role)"
	    " SELECT initiator_device, session_id, id, 0 FROM dm_sessions UNION ALL"
	    " SELECT responder_device, session_id, id, 1 FROM dm_sessions",
	    count, count, count);
	look_do(kit, sql);
}

void
add_send(struct kit *kit, struct direct *direct, int session, const char *cmid)
{
	direct_add(kit, direct, DM_MESSAGES_SEND_LOCK,
	    CONVRO_ARGS(convro_i64(1000 + session), convro_i32(session)));
	direct_add(kit, direct, DM_MESSAGES_SEND,
	    CONVRO_ARGS(convro_i64(1000 + session), convro_i32(session), convro_null(),
		convro_blob(cmid, strlen(cmid)), convro_null(), convro_i32(1),
		convro_blob("tag", 3), convro_blob("ciphertext", 10), convro_i64(clock_wall_us())));
}

static struct direct *
send_of(struct kit *kit, int session, const char *cmid)
{
	struct direct *direct = direct_new();

	add_send(kit, direct, session, cmid);
	return direct;
}

static int64_t
outcome_of(const struct direct *direct)
{
	return direct->results[1].nrows == 1 ? convro_at(&direct->results[1], 0, 0)->u.i : -1;
}

static int64_t
id_of(const struct direct *direct)
{
	return convro_at(&direct->results[1], 0, 1)->u.i;
}

static void
free_all(struct direct **directs, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		direct_free(directs[i]);
}

static void
merges_sends_and_gives_each_its_row(void **state)
{
	struct kit *kit = *state;
	enum { COUNT = 128 };
	struct direct *directs[COUNT];
	int64_t last = 0;

	make_sessions(kit, 8);
	for (int i = 0; i < COUNT; i++) {
		char cmid[16];

		(void)snprintf(cmid, sizeof(cmid), "m%d", i);
		/* Every sixteenth is to a session that does not exist. */
		directs[i] = send_of(kit, i % 16 == 15 ? 99 : 1 + i % 8, cmid);
	}
	direct_group(kit, directs, COUNT);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(directs[i]->request.status, CONVRO_OK);
		assert_int_equal(directs[i]->results[0].nrows, 0); /* of the lock */
		if (i % 16 == 15) {
			assert_int_equal(directs[i]->results[1].nrows, 0);
			continue;
		}
		assert_int_equal(outcome_of(directs[i]), 0);
		assert_int_equal(directs[i]->results[1].ncols, 9);
		assert_true(id_of(directs[i]) > last);
		last = id_of(directs[i]);
		assert_int_equal(convro_at(&directs[i]->results[1], 0, 8)->u.i, 2001 + i % 8);
	}
	assert_int_equal(look_number(kit, "SELECT count(DISTINCT xmin::text) FROM messages"), 1);
	assert_int_equal(look_number(kit, "SELECT count(*) FROM messages"), COUNT - COUNT / 16);
	assert_int_equal(
	    look_number(kit, "SELECT sum(unread_r) FROM dm_sessions"), COUNT - COUNT / 16);
	free_all(directs, COUNT);
}

static void
lets_a_second_request_with_the_same_key_wait(void **state)
{
	struct kit *kit = *state;
	struct direct *directs[4];
	struct direct *waiting[2];

	make_sessions(kit, 2);
	directs[0] = send_of(kit, 1, "same");
	directs[1] = send_of(kit, 1, "same");
	directs[2] = send_of(kit, 2, "same"); /* another session: another key */
	directs[3] = send_of(kit, 1, "same");
	direct_group(kit, directs, 4);
	assert_false(directs[0]->request.deferred);
	assert_true(directs[1]->request.deferred);
	assert_false(directs[2]->request.deferred);
	assert_true(directs[3]->request.deferred);
	assert_int_equal(outcome_of(directs[0]), 0);
	assert_int_equal(outcome_of(directs[2]), 0);
	waiting[0] = directs[1];
	waiting[1] = directs[3];
	direct_group(kit, waiting, 2);
	assert_false(waiting[0]->request.deferred);
	assert_int_equal(outcome_of(waiting[0]), 1);
	assert_int_equal(id_of(waiting[0]), id_of(directs[0]));
	assert_true(waiting[1]->request.deferred);
	direct_group(kit, waiting + 1, 1);
	assert_int_equal(outcome_of(waiting[1]), 1);
	free_all(directs, 4);
}

static void
runs_two_calls_with_one_key_in_one_request_one_after_the_other(void **state)
{
	struct kit *kit = *state;
	struct direct *direct = direct_new();

	make_sessions(kit, 1);
	add_send(kit, direct, 1, "twice");
	add_send(kit, direct, 1, "twice");
	direct_group(kit, &direct, 1);
	assert_false(direct->request.deferred);
	assert_int_equal(direct->request.status, CONVRO_OK);
	assert_int_equal(outcome_of(direct), 0);
	assert_int_equal(convro_at(&direct->results[3], 0, 0)->u.i, 1);
	assert_int_equal(look_number(kit, "SELECT count(*) FROM messages"), 1);
	direct_free(direct);
}

static void
keeps_a_send_that_fails_from_the_others(void **state)
{
	struct kit *kit = *state;
	struct direct *directs[3];

	make_sessions(kit, 3);
	look_do(kit, "ALTER TABLE messages ADD CHECK (cmid <> 'bad')");
	directs[0] = send_of(kit, 1, "good");
	directs[1] = send_of(kit, 2, "bad");
	directs[2] = send_of(kit, 3, "good");
	direct_group(kit, directs, 3);
	assert_int_equal(directs[0]->request.status, CONVRO_OK);
	assert_int_equal(directs[1]->request.status, CONVRO_FAILED);
	assert_int_equal(directs[2]->request.status, CONVRO_OK);
	assert_true(id_of(directs[2]) > id_of(directs[0]));
	assert_int_equal(look_number(kit, "SELECT count(*) FROM messages"), 2);
	assert_int_equal(look_number(kit, "SELECT sum(unread_r) FROM dm_sessions"), 2);
	free_all(directs, 3);
}

/* Receipts of one request: as many calls as messages. */
static struct direct *
receipts_of(struct kit *kit, int session, const int64_t *ids, uint32_t count, int status)
{
	struct direct *direct = direct_new();

	for (uint32_t i = 0; i < count; i++)
		direct_add(kit, direct, DM_MESSAGES_RECEIPT_LOCK,
		    CONVRO_ARGS(convro_i64(2000 + session), convro_i64(ids[i])));
	for (uint32_t i = 0; i < count; i++)
		direct_add(kit, direct, DM_MESSAGES_RECEIPT,
		    CONVRO_ARGS(convro_i64(2000 + session), convro_i32(status), convro_i64(ids[i]),
			convro_i64(clock_wall_us())));
	return direct;
}

static struct direct *
open_of(struct kit *kit, int initiator, int responder, int sid)
{
	struct direct *direct = direct_new();

	direct_add(kit, direct, DM_SESSIONS_OPEN_LOCK,
	    CONVRO_ARGS(convro_i64(initiator), convro_i64(responder)));
	direct_add(kit, direct, DM_SESSIONS_OPEN,
	    CONVRO_ARGS(convro_i64(initiator), convro_i64(responder), convro_i64(responder),
		convro_i32(sid), convro_i64(5), convro_i64(10), text_val("offer")));
	return direct;
}

static struct direct *
upload_of(struct kit *kit, int device, int64_t ticket)
{
	const struct convro_db_val ids[] = { convro_i64(1), convro_i64(2) };
	const struct convro_db_val algs[] = { convro_i32(1), convro_i32(1) };
	const struct convro_db_val pubs[] = { convro_blob("p1", 2), convro_blob("p2", 2) };
	struct direct *direct = direct_new();

	direct_add(kit, direct, PREKEYS_UPLOAD_LOCK, CONVRO_ARGS(convro_i64(device)));
	direct_add(kit, direct, PREKEYS_UPLOAD_TAKE,
	    CONVRO_ARGS(convro_i64(device), convro_i64(5), convro_i64(ticket), convro_i32(1),
		convro_blob("identity", 8), convro_null(), convro_i64(7), convro_blob("spk", 3),
		convro_i64(100), convro_array(ids, 2), convro_array(algs, 2),
		convro_array(pubs, 2)));
	direct_add(kit, direct, PREKEYS_UPLOAD_SIGNED,
	    CONVRO_ARGS(convro_i64(device), convro_i64(5), convro_i64(ticket), convro_null(),
		convro_i32(1), convro_i64(7), convro_blob("spk", 3), convro_blob("sig", 3)));
	direct_add(kit, direct, PREKEYS_UPLOAD_KEYS,
	    CONVRO_ARGS(convro_i64(device), convro_i64(ticket), convro_array(ids, 2),
		convro_array(algs, 2), convro_array(pubs, 2)));
	return direct;
}

static void
mixes_sends_receipts_opens_and_uploads(void **state)
{
	struct kit *kit = *state;
	struct direct *first[4], *second[16];
	int64_t ids[4];

	make_sessions(kit, 4);
	for (int i = 0; i < 4; i++)
		first[i] = send_of(kit, 1 + i, "before");
	direct_group(kit, first, 4);
	for (int i = 0; i < 4; i++)
		ids[i] = id_of(first[i]);
	for (int i = 0; i < 4; i++) {
		second[4 * i] = send_of(kit, 4 - i, "mixed");
		second[4 * i + 1] = receipts_of(kit, 1 + i, &ids[i], 1, 2);
		second[4 * i + 2] = open_of(kit, 1004 - i, 2001 + i, 500 + i);
		second[4 * i + 3] = upload_of(kit, 2004 - i, 77 + i);
	}
	direct_group(kit, second, 16);
	for (int i = 0; i < 4; i++) {
		for (int j = 0; j < 4; j++)
			assert_int_equal(second[4 * i + j]->request.status, CONVRO_OK);
		assert_int_equal(outcome_of(second[4 * i]), 0);
		assert_int_equal(second[4 * i + 1]->results[1].nrows, 1);
		assert_int_equal(convro_at(&second[4 * i + 1]->results[1], 0, 0)->u.i, ids[i]);
		assert_int_equal(second[4 * i + 2]->results[1].nrows, 1);
		assert_int_equal(second[4 * i + 3]->results[0].nrows, 1); /* the device's row */
		assert_int_equal(second[4 * i + 3]->results[3].nrows, 2);
	}
	assert_int_equal(look_number(kit, "SELECT count(*) FROM one_time_prekeys"), 8);
	assert_int_equal(
	    look_number(kit, "SELECT sum(unread_r) FROM dm_sessions WHERE id <= 4"), 4);
	assert_int_equal(
	    look_number(kit, "SELECT count(*) FROM message_receipts WHERE status = 2"), 4);
	free_all(first, 4);
	free_all(second, 16);
}

static void
tells_each_receipt_apart_in_a_merged_group(void **state)
{
	struct kit *kit = *state;
	struct direct *sends[3], *receipts[3];
	int64_t ids[3];

	make_sessions(kit, 1);
	for (int i = 0; i < 3; i++) {
		const char cmid[] = { (char)('a' + i), '\0' };

		sends[i] = send_of(kit, 1, cmid);
	}
	direct_group(kit, sends, 3);
	for (int i = 0; i < 3; i++)
		ids[i] = id_of(sends[i]);
	receipts[0] = receipts_of(kit, 1, ids, 3, 1);
	receipts[1] = receipts_of(kit, 1, ids, 1, 2);     /* higher: the first one's is no news */
	receipts[2] = receipts_of(kit, 1, ids + 2, 1, 1); /* the same again: nothing changed */
	direct_group(kit, receipts, 3);
	assert_int_equal(receipts[0]->results[3].nrows, 0);
	assert_int_equal(receipts[0]->results[4].nrows, 1);
	assert_int_equal(convro_at(&receipts[0]->results[4], 0, 0)->u.i, ids[1]);
	assert_int_equal(receipts[0]->results[5].nrows, 1);
	assert_int_equal(receipts[1]->results[1].nrows, 1);
	assert_int_equal(receipts[2]->results[1].nrows, 0);
	assert_int_equal(look_number(kit, "SELECT unread_r FROM dm_sessions"), 2);
	free_all(sends, 3);
	free_all(receipts, 3);
}

static void *
run_group(void *arg)
{
	void **args = arg;

	direct_group(args[0], args[1], 2);
	return NULL;
}

/* Until so many wait for locks. */
static void
await_waiters(struct kit *kit, int64_t count)
{
	do
		look_do(kit, "SELECT pg_stat_clear_snapshot()");
	while (look_number(kit, "SELECT count(*) FROM pg_stat_activity "
				"WHERE wait_event_type = 'Lock'") < count);
}

static void
wins_after_a_deadlock_with_another_process(void **state)
{
	struct kit *kit = *state;
	struct direct *directs[2];
	void *args[] = { kit, directs };
	PGconn *other = PQconnectdb(kit_conninfo);
	PGresult *result;
	pthread_t thread;

	make_sessions(kit, 2);
	directs[0] = send_of(kit, 1, "x");
	directs[1] = send_of(kit, 2, "y");
	/* The other holds 2 and waits for 1 behind the group; when the group gets 1 and asks for 2
	 * the ring is closed, and the group is the one that looks. */
	PQclear(PQexec(other, "SET search_path = convro; SET deadlock_timeout = '60s'; BEGIN;"
			      "UPDATE dm_sessions SET unread_i = 7 WHERE id = 2"));
	look_do(kit, "BEGIN; UPDATE dm_sessions SET unread_i = 0 WHERE id = 1");
	assert_int_equal(pthread_create(&thread, NULL, run_group, args), 0);
	await_waiters(kit, 1);
	assert_int_equal(PQsendQuery(other, "UPDATE dm_sessions SET unread_i = 7 WHERE id = 1"), 1);
	await_waiters(kit, 2);
	look_do(kit, "COMMIT");
	result = PQgetResult(other);
	assert_int_equal(PQresultStatus(result), PGRES_COMMAND_OK);
	PQclear(result);
	assert_null(PQgetResult(other));
	PQclear(PQexec(other, "COMMIT"));
	assert_int_equal(pthread_join(thread, NULL), 0);
	PQfinish(other);
	assert_int_equal(directs[0]->request.status, CONVRO_OK);
	assert_int_equal(directs[1]->request.status, CONVRO_OK);
	assert_int_equal(outcome_of(directs[1]), 0);
	assert_int_equal(
	    look_number(
		kit, "SELECT count(*) FROM dm_sessions WHERE unread_i = 7 AND unread_r = 1"),
	    2);
	free_all(directs, 2);
}

const struct CMUnitTest messages_tests[] = {
	on_a_server(merges_sends_and_gives_each_its_row),
	on_a_server(lets_a_second_request_with_the_same_key_wait),
	on_a_server(runs_two_calls_with_one_key_in_one_request_one_after_the_other),
	on_a_server(keeps_a_send_that_fails_from_the_others),
	on_a_server(mixes_sends_receipts_opens_and_uploads),
	on_a_server(tells_each_receipt_apart_in_a_merged_group),
	on_a_server(wins_after_a_deadlock_with_another_process),
};
const size_t messages_count = sizeof(messages_tests) / sizeof(messages_tests[0]);
