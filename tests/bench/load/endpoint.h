/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the server is, and connections to it.
 */
#ifndef LOAD_ENDPOINT_H
#define LOAD_ENDPOINT_H

#include <stdbool.h>
#include <sys/socket.h>

struct endpoint {
	struct sockaddr_storage address;
	socklen_t len;
	char host[272];  /* for the header Host: name:port */
	unsigned opened; /* connections so far */
};

/* http://HOST:PORT, HOST a name or an address; false when it is none or cannot be resolved. */
bool endpoint_parse(const char *url, struct endpoint *out);

/* A connection in progress: non-blocking, close-on-exec, without Nagle; -1 with errno.  To an IPv4
 * loopback address they come from 16 source addresses in turn, for one has 28,000 ports only. */
int endpoint_connect(struct endpoint *endpoint);

#endif
