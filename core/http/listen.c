/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening sockets: per address one for each worker, sharing the port
 * (SO_REUSEPORT), so that the kernel spreads connections evenly (design: http,
 * section 2).
 */
#include "http/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG    4096  /* the kernel caps it at net.core.somaxconn */
#define UNACKED_MS 30000 /* bytes on the wire without an acknowledgement: the peer is gone */

int
endpoint_parse(const char *text, size_t len, struct endpoint *out)
{
	struct sockaddr_in *v4 = (void *)&out->address;
	struct sockaddr_in6 *v6 = (void *)&out->address;
	const char *colon = memrchr(text, ':', len);
	size_t host_len = colon != NULL ? (size_t)(colon - text) : 0;
	char host[ADDRESS_SIZE + 2];
	int64_t port;

	memset(out, 0, sizeof(*out));
	if (host_len < 2 || host_len >= sizeof(host) ||
	    text_int64(colon + 1, len - host_len - 1, &port) != 0 || port < 0 || port > 65535)
		return -1;
	memcpy(host, text, host_len);
	host[host_len] = '\0';
	if (host[0] != '[') {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		out->address_len = sizeof(*v4);
		return inet_pton(AF_INET, host, &v4->sin_addr) == 1 ? 0 : -1;
	}
	if (host[host_len - 1] != ']')
		return -1;
	host[host_len - 1] = '\0';
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	out->address_len = sizeof(*v6);
	return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1 ? 0 : -1;
}

static void
write_text(struct endpoint *endpoint)
{
	const struct sockaddr_in *v4 = (const void *)&endpoint->address;
	const struct sockaddr_in6 *v6 = (const void *)&endpoint->address;
	bool is_v6 = endpoint->address.ss_family == AF_INET6;
	char host[ADDRESS_SIZE] = "";

	if (is_v6)
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
	else
		(void)inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
	(void)snprintf(endpoint->text, sizeof(endpoint->text),
	    is_v6 ? "http://[%s]:%u" : "http://%s:%u", host,
	    ntohs(is_v6 ? v6->sin6_port : v4->sin_port));
}

/* What accepted sockets inherit is set here once: no delay of small answers, and an end of those
 * whose peer is gone. */
static bool
set_options(int fd, const struct endpoint *endpoint)
{
	const unsigned unacked = UNACKED_MS;
	const int on = 1;

	if (endpoint->address.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0)
		return false;
	return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	       setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
	       setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
	       setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked, sizeof(unacked)) == 0;
}

static int
bind_one(struct endpoint *endpoint)
{
	struct sockaddr *address = (void *)&endpoint->address;
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && set_options(fd, endpoint) && bind(fd, address, endpoint->address_len) == 0 &&
	    listen(fd, BACKLOG) == 0 && getsockname(fd, address, &endpoint->address_len) == 0) {
		write_text(endpoint); /* with the port that was chosen, which the others take */
		return fd;
	}
	write_text(endpoint);
	log_error("could not listen on %s: %s: is another server running there?", endpoint->text,
	    strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

int
endpoint_bind(struct endpoint *endpoint, uint32_t workers)
{
	endpoint->fds = malloc(workers * sizeof(*endpoint->fds));
	if (endpoint->fds == NULL) {
		log_error("out of memory");
		return -1;
	}
	for (uint32_t i = 0; i < workers; i++)
		endpoint->fds[i] = -1;
	for (uint32_t i = 0; i < workers; i++) {
		endpoint->fds[i] = bind_one(endpoint);
		if (endpoint->fds[i] < 0)
			return -1;
	}
	return 0;
}
