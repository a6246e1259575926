/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connection state recovery: what a client that comes back has missed, who may
 * come back, and what is forgotten.
 */
/* longer than 500 lines: one server and its clients are what all of it is tried on */
#include <stdbool.h>
#include <stdlib.h>

/* The module links against nothing of ours, so its code is compiled in. */
#include "../../modules/socketio/recovery.c"
#include "../../modules/socketio/recovery_log.c"
#include "../../modules/socketio/room.c"
#include "../../modules/socketio/table.c"
#include "../../modules/socketio/text.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

#define MOST_MS    1000
#define MOST_BYTES 4000
#define STATIONS   2

/* ---- the rest of the module and the core, as far as it is asked ---- */

const struct convro_api *convro;

static int64_t clock_ms;
static unsigned alive; /* pushes */
static unsigned ids;

static int64_t
now(struct convro_ctx *ctx)
{
	(void)ctx;
	return clock_ms;
}

static const struct convro_timer_table timer = { .size = sizeof(timer), .now = now };
static const struct convro_api api = { .size = sizeof(api), .timer = &timer };

bool
random_id(char out[SID_LEN])
{
	char text[SID_LEN + 1];

	snprintf(text, sizeof(text), "id%018u", ++ids);
	memcpy(out, text, SID_LEN);
	return true;
}

bool
same_id(const char *a, const char *b)
{
	return memcmp(a, b, SID_LEN) == 0;
}

bool
push_finish(struct push *push, struct slice offset)
{
	text_put_slice(&push->text, offset);
	push->bytes = 100 + push->text.len;
	return !push->text.failed;
}

void
push_frame(struct push *push)
{
	(void)push;
}

void
push_ref(struct push *push)
{
	push->refs++;
}

void
push_unref(struct push *push)
{
	if (--push->refs > 0)
		return;
	text_fini(&push->room);
	text_fini(&push->text);
	free(push);
	alive--;
}

/* ---- a server with two workers ---- */

static struct convro_ctx *const ctx = (struct convro_ctx *)&clock_ms;
static struct mount *mount;
static struct session *sessions[STATIONS];
static struct recovery *recovery;

static int
setup(void **state)
{
	(void)state;
	convro = &api;
	clock_ms = 5000;
	mount = calloc(1, sizeof(*mount));
	assert_non_null(mount);
	mount->station_count = STATIONS;
	mount->stations = calloc(STATIONS, sizeof(*mount->stations));
	assert_non_null(mount->stations);
	for (uint32_t i = 0; i < STATIONS; i++) {
		struct station *station = &mount->stations[i];

		station->mount = mount;
		station->index = i;
		assert_true(rooms_init(
		    &station->rooms, mount->presence, i > 0 ? &mount->stations[0].rooms : NULL));
		sessions[i] = calloc(1, sizeof(*sessions[i]));
		assert_non_null(sessions[i]);
		sessions[i]->station = station;
	}
	recovery = recovery_new(mount, MOST_MS, MOST_BYTES);
	assert_non_null(recovery);
	mount->recovery = recovery;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	recovery_free(recovery);
	assert_int_equal(alive, 0);
	for (unsigned i = 0; i < PRESENCE_SLOTS; i++)
		assert_int_equal(mount->presence[i], 0);
	for (uint32_t i = 0; i < STATIONS; i++) {
		rooms_fini(&mount->stations[i].rooms);
		free(sessions[i]);
	}
	free(mount->stations);
	free(mount);
	return 0;
}

static void
start(struct convro_socketio_socket *socket, uint32_t worker, const char *identity)
{
	*socket = (struct convro_socketio_socket){ .session = sessions[worker], .namespace = "/" };
	socket->recovery = recovery_begin(sessions[worker]->station);
	assert_non_null(socket->recovery);
	assert_true(random_id(socket->id));
	memcpy(socket->recovery->identity, identity, strlen(identity));
	socket->recovery->identity_len = (uint8_t)strlen(identity);
}

static void
join(struct convro_socketio_socket *socket, const char *room)
{
	assert_true(
	    rooms_join(&socket->session->station->rooms, slice_of(room), &socket->rooms, socket));
}

static void
stop(struct convro_socketio_socket *socket)
{
	rooms_leave_all(&socket->session->station->rooms, &socket->rooms);
	free(socket->recovery);
}

static void
leave(struct convro_socketio_socket *socket, const char *why)
{
	recovery_save(ctx, recovery, socket, why);
	stop(socket);
}

/* Says something in a room; nobody has seen it yet. */
static struct push *
say(const char *room, int64_t cursor)
{
	struct push *push = calloc(1, sizeof(*push));

	assert_non_null(push);
	alive++;
	push->refs = 1;
	push->cursor = cursor;
	ring_init(&push->link);
	text_puts(&push->room, room);
	assert_true(recovery_log(ctx, recovery, push));
	push_unref(push);
	return push; /* the log has it */
}

