/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attachments of a binary packet: collected until all are there, within a limit
 * over all of them together.
 */
#include "packet.h"

#include <stdlib.h>
#include <string.h>

/* A copy that is never NULL for lack of bytes. */
static char *
copy(const void *data, size_t len)
{
	char *bytes = malloc(len > 0 ? len : 1);

	if (bytes != NULL && len > 0)
		memcpy(bytes, data, len);
	return bytes;
}

struct packet_assembly *
packet_assembly_new(const char *data, size_t len, size_t limit)
{
	struct packet_assembly *assembly;
	struct packet packet;

	if (len > limit || packet_parse(data, len, &packet) != NULL)
		return NULL;
	assembly =
	    calloc(1, sizeof(*assembly) + packet.attachments * sizeof(assembly->attachments[0]));
	if (assembly == NULL)
		return NULL;
	assembly->limit = limit;
	assembly->bytes = len;
	assembly->text = copy(data, len);
	/* Parsed again, so that its slices point into the copy. */
	if (assembly->text == NULL ||
	    packet_parse(assembly->text, len, &assembly->packet) != NULL) {
		packet_assembly_free(assembly);
		return NULL;
	}
	return assembly;
}

void
packet_assembly_free(struct packet_assembly *assembly)
{
	unsigned i;

	if (assembly == NULL)
		return;
	for (i = 0; i < assembly->have; i++)
		free(assembly->attachments[i].data);
	free(assembly->text);
	free(assembly);
}

enum packet_added
packet_assembly_add(struct packet_assembly *assembly, const void *data, size_t len)
{
	char *bytes;

	if (assembly->have == assembly->packet.attachments ||
	    len > assembly->limit - assembly->bytes)
		return PACKET_TOO_MUCH;
	bytes = copy(data, len);
	if (bytes == NULL)
		return PACKET_NO_MEMORY;
	assembly->attachments[assembly->have].data = bytes;
	assembly->attachments[assembly->have].len = len;
	assembly->bytes += len;
	assembly->have++;
	return assembly->have == assembly->packet.attachments ? PACKET_COMPLETE : PACKET_INCOMPLETE;
}
