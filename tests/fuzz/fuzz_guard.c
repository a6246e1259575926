/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzz target of the front guard.  Of every stream it holds that how the bytes
 * are split changes nothing, that a request written clean and read again is the
 * same one, and that no name, value or target holds NUL, CR or LF
 * (../unit/guard_transcript.h).
 */
#include "../unit/guard_transcript.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
compare(const struct buf *whole, const struct guard_limits *limits, const char *text, size_t len,
    piece_fn piece, uint64_t random)
{
	struct buf other;

	buf_init(&other, 0);
	transcribe(&other, limits, text, len, piece, random, true);
	MUST(!other.failed && other.len == whole->len);
	MUST(memcmp(other.data, whole->data, whole->len) == 0);
	buf_fini(&other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct guard_limits contract = GUARD_LIMITS;
	static const struct guard_limits tight = { 24, 160, 5, 12 };
	const struct guard_limits *all[] = { &contract, &tight };
	const char *text = (const char *)data;
	uint64_t random = 0x9e3779b97f4a7c15U ^ size;

	for (size_t i = 0; i < 2; i++) {
		struct buf whole;

		buf_init(&whole, 0);
		transcribe(&whole, all[i], text, size, piece_whole, 0, true);
		MUST(!whole.failed);
		compare(&whole, all[i], text, size, piece_byte, 0);
		compare(&whole, all[i], text, size, piece_random, random);
		compare(&whole, all[i], text, size, piece_random, random * 3);
		buf_fini(&whole);
	}
	return 0;
}