static void
read_all(uint32_t worker)
{
	struct push *read[4];
	uint32_t count;

	while ((count = recovery_read(recovery, &mount->stations[worker], read, 4)) > 0)
		while (count > 0)
			push_unref(read[--count]);
}

static void
everybody_reads(void)
{
	for (uint32_t i = 0; i < STATIONS; i++)
		read_all(i);
}

/* Says it, and it is written to the socket. */
static const char *
tell(struct convro_socketio_socket *socket, const char *room, int64_t cursor)
{
	static char offset[OFFSET_SIZE];
	struct push *push = say(room, cursor);

	everybody_reads();
	recovery_wrote(socket, push, false);
	snprintf(offset, sizeof(offset), "%.*s", (int)push->text.len, push->text.data);
	return offset;
}

/* How many it has missed; negative: it is not known. */
static int
come_back_to(uint32_t worker, const char *pid, const char *offset, const char *identity,
    int64_t after, char id[SID_LEN])
{
	struct convro_socketio_socket socket;
	struct recovered *recovered;
	int count = -1;

	start(&socket, worker, identity);
	socket.recovery->after = after;
	recovered =
	    recovery_take(ctx, recovery, &socket, (struct slice){ pid, SID_LEN }, slice_of(offset));
	if (recovered != NULL) {
		count = (int)recovered->count;
		for (uint32_t i = 1; i < recovered->count; i++)
			assert_true(
			    recovered->missed[i]->number > recovered->missed[i - 1]->number);
	}
	if (id != NULL)
		memcpy(id, socket.id, SID_LEN);
	recovered_free(recovered);
	stop(&socket);
	return count;
}

static int
come_back(const char *pid, const char *offset)
{
	return come_back_to(1, pid, offset, "ala", 0, NULL);
}

/* One that is in room "r", was told two events there, and lost its connection. */
struct lost {
	char pid[SID_LEN], id[SID_LEN];
	char first[OFFSET_SIZE], second[OFFSET_SIZE];
};

static struct lost
lose(void)
{
	struct convro_socketio_socket socket;
	struct lost lost;

	start(&socket, 0, "ala");
	join(&socket, "r");
	memcpy(lost.pid, socket.recovery->pid, SID_LEN);
	memcpy(lost.id, socket.id, SID_LEN);
	snprintf(lost.first, sizeof(lost.first), "%s", tell(&socket, "r", 1));
	snprintf(lost.second, sizeof(lost.second), "%s", tell(&socket, "r", 2));
	leave(&socket, "transport close");
	return lost;
}

/* ---- tests ---- */

static void
tells_what_came_after_the_offset_in_its_rooms(void **state)
{
	struct lost lost = lose();
	char id[SID_LEN];

	(void)state;
	say("r", 0);
	say("elsewhere", 0);
	say("r", 3);
	assert_int_equal(come_back_to(1, lost.pid, lost.second, "ala", 0, id), 2);
	assert_memory_equal(id, lost.id, SID_LEN);
	assert_int_equal(come_back(lost.pid, lost.second), -1); /* once */
	lost = lose();
	assert_int_equal(
	    come_back(lost.pid, lost.first), 1); /* the second one was lost on the way */
	lost = lose();
	say("r", 3);
	say("r", 4);
	/* What it says it has already. */
	assert_int_equal(come_back_to(1, lost.pid, lost.first, "ala", 3, NULL), 1);
	everybody_reads();
}

static void
tells_all_since_it_connected_when_it_never_got_an_offset(void **state)
{
	struct lost before = lose(), lost = lose();

	(void)state;
	assert_int_equal(come_back(lost.pid, ""), 2);
	lost = lose();
	assert_int_equal(come_back(lost.pid, before.first), 2); /* of an earlier session */
	assert_int_equal(come_back(before.pid, before.second), 4);
}

static void
tells_what_came_after_the_last_event_when_the_offset_is_not_ours(void **state)
{
	static const char *const foreign[] = { "poison", "id00000", "id0000000000000000x",
		"99999999999999999999999999999999", "id000000.", "id00000012.3.4" };

	(void)state;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		struct lost lost = lose();

		say("r", 0);
		assert_int_equal(come_back(lost.pid, foreign[i]), 1);
	}
}

static void
a_text_that_took_the_offsets_place_tells_where_it_was(void **state)
{
	struct convro_socketio_socket socket;
	const struct push poison = { .ends_in_text = true };
	char pid[SID_LEN];

	(void)state;
	start(&socket, 0, "ala");
	join(&socket, "r");
	memcpy(pid, socket.recovery->pid, SID_LEN);
	tell(&socket, "r", 0);
	recovery_wrote(&socket, &poison, false);
	tell(&socket, "r", 0); /* written, and never arrived */
	leave(&socket, "transport close");
	say("r", 0);
	assert_int_equal(come_back(pid, "poison"), 2);
	everybody_reads();
}

