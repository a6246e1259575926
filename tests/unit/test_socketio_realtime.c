/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service "realtime.v1" from the side of those who push: which rooms have
 * members, and what a push to one costs and brings.
 */
#include <stdbool.h>
#include <stdlib.h>

/* The module links against nothing of ours, so its code is compiled in. */
#include "../../modules/socketio/base64.c"
#include "../../modules/socketio/packet_write.c"
#include "../../modules/socketio/push.c"
#include "../../modules/socketio/realtime.c"
#include "../../modules/socketio/room.c"
#include "../../modules/socketio/table.c"
#include "../../modules/socketio/text.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka needs the three above it. */
#include <cmocka.h>

#define STATIONS 3
#define MOST     16

/* ---- the rest of the module and the core, as far as it is asked ---- */

const struct convro_api *convro;

static struct {
	uint32_t worker; /* that runs now */
	struct {
		uint32_t worker;
		convro_task *task;
		void *arg;
	} posted[MOST];
	unsigned posts;
	bool post_fails;
	char heard[500];
	unsigned frames; /* alive */
} fake;

void
engineio_begin(struct text *out, enum engineio_type type)
{
	text_putc(out, (char)('0' + type));
}

bool
packet_event_name_ok(struct slice name)
{
	return name.len > 0;
}

#include "../../modules/socketio/service.c"

bool
socket_room(const char *namespace, struct slice room, struct text *out)
{
	text_puts(out, namespace);
	text_putc(out, ',');
	text_put_slice(out, room);
	return !out->failed;
}

struct slice
device_room(int64_t device, char out[ROOM_NAME_SIZE])
{
	int len = snprintf(out, ROOM_NAME_SIZE, "device:%016llx", (unsigned long long)device);

	return (struct slice){ out, (size_t)len };
}

void
session_send_frame(struct convro_ctx *ctx, struct session *session, struct convro_frame *frame,
    struct slice packet)
{
	size_t at = strlen(fake.heard);

	(void)ctx;
	assert_non_null(frame);
	snprintf(fake.heard + at, sizeof(fake.heard) - at, "%u:%.*s ", session->station->index,
	    (int)packet.len, packet.data);
}

void
session_send(struct convro_ctx *ctx, struct session *session, struct slice packet)
{
	session_send_frame(ctx, session, (struct convro_frame *)&fake, packet);
}

void
session_close(
    struct convro_ctx *ctx, struct session *session, enum goodbye goodbye, const char *why)
{
	(void)ctx;
	(void)session;
	(void)goodbye;
	fail_msg("%s", why);
}

void
socket_ref(struct convro_socketio_socket *socket)
{
	socket->refs++;
}

void
socket_unref(struct convro_socketio_socket *socket)
{
	socket->refs--;
}

bool
session_is_writable(const struct session *session)
{
	(void)session;
	return true;
}

void
socket_send_attachments(
    struct convro_ctx *ctx, struct session *session, const struct convro_socketio_args *args)
{
	(void)ctx;
	(void)session;
	assert_int_equal(args->attachment_count, 0);
}

void
socket_reply(struct convro_ctx *ctx, struct convro_socketio_reply *reply,
    const struct convro_socketio_args *args)
{
	(void)ctx;
	(void)reply;
	(void)args;
}

void
client_reply(
    struct convro_ctx *ctx, struct convro_client_reply *reply, const char *json, size_t len)
{
	(void)ctx;
	(void)reply;
	(void)json;
	(void)len;
}

bool
catch_up_add(struct convro_catch_up *catch_up, struct push *push)
{
	(void)catch_up;
	(void)push;
	return false;
}

void
catch_up_emit(struct convro_catch_up *catch_up, const char *event, int64_t cursor, const char *json,
    size_t len)
{
	(void)catch_up;
	(void)event;
	(void)cursor;
	(void)json;
	(void)len;
}

void
catch_up_page_done(struct convro_catch_up *catch_up, enum convro_status status, int more)
{
	(void)catch_up;
	(void)status;
	(void)more;
}

void
recovery_wrote(struct convro_socketio_socket *socket, const struct push *push, bool wants_ack)
{
	(void)wants_ack;
	(void)socket;
	(void)push;
}

bool
recovery_log(struct convro_ctx *ctx, struct recovery *recovery, struct push *push)
{
	(void)ctx;
	(void)recovery;
	(void)push;
	return false;
}

uint32_t
recovery_read(struct recovery *recovery, struct station *station, struct push **out, uint32_t most)
{
	(void)recovery;
	(void)station;
	(void)out;
	(void)most;
	return 0;
}

void
recovery_gap(struct recovery *recovery)
{
	(void)recovery;
}

static const void *
module(struct convro_ctx *ctx)
{
	(void)ctx;
	return NULL;
}

static void
set_module(struct convro_ctx *ctx, const void *to)
{
	(void)ctx;
	(void)to;
}

static uint32_t
worker(struct convro_ctx *ctx)
{
	(void)ctx;
	return fake.worker;
}

static enum convro_status
post(struct convro_ctx *ctx, uint32_t to, convro_task *task, void *arg)
{
	(void)ctx;
	if (fake.post_fails)
		return CONVRO_NO_MEMORY;
	assert_true(fake.posts < MOST);
	fake.posted[fake.posts].worker = to;
	fake.posted[fake.posts].task = task;
	fake.posted[fake.posts++].arg = arg;
	return CONVRO_OK;
}

