/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Socket.IO server that protocol suites talk to.  Whatever does not fit is
 * ignored.
 */
#include "conformance.h"

#include <stdio.h>
#include <string.h>

/* The arguments from the `skip` on. */
static struct convro_socketio_args
rest(struct convro_ctx *ctx, const struct convro_socketio_args *args, uint32_t skip)
{
	struct convro_json *json = convro->json->make(ctx);
	struct convro_socketio_args out = *args;
	const char *text;
	size_t len = 0;

	out.json = "";
	out.len = 0;
	if (json == NULL)
		return out;
	convro->json->open_array(json, NULL);
	for (uint32_t i = args->first + skip; i < convro->json->count(args->array); i++)
		convro->json->put_node(json, NULL, convro->json->item(args->array, i));
	convro->json->close_array(json);
	text = convro->json->text(json, &len);
	if (text == NULL)
		return out;
	out.json = text + 1;
	out.len = len - 2;
	return out;
}

static const char *
first_text(const struct convro_socketio_args *args, size_t *len)
{
	if (convro->json->count(args->array) <= args->first)
		return NULL;
	return convro->json->get_text(convro->json->item(args->array, args->first), len);
}

void
conformance_connected(struct convro_ctx *ctx, void *self, struct convro_socketio_socket *socket,
    const struct convro_node *auth, int recovered)
{
	const struct conformance *conformance = self;
	struct convro_json *json = convro->json->make(ctx);
	struct convro_socketio_args args = { .json = "{}", .len = 2 };

	(void)recovered;
	if (auth != NULL && json != NULL) {
		convro->json->put_node(json, NULL, auth);
		args.json = convro->json->text(json, &args.len);
	}
	if (args.json != NULL)
		conformance->io->emit(ctx, socket, "auth", &args);
}

/* Who is in the room "reasons" is told who has gone, and why. */
void
conformance_disconnected(
    struct convro_ctx *ctx, void *self, struct convro_socketio_socket *socket, const char *why)
{
	const struct conformance *conformance = self;
	char text[100];
	int len =
	    snprintf(text, sizeof(text), "\"%.20s\",\"%.60s\"", conformance->io->id(socket), why);
	const struct convro_socketio_args args = { .json = text, .len = (size_t)len };

	conformance->io->emit_room(
	    ctx, conformance->sockets, "/", "reasons", 7, NULL, "gone", &args);
}

static void
answered(struct convro_ctx *ctx, void *arg, struct convro_socketio_socket *socket,
    const struct convro_socketio_args *args)
{
	const struct conformance *conformance = arg;

	if (args != NULL)
		conformance->io->emit(ctx, socket, "answered", args);
}

static void
join(struct convro_ctx *ctx, const struct convro_socketio *io,
    struct convro_socketio_socket *socket, const struct convro_socketio_args *args)
{
	size_t len = 0;
	const char *room = first_text(args, &len);

	(void)ctx;
	if (room != NULL)
		(void)io->join(socket, room, len);
}

static void
push(struct convro_ctx *ctx, const struct conformance *conformance,
    struct convro_socketio_socket *socket, const struct convro_socketio_args *args)
{
	const struct convro_socketio *io = conformance->io;
	size_t len = 0;
	const char *room = first_text(args, &len);
	struct convro_socketio_args more = rest(ctx, args, 1);

	if (room != NULL)
		io->emit_room(ctx, conformance->sockets, io->namespace_of(socket), room, len, NULL,
		    "pushed", &more);
}

void
conformance_event(struct convro_ctx *ctx, void *self, struct convro_socketio_socket *socket,
    const char *name, size_t name_len, const struct convro_socketio_args *args,
    struct convro_socketio_reply *reply)
{
	const struct conformance *conformance = self;
	const struct convro_socketio *io = conformance->io;
	static const struct convro_socketio_args nothing = { .json = "" };
	const struct convro_socketio_args *answer = NULL;
	char event[32] = "";

	if (name_len < sizeof(event) && strcmp(io->namespace_of(socket), "/") == 0)
		memcpy(event, name, name_len);
	if (strcmp(event, "message") == 0)
		io->emit(ctx, socket, "message-back", args);
	else if (strcmp(event, "message-with-ack") == 0)
		answer = args;
	else if (strcmp(event, "join") == 0)
		join(ctx, io, socket, args);
	else if (strcmp(event, "push") == 0)
		push(ctx, conformance, socket, args);
	else if (strcmp(event, "ask") == 0)
		(void)io->emit_ack(ctx, socket, "question", args, answered, self);
	if (strcmp(event, "join") == 0)
		answer = &nothing;
	io->reply(ctx, reply, answer);
	if (strcmp(event, "kick") == 0 || strcmp(event, "kick-hard") == 0)
		io->disconnect(ctx, socket, event[4] != '\0');
}