static void
an_acknowledgement_is_worth_an_offset(void **state)
{
	struct convro_socketio_socket socket;
	char pid[SID_LEN];

	(void)state;
	start(&socket, 0, "ala");
	join(&socket, "r");
	memcpy(pid, socket.recovery->pid, SID_LEN);
	tell(&socket, "r", 7);
	tell(&socket, "r", 8);
	socket.recovery->acked = 7;
	leave(&socket, "ping timeout");
	say("r", 9);
	assert_int_equal(come_back(pid, ""), 2);
	everybody_reads();
}

static void
an_acknowledged_event_need_not_be_kept(void **state)
{
	struct convro_socketio_socket socket;
	struct push *push;
	char pid[SID_LEN];

	(void)state;
	for (int64_t acked = 7; acked <= 8; acked++) {
		start(&socket, 0, "ala");
		join(&socket, "r");
		memcpy(pid, socket.recovery->pid, SID_LEN);
		for (int64_t cursor = 7; cursor <= 8; cursor++) {
			push = say("r", cursor);
			everybody_reads();
			recovery_wrote(&socket, push, true);
		}
		recovery_acked(&socket, acked);
		clock_ms += MOST_MS + 1;
		recovery_trim(ctx, recovery);
		leave(&socket, "ping timeout");
		say("r", 9);
		everybody_reads();
		assert_int_equal(come_back(pid, ""), acked == 8 ? 1 : -1);
	}
}

static void
a_catch_up_that_did_not_arrive_whole_is_not_made_up_for(void **state)
{
	char pid[SID_LEN], offset[OFFSET_SIZE];

	(void)state;
	for (int round = 0; round < 4; round++) {
		struct convro_socketio_socket socket;
		struct slice last = { 0 };

		start(&socket, 0, "ala");
		join(&socket, "r");
		memcpy(pid, socket.recovery->pid, SID_LEN);
		socket.recovery->is_unfinished = true;
		for (int i = 0; i <= (round == 1); i++)
			last = recovery_catch_up_offset(&socket, offset);
		offset[last.len] = '\0';
		if (round == 0) /* the client has not got the last one */
			(void)recovery_catch_up_offset(&socket, (char[OFFSET_SIZE]){ 0 });
		socket.recovery->is_unfinished = round == 2;
		if (round == 1) /* tells how things are: not to be missed */
			(void)recovery_catch_up_offset(&socket, (char[OFFSET_SIZE]){ 0 });
		if (round == 3) /* nor the one that it has to acknowledge */
			socket.recovery->told_acked = 5;
		leave(&socket, "transport close");
		assert_int_equal(come_back(pid, offset), round == 1 ? 0 : -1);
	}
}

static void
who_left_before_it_was_told_anything_comes_back_if_it_asks_again(void **state)
{
	static const int64_t asked[][3] = { { 4, 4, 1 }, { 4, -1, -1 }, { -1, -1, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		struct convro_socketio_socket socket;
		char pid[SID_LEN], offset[OFFSET_SIZE];

		start(&socket, 0, "ala");
		join(&socket, "r");
		memcpy(pid, socket.recovery->pid, SID_LEN);
		socket.recovery->is_unfinished = true;
		socket.recovery->after = asked[i][0];
		if (asked[i][0] < 0) /* how things are may be told again */
			(void)recovery_catch_up_offset(&socket, offset);
		leave(&socket, "transport close");
		say("r", 5);
		everybody_reads();
		assert_int_equal(come_back_to(1, pid, "", "ala", asked[i][1], NULL), asked[i][2]);
	}
}

static void
lets_only_the_same_one_back(void **state)
{
	struct lost lost = lose();

	(void)state;
	assert_int_equal(come_back_to(0, lost.pid, lost.second, "eve", 0, NULL), -1);
	assert_int_equal(come_back_to(0, lost.pid, lost.second, "alan", 0, NULL), -1);
	assert_int_equal(come_back_to(0, "idididididididididid", "", "ala", 0, NULL), -1);
	assert_int_equal(come_back_to(0, lost.pid, lost.second, "ala", 0, NULL), 0);
}

static void
keeps_nobody_who_was_sent_away(void **state)
{
	static const char *const reasons[] = { "client namespace disconnect",
		"server namespace disconnect", "parse error", "token revoked", "token expired" };

	(void)state;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		struct convro_socketio_socket socket;
		char pid[SID_LEN];

		start(&socket, 0, "ala");
		memcpy(pid, socket.recovery->pid, SID_LEN);
		leave(&socket, reasons[i]);
		assert_int_equal(come_back(pid, ""), -1);
	}
}

