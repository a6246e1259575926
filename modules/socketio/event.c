/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connected client says: events, and acknowledgements of ours.
 */
#include "mount.h"

#include <stdlib.h>

/* ---- answers ---- */

void
client_emit(struct convro_ctx *ctx, struct session *session, const char *name, struct slice json)
{
	struct station *station = session->station;
	struct text *out = &station->scratch;

	text_clear(out);
	engineio_begin(out, ENGINEIO_MESSAGE);
	packet_put_event(out, slice_of("/"), (struct slice){ 0 },
	    service_event_name(&station->mount->service, name), json);
	session_send(ctx, session, (struct slice){ out->data, out->len });
}

void
client_answer(struct convro_ctx *ctx, struct session *session, struct slice id, struct slice json)
{
	struct text *out = &session->station->scratch;

	if (id.len == 0)
		return;
	text_clear(out);
	engineio_begin(out, ENGINEIO_MESSAGE);
	packet_put_ack(out, slice_of("/"), id, json);
	session_send(ctx, session, (struct slice){ out->data, out->len });
}

struct convro_client_reply *
client_reply_new(struct session *session, struct slice id)
{
	struct convro_client_reply *reply = calloc(1, sizeof(*reply));

	if (reply == NULL)
		return NULL;
	session_ref(session);
	reply->session = session;
	reply->round = session->connect_round;
	reply->id_len = (uint32_t)id.len; /* at most 16: packet.c */
	if (id.len > 0)
		memcpy(reply->id, id.data, id.len);
	return reply;
}

void
client_reply(
    struct convro_ctx *ctx, struct convro_client_reply *reply, const char *json, size_t len)
{
	struct session *session = reply->session;
	const void *before = convro->bus->module(ctx);

	convro->bus->set_module(ctx, session->station->mount->module);
	if (session->state == SESSION_OPEN && session->connect_round == reply->round)
		client_answer(ctx, session, (struct slice){ reply->id, reply->id_len },
		    (struct slice){ json, len });
	convro->bus->set_module(ctx, before);
	free(reply);
	session_unref(session);
}

/* ---- events ---- */

static void
registered(struct convro_ctx *ctx, struct session *session, const struct event_handler *handler,
    const struct convro_node *array, struct slice id)
{
	struct convro_principal principal = client_principal(session);
	struct convro_client_reply *reply = client_reply_new(session, id);

	if (reply == NULL) {
		session_close(ctx, session, GOODBYE_CLOSE, "out of memory");
		return;
	}
	convro->bus->set_module(ctx, handler->module);
	handler->function(ctx, handler->self, &principal, array, reply);
	convro->bus->set_module(ctx, session->station->mount->module);
}

static void
ping(struct convro_ctx *ctx, struct session *session, struct slice id)
{
	struct convro_json *json = convro->json->make(ctx);
	const char *text;
	size_t len = 0;

	if (json == NULL)
		return;
	convro->json->open_object(json, NULL);
	convro->json->put_time(json, "timestamp", convro->db->now(ctx));
	convro->json->close_object(json);
	text = convro->json->text(json, &len);
	if (text == NULL)
		return;
	client_emit(ctx, session, "pong", (struct slice){ text, len });
	if (session->state == SESSION_OPEN)
		client_answer(ctx, session, id, (struct slice){ text, len });
}

/* Whether every placeholder stands for an attachment.  As deep as the core lets JSON be. */
static bool
placeholders_ok(const struct convro_node *node, unsigned attachments)
{
	const struct convro_node *mark, *num;
	enum convro_node_type type = convro->json->type(node);

	if (type != CONVRO_NODE_ARRAY && type != CONVRO_NODE_OBJECT)
		return true;
	mark = type == CONVRO_NODE_OBJECT ? convro->json->member(node, "_placeholder") : NULL;
	if (mark != NULL && convro->json->type(mark) == CONVRO_NODE_BOOL &&
	    convro->json->get_int(mark) != 0) {
		num = convro->json->member(node, "num");
		return num != NULL && convro->json->type(num) == CONVRO_NODE_INT &&
		       convro->json->get_int(num) >= 0 && convro->json->get_int(num) < attachments;
	}
	for (uint32_t i = 0; i < convro->json->count(node); i++)
		if (!placeholders_ok(convro->json->item(node, i), attachments))
			return false;
	return true;
}

const struct convro_node *
read_array(struct convro_ctx *ctx, const struct packet *packet)
{
	const struct convro_node *array = NULL;
	const char *text = packet->json.data;

	/* An assembly is freed before its context ends. */
	if (packet->attachments > 0)
		text = convro->mem->copy(ctx, text, packet->json.len);
	/* A NUL in a string is fine with this protocol. */
	if (text != NULL)
		(void)convro->json->parse(ctx, text, packet->json.len, &array);
	if (array != NULL && packet->attachments > 0 &&
	    !placeholders_ok(array, packet->attachments))
		return NULL;
	return array;
}

const struct convro_node *
read_event(struct convro_ctx *ctx, const struct packet *packet, struct slice *name)
{
	const struct convro_node *array = read_array(ctx, packet), *first;

	*name = (struct slice){ 0 };
	if (array == NULL || convro->json->count(array) == 0)
		return NULL;
	first = convro->json->item(array, 0);
	switch (convro->json->type(first)) {
	case CONVRO_NODE_TEXT:
		name->data = convro->json->get_text(first, &name->len);
		return packet_event_name_ok(*name) ? array : NULL;
	case CONVRO_NODE_INT:
	case CONVRO_NODE_DOUBLE:
		return array;
	default:
		return NULL;
	}
}

void
client_event(struct convro_ctx *ctx, struct session *session, const struct packet *packet)
{
	const struct convro_node *array, *argument;
	const struct event_handler *handler;
	struct slice name;

	array = read_event(ctx, packet, &name);
	if (array == NULL) {
		session_close(ctx, session, GOODBYE_ERROR, "parse error");
		return;
	}
	argument = convro->json->count(array) > 1 ? convro->json->item(array, 1) : NULL;
	handler = service_event(&session->station->mount->service, name);
	if (slice_equal(name, slice_of("ping")))
		ping(ctx, session, packet->id);
	else if (slice_equal(name, slice_of("auth.refresh")))
		client_refresh(ctx, session, packet->id, argument);
	else if (slice_equal(name, slice_of("request")))
		client_request(ctx, session, packet->id, argument);
	else if (handler != NULL)
		registered(ctx, session, handler, array, packet->id);
	else
		client_answer(ctx, session, packet->id,
		    slice_of("{\"ok\":false,\"error\":\"UNKNOWN_EVENT\"}"));
}

/* ---- acknowledgements ---- */

void
client_ack(struct convro_ctx *ctx, struct session *session, const struct packet *packet)
{
	const struct mount *mount = session->station->mount;
	const struct ack_handler *handler;
	int64_t cursor = 0;

	if (read_array(ctx, packet) == NULL) {
		session_close(ctx, session, GOODBYE_ERROR, "parse error");
		return;
	}
	handler = session->acks ? service_ack(&mount->service, packet->id_value, &cursor) : NULL;
	if (handler == NULL)
		return; /* an unknown one is ignored */
	convro->bus->set_module(ctx, handler->module);
	handler->function(ctx, handler->self, session->device_id, cursor);
	convro->bus->set_module(ctx, mount->module);
}