static struct convro_frame *
frame(const void *data, size_t len, int binary)
{
	(void)data;
	(void)len;
	assert_false(binary);
	fake.frames++;
	return (struct convro_frame *)&fake;
}

static void
frame_unref(struct convro_frame *which)
{
	assert_ptr_equal(which, &fake);
	fake.frames--;
}

static const struct convro_bus_table bus = {
	.size = sizeof(bus), .module = module, .set_module = set_module
};
static const struct convro_work_table work = {
	.size = sizeof(work), .worker = worker, .post_in_commit_order = post
};
static const struct convro_socket_table socket_table = {
	.size = sizeof(socket_table), .frame = frame, .frame_unref = frame_unref
};
static const struct convro_api api = {
	.size = sizeof(api), .bus = &bus, .work = &work, .socket = &socket_table
};
static struct convro_ctx *const ctx = (struct convro_ctx *)&fake;

/* ---- a server ---- */

static const struct mount_hooks hooks = { .hold = client_hold, .ack_id = client_ack_id };
static struct mount *mount;
static struct session *sessions[STATIONS];
static struct client clients[STATIONS];

static int
setup(void **state)
{
	(void)state;
	convro = &api;
	memset(&fake, 0, sizeof(fake));
	mount = calloc(1, sizeof(*mount));
	assert_non_null(mount);
	mount->hooks = &hooks;
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
		clients[i] = (struct client){
			.socket = { .session = sessions[i], .state = SOCKET_CONNECTED, .id = "x" }
		};
	}
	realtime_mount(mount);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < STATIONS; i++) {
		rooms_leave_all(&mount->stations[i].rooms, &clients[i].socket.rooms);
		rooms_fini(&mount->stations[i].rooms);
		free(sessions[i]);
	}
	free(mount->stations);
	free(mount);
	assert_int_equal(fake.frames, 0);
	return 0;
}

static void
join(uint32_t client, const char *room)
{
	struct text name = { 0 };

	mount->stations[client].members++;
	assert_true(socket_room("/", slice_of(room), &name));
	assert_true(
	    rooms_join(&mount->stations[client].rooms, (struct slice){ name.data, name.len },
		&clients[client].socket.rooms, &clients[client].socket));
	text_fini(&name);
}

static void
run_posted(void)
{
	for (unsigned i = 0; i < fake.posts; i++) {
		fake.worker = fake.posted[i].worker;
		fake.posted[i].task(ctx, fake.posted[i].arg);
	}
	fake.posts = 0;
}

static int
has(const char *room)
{
	return realtime_table.has_members(ctx, room, strlen(room));
}

static void
push_room(const char *room)
{
	realtime_table.push_room(ctx, room, strlen(room), "note", "{\"a\":1}", 7);
}

/* ---- tests ---- */

static void
has_members_while_somebody_on_any_worker_is_in(void **state)
{
	(void)state;
	assert_false(has("device:0000000000000005"));
	join(2, "device:0000000000000005");
	assert_true(has("device:0000000000000005"));
	assert_false(has("device:0000000000000006"));
	assert_false(has("/,device:0000000000000005"));
	rooms_leave_all(&mount->stations[2].rooms, &clients[2].socket.rooms);
	assert_false(has("device:0000000000000005"));
}

static void
a_room_with_a_name_too_long_may_have_members(void **state)
{
	char name[300];

	(void)state;
	memset(name, 'x', sizeof(name));
	assert_true(realtime_table.has_members(ctx, name, sizeof(name)));
}

static void
pushes_to_a_room_on_the_workers_that_have_clients_with_one_frame(void **state)
{
	(void)state;
	join(0, "device:0000000000000005");
	join(2, "device:0000000000000005");
	push_room("device:0000000000000005");
	assert_int_equal(fake.posts, 2);
	assert_int_equal(fake.frames, 1);
	run_posted();
	assert_string_equal(fake.heard, "0:42[\"note\",{\"a\":1}] 2:42[\"note\",{\"a\":1}] ");
}

static void
a_push_to_nobody_costs_nothing(void **state)
{
	(void)state;
	join(0, "device:0000000000000005");
	push_room("device:0000000000000006");
	realtime_table.push(ctx, 7, "note", 0, "1", 1);
	assert_int_equal(fake.posts, 0);
	realtime_table.push(ctx, 5, "note", 0, "1", 1);
	run_posted();
	assert_string_equal(fake.heard, "0:42[\"note\",1] ");
}

static void
what_the_catch_up_told_is_not_told_again(void **state)
{
	(void)state;
	join(0, "device:0000000000000005");
	clients[0].last_cursor = 8;
	realtime_table.push(ctx, 5, "old", 8, "1", 1);
	realtime_table.push(ctx, 5, "new", 9, "1", 1);
	run_posted();
	assert_string_equal(fake.heard, "0:42[\"new\",1] ");
}

static void
a_worker_that_cannot_be_told_sends_its_clients_away(void **state)
{
	(void)state;
	join(1, "device:0000000000000005");
	fake.post_fails = true;
	push_room("device:0000000000000005");
	assert_true(mount->stations[1].missed);
	assert_false(mount->stations[0].missed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    has_members_while_somebody_on_any_worker_is_in, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_room_with_a_name_too_long_may_have_members, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    pushes_to_a_room_on_the_workers_that_have_clients_with_one_frame, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(a_push_to_nobody_costs_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    what_the_catch_up_told_is_not_told_again, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_worker_that_cannot_be_told_sends_its_clients_away, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
