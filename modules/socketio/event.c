/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connected client says: events, and acknowledgements of ours.
 */
#include "mount.h"

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

/* ---- events ---- */

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

/* An event's array; NULL when it is none that the protocol allows. */
static const struct convro_node *
read_event(struct convro_ctx *ctx, const struct packet *packet, struct slice *name)
{
	const struct convro_node *array = NULL, *first;

	*name = (struct slice){ 0 };
	if (convro->json->parse(ctx, packet->json.data, packet->json.len, &array) != CONVRO_OK ||
	    convro->json->count(array) == 0)
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
	struct slice name;

	array = read_event(ctx, packet, &name);
	if (array == NULL) {
		session_close(ctx, session, GOODBYE_ERROR, "parse error");
		return;
	}
	argument = convro->json->count(array) > 1 ? convro->json->item(array, 1) : NULL;
	if (slice_equal(name, slice_of("ping")))
		ping(ctx, session, packet->id);
	else if (slice_equal(name, slice_of("auth.refresh")))
		client_refresh(ctx, session, packet->id, argument);
	else
		client_answer(ctx, session, packet->id,
		    slice_of("{\"ok\":false,\"error\":\"UNKNOWN_EVENT\"}"));
}

/* ---- acknowledgements ---- */

void
client_ack(struct convro_ctx *ctx, struct session *session, const struct packet *packet)
{
	const struct mount *mount = session->station->mount;
	const struct convro_node *array;
	const struct ack_handler *handler;
	int64_t cursor = 0;

	if (convro->json->parse(ctx, packet->json.data, packet->json.len, &array) != CONVRO_OK) {
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
