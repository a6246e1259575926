/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections to the server: see endpoint.h.
 */
#include "endpoint.h"

#include "base.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SOURCES = 16 };

bool
endpoint_parse(const char *url, struct endpoint *out)
{
	static const char scheme[] = "http://";
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	const char *host = url + sizeof(scheme) - 1;
	const char *colon;
	char name[256], port[6];
	size_t len;

	*out = (struct endpoint){ 0 };
	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
		return false;
	len = strcspn(host, "/");
	colon = memrchr(host, ':', len);
	if (colon == NULL || colon == host || (size_t)(colon - host) >= sizeof(name) ||
	    (size_t)(host + len - colon) > sizeof(port))
		return false;
	(void)snprintf(out->host, sizeof(out->host), "%.*s", (int)len, host);
	(void)snprintf(port, sizeof(port), "%.*s", (int)(host + len - colon) - 1, colon + 1);
	len = (size_t)(colon - host);
	if (host[0] == '[' && host[len - 1] == ']') {
		host++;
		len -= 2;
	}
	(void)snprintf(name, sizeof(name), "%.*s", (int)len, host);
	if (getaddrinfo(name, port, &hints, &found) != 0)
		return false;
	memcpy(&out->address, found->ai_addr, found->ai_addrlen);
	out->len = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

/* The port is chosen at connect(), so that all addresses share none. */
static void
bind_source(int fd, unsigned number)
{
	struct sockaddr_in source = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number % SOURCES) };
	int on = 1;

	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on)) == 0)
		(void)bind(fd, (struct sockaddr *)&source, sizeof(source));
}

static bool
is_loopback(const struct endpoint *endpoint)
{
	struct sockaddr_in address;

	if (endpoint->address.ss_family != AF_INET)
		return false;
	memcpy(&address, &endpoint->address, sizeof(address));
	return ntohl(address.sin_addr.s_addr) >> 24 == 127;
}

int
endpoint_connect(struct endpoint *endpoint)
{
	int fd = socket(endpoint->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (is_loopback(endpoint))
		bind_source(fd, endpoint->opened++);
	if (connect(fd, (struct sockaddr *)&endpoint->address, endpoint->len) != 0 &&
	    errno != EINPROGRESS) {
		int error = errno;

		(void)close(fd);
		errno = error;
		return -1;
	}
	return fd;
}
