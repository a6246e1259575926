/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of catch_up.c put in the place of the rest of the module and of
 * the core.  Included once, behind the module's code and cmocka.
 */
#ifndef CATCH_UP_KIT_H
#define CATCH_UP_KIT_H

const struct convro_api *convro;

static struct {
	char heard[2000]; /* what the client got */
	size_t waiting;   /* bytes that it has not read */
	const char *closed;
	convro_task *task; /* posted */
	void *arg;
	bool post_fails;
} fake;

static struct mount mount;
static struct station station;
static struct session *session;
static struct client client;
static struct socket_recovery recovering;

struct push *
client_push_new(
    struct mount *of, struct slice room, const char *event, int64_t cursor, struct slice json)
{
	struct push *push = calloc(1, sizeof(*push));

	assert_ptr_equal(of, &mount);
	(void)room;
	push->refs = 1;
	push->cursor = cursor;
	text_init(&push->text, 0);
	text_puts(&push->text, event);
	text_put_slice(&push->text, json);
	return push;
}

bool
push_finish(struct push *push, struct slice offset)
{
	text_put_slice(&push->text, offset);
	return !push->text.failed;
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
	text_fini(&push->text);
	free(push);
}

void
push_write(struct convro_ctx *ctx, struct convro_socketio_socket *to, const struct push *push)
{
	size_t at = strlen(fake.heard);

	(void)ctx;
	assert_ptr_equal(to, &client.socket);
	snprintf(fake.heard + at, sizeof(fake.heard) - at, "%.*s ", (int)push->text.len,
	    push->text.data);
}

bool
client_ack_id(const struct convro_socketio_socket *socket, const struct push *push, uint64_t *out)
{
	(void)out;
	assert_ptr_equal(socket, &client.socket);
	return client.acks && push->cursor > 0;
}

struct slice
recovery_catch_up_offset(struct convro_socketio_socket *socket, char out[OFFSET_SIZE])
{
	int len = snprintf(out, OFFSET_SIZE, ".%u", ++socket->recovery->told);

	return (struct slice){ out, (size_t)len };
}

size_t
session_queued(const struct session *of)
{
	(void)of;
	return fake.waiting;
}

void
session_close(struct convro_ctx *ctx, struct session *which, enum goodbye goodbye, const char *why)
{
	(void)ctx;
	(void)goodbye;
	assert_ptr_equal(which, session);
	fake.closed = why;
	catch_up_stop(&client);
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

static void
set_module(struct convro_ctx *ctx, const void *module)
{
	(void)ctx;
	(void)module;
}

static enum convro_status
post(struct convro_ctx *ctx, uint32_t worker, convro_task *task, void *arg)
{
	(void)ctx;
	(void)worker;
	if (fake.post_fails)
		return CONVRO_NO_MEMORY;
	assert_null(fake.task);
	fake.task = task;
	fake.arg = arg;
	return CONVRO_OK;
}

static int64_t
now(struct convro_ctx *ctx)
{
	(void)ctx;
	return 0;
}

static const struct convro_bus_table bus = { .size = sizeof(bus), .set_module = set_module };
static const struct convro_work_table work = { .size = sizeof(work), .post = post };
static const struct convro_timer_table timer = { .size = sizeof(timer), .now = now };
static const struct convro_api api = {
	.size = sizeof(api), .bus = &bus, .work = &work, .timer = &timer
};

#endif
