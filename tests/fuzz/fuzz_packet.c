/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket.IO packets: what is accepted keeps its promises, is the same once
 * written and parsed again, and survives the collecting of attachments, for
 * which the bytes themselves serve.
 */
/* The module links against nothing of ours, so its code is compiled in. */
#include "../../modules/socketio/assembly.c"
#include "../../modules/socketio/packet.c"
#include "../../modules/socketio/packet_write.c"
#include "../../modules/socketio/text.c"

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
check(const struct packet *packet)
{
	bool binary = packet->type == PACKET_BINARY_EVENT || packet->type == PACKET_BINARY_ACK;

	MUST(packet->type != PACKET_CONNECT_ERROR && packet->type <= PACKET_BINARY_ACK);
	MUST(binary ? packet->attachments >= 1 && packet->attachments <= PACKET_MAX_ATTACHMENTS
		    : packet->attachments == 0);
	MUST(packet->namespace.len >= 1 && packet->namespace.len <= PACKET_MAX_NAMESPACE);
	MUST(packet->namespace.data[0] == '/');
	MUST(memchr(packet->namespace.data, ',', packet->namespace.len) == NULL);
	MUST(packet->id_value <= PACKET_MAX_ID);
}

static void
collect(const char *data, size_t len)
{
	struct packet_assembly *assembly = packet_assembly_new(data, len, len * 5);
	enum packet_added added = PACKET_INCOMPLETE;
	unsigned count = 0;

	MUST(assembly != NULL);
	while (added == PACKET_INCOMPLETE) {
		added = packet_assembly_add(assembly, data, len);
		count++;
	}
	MUST(added == (assembly->packet.attachments <= 4 ? PACKET_COMPLETE : PACKET_TOO_MUCH));
	MUST(count == (added == PACKET_COMPLETE ? assembly->packet.attachments : 5));
	MUST(assembly->bytes <= assembly->limit);
	packet_assembly_free(assembly);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *bytes = malloc(len > 0 ? len : 1);
	struct packet packet, again;
	struct text out;

	MUST(bytes != NULL);
	if (len > 0)
		memcpy(bytes, data, len);
	text_init(&out, 0);
	if (packet_parse(bytes, len, &packet) == NULL) {
		check(&packet);
		packet_put_head(&out, packet.type, packet.attachments, packet.namespace, packet.id);
		text_put_slice(&out, packet.json);
		MUST(packet_parse(out.data, out.len, &again) == NULL);
		MUST(again.type == packet.type && again.attachments == packet.attachments);
		MUST(slice_equal(again.namespace, packet.namespace));
		MUST(slice_equal(again.id, packet.id) && again.id_value == packet.id_value);
		MUST(slice_equal(again.json, packet.json));
		if (packet.attachments > 0)
			collect(bytes, len);
	}
	text_fini(&out);
	free(bytes);
	return 0;
}
