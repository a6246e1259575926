/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket.IO v5 packets: writing.
 */
#include "packet.h"

void
packet_put_head(struct text *out, enum packet_type type, unsigned attachments,
    struct slice namespace, struct slice id)
{
	text_putc(out, (char)('0' + type));
	if (attachments > 0) {
		text_put_uint(out, attachments);
		text_putc(out, '-');
	}
	if (namespace.len > 1) { /* longer than "/" */
		text_put_slice(out, namespace);
		text_putc(out, ',');
	}
	text_put_slice(out, id);
}

void
packet_put_connect(struct text *out, struct slice namespace, struct slice sid, struct slice pid)
{
	packet_put_head(out, PACKET_CONNECT, 0, namespace, (struct slice){ 0 });
	text_puts(out, "{\"sid\":");
	text_put_json_string(out, sid);
	if (pid.len > 0) {
		text_puts(out, ",\"pid\":");
		text_put_json_string(out, pid);
	}
	text_putc(out, '}');
}

void
packet_put_disconnect(struct text *out, struct slice namespace)
{
	packet_put_head(out, PACKET_DISCONNECT, 0, namespace, (struct slice){ 0 });
}

void
packet_put_open_event(struct text *out, struct slice namespace, struct slice id, struct slice name,
    unsigned attachments, struct slice args)
{
	packet_put_head(
	    out, attachments > 0 ? PACKET_BINARY_EVENT : PACKET_EVENT, attachments, namespace, id);
	text_putc(out, '[');
	text_put_json_string(out, name);
	if (args.len > 0)
		text_putc(out, ',');
	text_put_slice(out, args);
}

void
packet_put_event(
    struct text *out, struct slice namespace, struct slice id, struct slice name, struct slice args)
{
	packet_put_open_event(out, namespace, id, name, 0, args);
	text_putc(out, ']');
}

void
packet_put_ack(struct text *out, struct slice namespace, struct slice id, struct slice args)
{
	packet_put_head(out, PACKET_ACK, 0, namespace, id);
	text_putc(out, '[');
	text_put_slice(out, args);
	text_putc(out, ']');
}

void
packet_put_connect_error(
    struct text *out, struct slice namespace, struct slice message, struct slice data)
{
	packet_put_head(out, PACKET_CONNECT_ERROR, 0, namespace, (struct slice){ 0 });
	text_puts(out, "{\"message\":");
	text_put_json_string(out, message);
	if (data.len > 0) {
		text_puts(out, ",\"data\":");
		text_put_slice(out, data);
	}
	text_putc(out, '}');
}
