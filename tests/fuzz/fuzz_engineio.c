/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engine.IO payloads: whatever is read, written and read again must be the same.
 */
/* The module links against nothing of ours, so its code is compiled in. */
#include "../../modules/socketio/base64.c"
#include "../../modules/socketio/engineio.c"
#include "../../modules/socketio/text.c"

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
put(struct text *out, const struct engineio_packet *packet)
{
	if (packet->binary)
		engineio_put_binary(out, packet->data.data, packet->data.len);
	else
		engineio_put(out, packet->type, packet->data);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct engineio_payload payload;
	struct engineio_packet packet;
	enum engineio_next next;
	char *bytes = malloc(len > 0 ? len : 1);
	struct text out;

	MUST(bytes != NULL);
	if (len > 0)
		memcpy(bytes, data, len);
	text_init(&out, 0);
	engineio_payload_init(&payload, bytes, len);
	while ((next = engineio_payload_next(&payload, &packet)) == ENGINEIO_PACKET) {
		MUST(packet.data.data >= bytes && packet.data.data <= bytes + len);
		MUST(packet.data.len <= len);
		MUST(!packet.binary || packet.type == ENGINEIO_MESSAGE);
		put(&out, &packet);
	}
	MUST(engineio_payload_next(&payload, &packet) == next);
	/* A payload without a bad packet has one form only. */
	if (next == ENGINEIO_END)
		MUST(out.len == len && memcmp(out.data, data, len) == 0);
	else
		MUST(out.len <= len);
	text_fini(&out);
	free(bytes);
	return 0;
}
