/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Socket.IO server that looks at its clients before it lets them in, and what
 * only some servers need: time limits of acknowledgements, volatile events, and
 * the service "realtime.v1" from outside.
 */
#include "conformance.h"

#include <stdlib.h>
#include <string.h>

static const struct convro_node *
argument(const struct convro_socketio_args *args, uint32_t which)
{
	uint32_t at = args->first + which;

	return at < convro->json->count(args->array) ? convro->json->item(args->array, at) : NULL;
}

static const char *
text_of(const struct convro_node *node, size_t *len)
{
	*len = 0;
	return node != NULL ? convro->json->get_text(node, len) : NULL;
}

static int
is(const char *text, size_t len, const char *word)
{
	return text != NULL && len == strlen(word) && memcmp(text, word, len) == 0;
}

/* ---- who comes in ---- */

struct visitor {
	const struct conformance *conformance;
	struct convro_socketio_socket *socket;
	struct convro_socketio_admission *admission;
	char name[32];
};

/* auth {name, how}: "now" and "later" are let in, all others are told. */
static void
decide(struct convro_ctx *ctx, void *arg)
{
	struct visitor *visitor = arg;
	const struct convro_socketio *io = visitor->conformance->io;

	io->set_user(visitor->socket, visitor);
	if (!io->admit(ctx, visitor->admission))
		free(visitor);
}

static void
connecting(struct convro_ctx *ctx, void *self, struct convro_socketio_socket *socket,
    const struct convro_node *auth, struct convro_socketio_admission *admission)
{
	const struct conformance *conformance = self;
	struct visitor *visitor = calloc(1, sizeof(*visitor));
	size_t len = 0, name_len = 0;
	const char *how = text_of(auth != NULL ? convro->json->member(auth, "how") : NULL, &len);
	const char *name =
	    text_of(auth != NULL ? convro->json->member(auth, "name") : NULL, &name_len);

	if (visitor == NULL || name == NULL || name_len >= sizeof(visitor->name) ||
	    (!is(how, len, "now") && !is(how, len, "later"))) {
		free(visitor);
		conformance->io->refuse(ctx, admission, "not you", "{\"code\":7}", 10);
		return;
	}
	*visitor = (struct visitor){ conformance, socket, admission, "" };
	memcpy(visitor->name, name, name_len);
	(void)conformance->io->identify(socket, name, name_len);
	(void)conformance->io->join(socket, "all", 3);
	if (is(how, len, "now") || convro->timer->after(ctx, 200, decide, visitor) == NULL)
		decide(ctx, visitor);
}

static void
disconnected(
    struct convro_ctx *ctx, void *self, struct convro_socketio_socket *socket, const char *why)
{
	const struct conformance *conformance = self;

	(void)ctx;
	(void)why;
	free(conformance->io->user(socket));
	conformance->io->set_user(socket, NULL);
}

/* ---- what they ask for ---- */

static void
outcome(struct convro_ctx *ctx, void *arg, struct convro_socketio_socket *socket,
    enum convro_status status, const struct convro_socketio_args *args)
{
	const struct conformance *conformance = arg;
	struct convro_socketio_args told = { .json = "\"late\"", .len = 6 };

	if (status == CONVRO_OK)
		told = *args;
	conformance->io->emit(ctx, socket, status == CONVRO_FAILED ? "gone" : "outcome", &told);
}

static void
ask(struct convro_ctx *ctx, const struct conformance *conformance,
    struct convro_socketio_socket *socket, const struct convro_socketio_args *args)
{
	const struct convro_node *limit = argument(args, 0);
	const struct convro_socketio_emit how = {
		.size = sizeof(how),
		.ack_timeout = limit != NULL ? (uint32_t)convro->json->get_int(limit) : 0,
		.answered = outcome,
		.arg = (void *)(uintptr_t)conformance,
	};

	(void)conformance->io->emit_with(ctx, socket, "question", NULL, &how);
}

static void
whisper(struct convro_ctx *ctx, const struct conformance *conformance,
    struct convro_socketio_socket *socket, const struct convro_socketio_args *args, int to_all)
{
	static const struct convro_socketio_emit how = { .size = sizeof(how),
		.flags = CONVRO_SOCKETIO_VOLATILE };

	if (to_all)
		conformance->io->emit_room_with(
		    ctx, conformance->guarded, "/", "all", 3, socket, "whisper", args, &how);
	else
		(void)conformance->io->emit_with(ctx, socket, "whisper", args, &how);
}

/* [room, text]: to the clients of the server's own realtime. */
static void
push(struct convro_ctx *ctx, const struct conformance *conformance,
    const struct convro_socketio_args *args)
{
	size_t len = 0;
	const char *room = text_of(argument(args, 0), &len);
	struct convro_json *json = convro->json->make(ctx);
	const char *text;
	size_t text_len = 0;

	if (room == NULL || json == NULL || argument(args, 1) == NULL)
		return;
	convro->json->put_node(json, NULL, argument(args, 1));
	text = convro->json->text(json, &text_len);
	if (text != NULL)
		conformance->realtime->push_room(ctx, room, len, "test.note", text, text_len);
}

static int
has_members(struct convro_ctx *ctx, const struct conformance *conformance,
    const struct convro_socketio_args *args)
{
	size_t len = 0;
	const char *room = text_of(argument(args, 0), &len);

	return room != NULL && conformance->realtime->has_members(ctx, room, len);
}

static void
event(struct convro_ctx *ctx, void *self, struct convro_socketio_socket *socket, const char *name,
    size_t name_len, const struct convro_socketio_args *args, struct convro_socketio_reply *reply)
{
	const struct conformance *conformance = self;
	const struct convro_socketio *io = conformance->io;
	const struct visitor *visitor = io->user(socket);
	struct convro_socketio_args answer = { .json = "null", .len = 4 };
	char event[32] = "", quoted[40];

	if (name_len < sizeof(event))
		memcpy(event, name, name_len);
	if (strcmp(event, "who") == 0) {
		answer.len = strlen(visitor->name) + 2;
		quoted[0] = quoted[answer.len - 1] = '"';
		memcpy(quoted + 1, visitor->name, answer.len - 2);
		answer.json = quoted;
	} else if (strcmp(event, "members") == 0) {
		answer.json = has_members(ctx, conformance, args) ? "true" : "false";
		answer.len = strlen(answer.json);
	} else if (strcmp(event, "ask-within") == 0) {
		ask(ctx, conformance, socket, args);
	} else if (strcmp(event, "say") == 0) {
		io->emit(ctx, socket, "said", args);
	} else if (strcmp(event, "leave") == 0) {
		io->leave(socket, "all", 3);
	} else if (strcmp(event, "say-all") == 0) {
		io->emit_room(ctx, conformance->guarded, "/", "all", 3, socket, "said", args);
	} else if (strcmp(event, "whisper") == 0 || strcmp(event, "whisper-all") == 0) {
		whisper(ctx, conformance, socket, args, event[7] != '\0');
	} else if (strcmp(event, "push-room") == 0) {
		push(ctx, conformance, args);
	}
	io->reply(ctx, reply, &answer);
}

void
conformance_guard(struct convro_socketio_options *options)
{
	options->ping_interval = 25000;
	options->ping_timeout = 20000;
	options->connecting = connecting;
	options->connected = NULL;
	options->event = event;
	options->disconnected = disconnected;
}
