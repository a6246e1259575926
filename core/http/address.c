/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is at the other end: the peer, or, behind trusted proxies, the rightmost
 * address of X-Forwarded-For that is no trusted proxy (wire contract, section
 * 4).  IPv4 is compared as ::ffff:a.b.c.d.
 */
#include "http/internal.h"

#include <arpa/inet.h>
#include <string.h>

/* False when the text is no address.  *is_v4 tells which kind it was. */
static bool
read_address(const char *text, size_t len, struct in6_addr *out, bool *is_v4)
{
	char copy[ADDRESS_SIZE];
	struct in_addr v4;

	if (len == 0 || len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	*is_v4 = inet_pton(AF_INET, copy, &v4) == 1;
	if (!*is_v4)
		return inet_pton(AF_INET6, copy, out) == 1;
	memset(out, 0, sizeof(*out));
	out->s6_addr[10] = 0xff;
	out->s6_addr[11] = 0xff;
	memcpy(&out->s6_addr[12], &v4, sizeof(v4));
	return true;
}

bool
network_parse(const char *text, size_t len, struct network *out)
{
	const char *slash = memchr(text, '/', len);
	size_t address_len = slash != NULL ? (size_t)(slash - text) : len;
	int64_t bits = -1;
	bool is_v4;

	if (!read_address(text, address_len, &out->address, &is_v4))
		return false;
	if (slash != NULL && text_int64(slash + 1, len - address_len - 1, &bits) != 0)
		return false;
	if (slash == NULL)
		bits = is_v4 ? 32 : 128;
	if (bits < 0 || bits > (is_v4 ? 32 : 128))
		return false;
	out->bits = (unsigned)bits + (is_v4 ? 96 : 0);
	return true;
}

static bool
is_within(const struct network *network, const struct in6_addr *address)
{
	unsigned whole = network->bits / 8, rest = network->bits % 8;

	if (memcmp(network->address.s6_addr, address->s6_addr, whole) != 0)
		return false;
	return rest == 0 ||
	       (network->address.s6_addr[whole] ^ address->s6_addr[whole]) >> (8 - rest) == 0;
}

static bool
has(const struct network *networks, uint32_t count, const char *text, size_t len, bool *valid)
{
	struct in6_addr address;
	bool is_v4;

	*valid = read_address(text, len, &address, &is_v4);
	for (uint32_t i = 0; *valid && i < count; i++)
		if (is_within(&networks[i], &address))
			return true;
	return false;
}

bool
network_has(const struct network *networks, uint32_t count, const char *address)
{
	bool valid;

	return has(networks, count, address, strlen(address), &valid);
}

/* "[::1]:80" and "1.2.3.4:80" without brackets and port. */
static struct slice
without_port(struct slice text)
{
	const char *colon, *close;

	if (text.len > 0 && text.data[0] == '[') {
		close = memchr(text.data, ']', text.len);
		if (close != NULL)
			return (struct slice){ text.data + 1, (size_t)(close - text.data) - 1 };
	}
	colon = memchr(text.data, ':', text.len);
	if (colon != NULL && memchr(text.data, '.', text.len) != NULL)
		text.len = (size_t)(colon - text.data);
	return text;
}

void
forwarded_address(const struct network *proxies, uint32_t count, const char *peer,
    const char *forwarded, char out[ADDRESS_SIZE])
{
	size_t end = forwarded != NULL ? strlen(forwarded) : 0;

	(void)memcpy(out, peer, strlen(peer) + 1);
	if (!network_has(proxies, count, peer))
		return;
	while (end > 0) {
		size_t start = end;
		struct slice at;
		bool valid, trusted;

		while (start > 0 && forwarded[start - 1] != ',')
			start--;
		at = without_port(slice_trim((struct slice){ forwarded + start, end - start }));
		trusted = has(proxies, count, at.data, at.len, &valid);
		if (!valid)
			return; /* what stands left of it came from whoever wrote that */
		memcpy(out, at.data, at.len);
		out[at.len] = '\0';
		if (!trusted)
			return;
		end = start > 0 ? start - 1 : 0;
	}
}

/* All X-Forwarded-For headers as one list. */
static const char *
join_forwarded(const struct http_request *request)
{
	const struct message *message = &request->message;
	const char *first = NULL;
	size_t len = 0;
	char *joined;

	for (uint32_t i = 0; i < message->header_count; i++) {
		if (strcmp(message->headers[i].name, "x-forwarded-for") != 0)
			continue;
		first = first == NULL ? message->headers[i].value : first;
		len += strlen(message->headers[i].value) + 1;
	}
	if (first == NULL || strlen(first) + 1 == len)
		return first;
	joined = mem_table.alloc(request->ctx, len);
	if (joined == NULL)
		return NULL;
	len = 0;
	for (uint32_t i = 0; i < message->header_count; i++) {
		size_t value_len = strlen(message->headers[i].value);

		if (strcmp(message->headers[i].name, "x-forwarded-for") != 0)
			continue;
		if (len > 0)
			joined[len++] = ',';
		memcpy(joined + len, message->headers[i].value, value_len + 1);
		len += value_len;
	}
	return joined;
}

const char *
request_address(struct http_request *request)
{
	const struct http_settings *settings = &request->http->http->settings;
	char *found;

	if (request->address != NULL)
		return request->address;
	request->address = request->message.peer;
	if (settings->proxy_count == 0)
		return request->address;
	found = mem_table.alloc(request->ctx, ADDRESS_SIZE);
	if (found != NULL) {
		forwarded_address(settings->proxies, settings->proxy_count, request->message.peer,
		    join_forwarded(request), found);
		request->address = found;
	}
	return request->address;
}

void
address_text(const struct sockaddr *address, char out[ADDRESS_SIZE])
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	out[0] = '\0';
	if (address->sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &v4->sin_addr, out, ADDRESS_SIZE);
	else if (address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		(void)inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], out, ADDRESS_SIZE);
	else if (address->sa_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, out, ADDRESS_SIZE);
}
