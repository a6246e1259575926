/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening handshake of WebSocket (RFC 6455, sections 4.2.1 and 4.2.2).
 */
#include "ws/handshake.h"

#include <openssl/evp.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>

#define GUID        "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_LEN     24 /* 16 bytes in base64 */
#define KEY_PADDING 2
#define SHA1_SIZE   20

bool
ws_header_has(const char *value, const char *token)
{
	size_t len = strlen(token);

	while (value != NULL && *value != '\0') {
		size_t item, rest;

		value += strspn(value, " \t,");
		item = strcspn(value, " \t,");
		rest = item + strspn(value + item, " \t");
		if (item == len && strncasecmp(value, token, len) == 0 &&
		    (value[rest] == ',' || value[rest] == '\0'))
			return true;
		value += strcspn(value, ",");
	}
	return false;
}

/* 16 bytes in padded base64; the two unused bits of the last letter may be anything. */
static bool
is_key(const char *key)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	return strlen(key) == KEY_LEN && strspn(key, alphabet) == KEY_LEN - KEY_PADDING &&
	       strcmp(key + KEY_LEN - KEY_PADDING, "==") == 0;
}

int
ws_handshake_status(
    const char *upgrade, const char *connection, const char *version, const char *key)
{
	if (!ws_header_has(upgrade, "websocket") || !ws_header_has(connection, "upgrade"))
		return 400;
	if (version == NULL)
		return 400;
	if (strcmp(version, "13") != 0)
		return 426;
	if (key == NULL || !is_key(key))
		return 400;
	return 101;
}

/* Looking the algorithm up costs more than using it: done once, and kept as long as the process
 * lives.  NULL when memory is out. */
static const EVP_MD *
sha1(void)
{
	static _Atomic(EVP_MD *) kept;
	EVP_MD *other = NULL, *md = atomic_load(&kept);

	if (md != NULL)
		return md;
	md = EVP_MD_fetch(NULL, "SHA1", NULL);
	if (md != NULL && !atomic_compare_exchange_strong(&kept, &other, md)) {
		EVP_MD_free(md);
		md = other;
	}
	return md;
}

bool
ws_handshake_accept(const char *key, char out[WS_ACCEPT_SIZE])
{
	char text[KEY_LEN + sizeof(GUID) - 1];
	unsigned char hash[SHA1_SIZE];
	const EVP_MD *md = sha1();

	memcpy(text, key, KEY_LEN);
	memcpy(text + KEY_LEN, GUID, sizeof(GUID) - 1);
	if (md == NULL || EVP_Digest(text, sizeof(text), hash, NULL, md, NULL) != 1)
		return false;
	EVP_EncodeBlock((unsigned char *)out, hash, sizeof(hash));
	return true;
}
