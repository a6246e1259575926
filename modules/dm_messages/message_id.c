/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clientMessageId in the store: 00 and 16 bytes for a canonical lower-case
 * UUID (the usual case, 17 bytes instead of 36), 01 and the text for any other,
 * 02 and 16 random bytes where the client gave none.
 */
#include "dm_messages.h"

#include <string.h>
#include <sys/random.h>

enum { FORM_UUID, FORM_TEXT, FORM_OWN, UUID_BYTES = 16, UUID_TEXT = 36 };

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
is_dash(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

static bool
pack_uuid(const char *text, size_t len, uint8_t out[UUID_BYTES])
{
	size_t digits = 0;

	if (len != UUID_TEXT)
		return false;
	for (size_t i = 0; i < len; i++) {
		int value = hex_value(text[i]);

		if (is_dash(i)) {
			if (text[i] != '-')
				return false;
			continue;
		}
		if (value < 0)
			return false;
		if (digits % 2 == 0)
			out[digits / 2] = (uint8_t)(value << 4);
		else
			out[digits / 2] |= (uint8_t)value;
		digits++;
	}
	return true;
}

size_t
message_id_pack(const char *text, size_t len, uint8_t out[CMID_MAX])
{
	if (text == NULL) {
		out[0] = FORM_OWN;
		/* Of 16 bytes getrandom gives all once the system's pool was ready. */
		(void)!getrandom(out + 1, UUID_BYTES, 0);
		return 1 + UUID_BYTES;
	}
	if (pack_uuid(text, len, out + 1)) {
		out[0] = FORM_UUID;
		return 1 + UUID_BYTES;
	}
	out[0] = FORM_TEXT;
	memcpy(out + 1, text, len);
	return 1 + len;
}

void
message_id_put(struct convro_json *json, const uint8_t *cmid, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char text[UUID_TEXT];
	char *to = text;

	if (len > 1 && cmid[0] == FORM_TEXT) {
		convro->json->put_text_n(json, "clientMessageId", (const char *)cmid + 1, len - 1);
		return;
	}
	if (len != 1 + UUID_BYTES || cmid[0] != FORM_UUID) {
		convro->json->put_null(json, "clientMessageId");
		return;
	}
	for (size_t i = 1; i <= UUID_BYTES; i++) {
		*to++ = digits[cmid[i] >> 4];
		*to++ = digits[cmid[i] & 15];
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*to++ = '-';
	}
	convro->json->put_text_n(json, "clientMessageId", text, sizeof(text));
}