static void
revokes_those_with_older_tokens(void **state)
{
	char pids[3][SID_LEN];

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct convro_socketio_socket socket;

		start(&socket, 0, i < 2 ? "ala" : "bob");
		socket.recovery->epoch = i;
		memcpy(pids[i], socket.recovery->pid, SID_LEN);
		leave(&socket, "transport error");
	}
	recovery_revoke(recovery, "ala", 3, 1);
	assert_int_equal(come_back(pids[0], ""), -1);
	assert_int_equal(come_back(pids[1], ""), 0);
	assert_int_equal(come_back_to(0, pids[2], "", "bob", 0, NULL), 0);
}

static void
forgets_by_time_and_gives_the_memory_back(void **state)
{
	struct lost lost = lose();
	_Atomic uint32_t *presence = rooms_presence(&mount->stations[0].rooms, slice_of("r"));

	(void)state;
	assert_int_equal(*presence, 1); /* who pushes to it has somebody to keep it for */
	clock_ms += MOST_MS;
	recovery_trim(ctx, recovery);
	assert_int_equal(alive, 2);
	clock_ms++;
	recovery_trim(ctx, recovery);
	assert_int_equal(alive, 0);
	assert_int_equal(*presence, 0);
	assert_true(recovery->log_bytes == 0 && recovery->away_bytes == 0);
	assert_int_equal(come_back(lost.pid, lost.second), -1);
}

static void
forgets_by_bytes_and_knows_who_missed_something_by_that(void **state)
{
	struct lost has_all = lose(), lacks_one = lose();

	(void)state;
	/* Nothing of what is dropped is news to it. */
	for (int i = 0; i < 20; i++)
		say("elsewhere", 0);
	everybody_reads();
	say("elsewhere", 0);
	assert_int_equal(come_back(lacks_one.pid, lacks_one.second), 0);
	has_all = lose();
	for (int i = 0; i < 60; i++)
		say("elsewhere", 0);
	everybody_reads();
	say("elsewhere", 0);
	assert_true(recovery->log_bytes <= MOST_BYTES);
	assert_int_equal(come_back(has_all.pid, has_all.second), -1);
	everybody_reads();
}

static void
forgets_the_places_of_the_oldest(void **state)
{
	struct lost lost = lose();

	(void)state;
	for (int i = 0; i < 40; i++)
		(void)lose();
	assert_true(recovery->away_bytes <= MOST_BYTES);
	assert_int_equal(come_back(lost.pid, lost.second), -1);
}

static void
a_worker_sees_everything_once_and_in_order_however_late(void **state)
{
	struct push *read[100];
	uint32_t count;

	(void)state;
	for (int i = 0; i < 60; i++) /* over the limit, yet nobody has seen them */
		say("r", i + 1);
	for (uint32_t worker = 0; worker < STATIONS; worker++) {
		count = recovery_read(recovery, &mount->stations[worker], read, 40);
		assert_int_equal(count, 40);
		count += recovery_read(recovery, &mount->stations[worker], read + 40, 40);
		assert_int_equal(count, 60);
		for (uint32_t i = 0; i < count; i++) {
			assert_int_equal(read[i]->cursor, i + 1);
			push_unref(read[i]);
		}
		assert_int_equal(recovery_read(recovery, &mount->stations[worker], read, 40), 0);
	}
	recovery_trim(ctx, recovery);
	assert_true(recovery->log_bytes <= MOST_BYTES);
}

static void
after_a_gap_nobody_comes_back_who_was_there_before_it(void **state)
{
	struct lost lost = lose(), later;

	(void)state;
	recovery_gap(recovery);
	everybody_reads();
	assert_int_equal(come_back(lost.pid, lost.second), -1);
	later = lose();
	assert_int_equal(come_back(later.pid, later.second), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    tells_what_came_after_the_offset_in_its_rooms, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    tells_all_since_it_connected_when_it_never_got_an_offset, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    tells_what_came_after_the_last_event_when_the_offset_is_not_ours, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    a_text_that_took_the_offsets_place_tells_where_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    an_acknowledgement_is_worth_an_offset, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    an_acknowledged_event_need_not_be_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_catch_up_that_did_not_arrive_whole_is_not_made_up_for, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    who_left_before_it_was_told_anything_comes_back_if_it_asks_again, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(lets_only_the_same_one_back, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_nobody_who_was_sent_away, setup, teardown),
		cmocka_unit_test_setup_teardown(revokes_those_with_older_tokens, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    forgets_by_time_and_gives_the_memory_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    forgets_by_bytes_and_knows_who_missed_something_by_that, setup, teardown),
		cmocka_unit_test_setup_teardown(forgets_the_places_of_the_oldest, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_worker_sees_everything_once_and_in_order_however_late, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    after_a_gap_nobody_comes_back_who_was_there_before_it, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
