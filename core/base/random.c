/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes from getrandom(2).  Requests above 256 bytes may be cut short by a
 * signal, any request may wait for the pool at boot.
 */
#include "base/random.h"

#include "base/base64.h"
#include "base/hex.h"
#include "base/must.h"

#include <errno.h>
#include <sys/random.h>

void
random_bytes(void *out, size_t len)
{
	unsigned char *at = out;

	while (len > 0) {
		ssize_t got = getrandom(at, len, 0);

		if (got < 0) {
			MUST(errno == EINTR);
			continue;
		}
		at += got;
		len -= (size_t)got;
	}
}

uint64_t
random_u64(void)
{
	uint64_t value;

	random_bytes(&value, sizeof value);
	return value;
}

void
random_hex(char *out, size_t bytes)
{
	unsigned char data[RANDOM_ID_MAX];

	MUST(bytes > 0 && bytes <= sizeof data);
	random_bytes(data, bytes);
	hex_encode(data, bytes, out);
	out[2 * bytes] = '\0';
}

void
random_base64url(char *out, size_t bytes)
{
	unsigned char data[RANDOM_ID_MAX];

	MUST(bytes > 0 && bytes <= sizeof data);
	random_bytes(data, bytes);
	base64url_encode(data, bytes, out);
	out[base64url_encoded_len(bytes)] = '\0';
}
