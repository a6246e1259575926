/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared frames, see shared_frame.h.  Workers may make the same variant at the
 * same time; the list takes the first and the other is dropped.
 */
#include "ws/shared_frame.h"

#include <stdlib.h>
#include <string.h>

#define FRAME_MAX  (64u << 20)
#define SPARE      4 /* bytes that ws_deflate_message wants behind the message */
#define OPCODE     0x0f
#define LENGTH_16  126
#define LENGTH_64  127
#define LONG_FRAME 4 /* bytes of a header with a length of 16 bits */

static struct convro_frame *
frame_new(size_t len)
{
	struct convro_frame *frame =
	    len <= FRAME_MAX ? malloc(sizeof(*frame) + len + WS_HEADER_MAX) : NULL;

	if (frame == NULL)
		return NULL;
	atomic_init(&frame->variants, NULL);
	atomic_init(&frame->refs, 1);
	atomic_init(&frame->no_gain, 0);
	frame->len = 0;
	frame->window_bits = 0;
	return frame;
}

struct convro_frame *
frame_raw(const void *data, size_t len)
{
	struct convro_frame *frame = frame_new(len);

	if (frame == NULL)
		return NULL;
	memcpy(frame->data, data, len);
	frame->len = (uint32_t)len;
	return frame;
}

struct convro_frame *
frame_encode(enum ws_opcode opcode, const void *data, size_t len)
{
	struct convro_frame *frame = frame_new(len);
	size_t header;

	if (frame == NULL)
		return NULL;
	header = ws_frame_header(frame->data, opcode, false, len);
	if (len > 0)
		memcpy(frame->data + header, data, len);
	frame->len = (uint32_t)(header + len);
	return frame;
}

struct convro_frame *
frame_make(const void *data, size_t len, int binary)
{
	return frame_encode(binary ? WS_OP_BINARY : WS_OP_TEXT, data, len);
}

struct convro_frame *
frame_ref(struct convro_frame *frame)
{
	(void)atomic_fetch_add_explicit(&frame->refs, 1, memory_order_relaxed);
	return frame;
}

/* Each variant holds the reference of the next. */
void
frame_drop(struct convro_frame *frame)
{
	while (frame != NULL &&
	       atomic_fetch_sub_explicit(&frame->refs, 1, memory_order_acq_rel) == 1) {
		struct convro_frame *next =
		    atomic_load_explicit(&frame->variants, memory_order_relaxed);

		free(frame);
		frame = next;
	}
}

/* ---- compressed variants ---- */

static size_t
header_size(const struct convro_frame *frame)
{
	switch (frame->data[1]) {
	case LENGTH_16:
		return LONG_FRAME;
	case LENGTH_64:
		return WS_HEADER_MAX;
	default:
		return 2;
	}
}

size_t
frame_payload(const struct convro_frame *frame)
{
	return frame->len - header_size(frame);
}

static struct convro_frame *
find(struct convro_frame *first, unsigned window_bits)
{
	while (first != NULL && first->window_bits != window_bits)
		first = atomic_load_explicit(&first->variants, memory_order_acquire);
	return first;
}

/* A frame with the payload compressed, shorter than it was; NULL when it is not, or memory is out.
 */
static struct convro_frame *
make_variant(const struct convro_frame *frame, struct ws_deflate *deflate, unsigned window_bits)
{
	size_t len = frame_payload(frame), header;
	struct convro_frame *variant = frame_new(len + SPARE), *smaller;
	unsigned char *payload;

	if (variant == NULL)
		return NULL;
	payload = variant->data + WS_HEADER_MAX;
	len = ws_deflate_message(
	    deflate, window_bits, frame->data + header_size(frame), len, payload, len + SPARE);
	if (len == 0) {
		free(variant);
		return NULL;
	}
	header =
	    ws_frame_header(variant->data, (enum ws_opcode)(frame->data[0] & OPCODE), true, len);
	memmove(variant->data + header, payload, len);
	variant->len = (uint32_t)(header + len);
	variant->window_bits = (uint8_t)window_bits;
	smaller = realloc(variant, sizeof(*variant) + variant->len);
	return smaller != NULL ? smaller : variant;
}

struct convro_frame *
frame_deflated(struct convro_frame *frame, struct ws_deflate *deflate, unsigned window_bits)
{
	struct convro_frame *first = atomic_load_explicit(&frame->variants, memory_order_acquire);
	struct convro_frame *variant = find(first, window_bits), *found;
	unsigned short bit = (unsigned short)(1u << window_bits);

	if (variant != NULL)
		return variant;
	if ((atomic_load_explicit(&frame->no_gain, memory_order_relaxed) & bit) != 0)
		return frame;
	variant = make_variant(frame, deflate, window_bits);
	if (variant == NULL) {
		(void)atomic_fetch_or_explicit(&frame->no_gain, bit, memory_order_relaxed);
		return frame;
	}
	do {
		atomic_store_explicit(&variant->variants, first, memory_order_relaxed);
		if (atomic_compare_exchange_weak_explicit(&frame->variants, &first, variant,
			memory_order_acq_rel, memory_order_acquire))
			return variant;
		found = find(first, window_bits);
	} while (found == NULL);
	free(variant); /* another worker was faster */
	return found;
}
