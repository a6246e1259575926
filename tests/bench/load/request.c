/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests as text: see request.h.
 */
#include "request.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_ROOM = 4096, BYTES_MAX = 65536, TAG_BYTES = 16 };

/* Client ids are UUIDs, as clients make them; the last twelve digits are the number. */
#define CLIENT_ID "%08" PRIx32 "-0000-4000-8000-%012" PRIx64

static char *
random_base64(size_t bytes)
{
	size_t room = sodium_base64_encoded_len(bytes, sodium_base64_VARIANT_ORIGINAL);
	uint8_t *random = allocate(bytes, 1);
	char *text = allocate(room, 1);

	randombytes_buf(random, bytes);
	sodium_bin2base64(text, room, random, bytes, sodium_base64_VARIANT_ORIGINAL);
	free(random);
	return text;
}

void
requests_init(struct requests *requests, struct load *load)
{
	uint64_t bytes = load->options->bytes > 0 ? load->options->bytes : 256;
	char *tag = random_base64(TAG_BYTES);

	if (bytes > BYTES_MAX)
		die("bytes: a message has at most %d", BYTES_MAX);
	*requests = (struct requests){ .load = load, .run = randombytes_random() };
	(void)snprintf(requests->tag, sizeof(requests->tag), "%s", tag);
	free(tag);
	requests->ciphertext = random_base64(bytes);
	requests->room = HEAD_ROOM + 2 * strlen(requests->ciphertext);
	requests->text = allocate(requests->room, 1);
}

void
requests_fini(struct requests *requests)
{
	free(requests->text);
	free(requests->ciphertext);
}

static void __attribute__((format(printf, 2, 3)))
put(struct requests *requests, const char *format, ...)
{
	size_t room = requests->room - requests->len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(requests->text + requests->len, room, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= room)
		die("a request is too long");
	requests->len += (size_t)len;
}

static void
put_head(struct requests *requests, uint64_t user)
{
	put(requests, " HTTP/1.1\r\nHost: %s\r\n", requests->load->endpoint->host);
	if (user != 0 && requests->load->tokens->key != NULL)
		put(requests, "Authorization: Bearer %s\r\n",
		    tokens_get(requests->load->tokens, user));
}

void
request_get(struct requests *requests, uint64_t user, const char *format, ...)
{
	char path[1024];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(path))
		die("a path is too long");
	requests->len = 0;
	put(requests, "GET %s", path);
	put_head(requests, user);
	put(requests, "\r\n");
}

void
request_post(struct requests *requests, uint64_t user, const char *path, const char *body)
{
	requests->len = 0;
	put(requests, "POST %s", path);
	put_head(requests, user);
	put(requests, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    strlen(body), body);
}

void
request_message(struct requests *requests, uint64_t session, uint64_t number)
{
	size_t length;
	char parts[256];
	int len = snprintf(parts, sizeof(parts),
	    "{\"sessionId\":\"%08" PRIx64 "\",\"clientMessageId\":\"" CLIENT_ID
	    "\",\"authTag\":\"%s\",\"ciphertext\":\"",
	    session, requests->run, number, requests->tag);

	length = (size_t)len + strlen(requests->ciphertext) + 2;
	requests->len = 0;
	put(requests, "POST /v1/dm/messages/send");
	put_head(requests, INITIATOR_OF(session));
	put(requests, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s%s\"}",
	    length, parts, requests->ciphertext);
}

bool
request_number_of(const struct requests *requests, const char *row, size_t len, uint64_t *out)
{
	static const char name[] = "\"clientMessageId\":\"";
	const char *at = memmem(row, len, name, sizeof(name) - 1);
	char text[37];
	uint32_t run;

	if (at == NULL || (size_t)(row + len - at) < sizeof(name) + sizeof(text))
		return false;
	memcpy(text, at + sizeof(name) - 1, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	return sscanf(text, "%8" SCNx32 "-0000-4000-8000-%12" SCNx64, &run, out) == 2 &&
	       run == requests->run;
}
