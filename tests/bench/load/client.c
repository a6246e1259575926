/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Socket.IO client: connecting, and what arrives.  Sending is at the end.
 * All sockets use one Sec-WebSocket-Key, so that its answer is computed once.
 */
#include "client.h"

#include "frame.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INPUT_SIZE = 256 * 1024, OUTPUT_SIZE = 128 * 1024 };

static void on_ready(struct watch *watch, uint32_t events);

void
clients_init(struct clients *clients, const char *path)
{
	static const char key[] = "Y29udnJvLWxvYWQga2V5IQ==";
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	char text[sizeof(key) + sizeof(guid)];
	unsigned char hash[20];
	int len = snprintf(text, sizeof(text), "%s%s", key, guid);

	if (EVP_Digest(text, (size_t)len, hash, NULL, EVP_sha1(), NULL) != 1)
		die("there is no SHA-1");
	(void)EVP_EncodeBlock((unsigned char *)clients->accept, hash, sizeof(hash));
	len = snprintf(clients->request, sizeof(clients->request),
	    "GET %s?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
	    path, clients->endpoint->host, key);
	if (len < 0 || (size_t)len >= sizeof(clients->request))
		die("the path is too long: '%s'", path);
	clients->request_len = (size_t)len;
	clients->input = allocate(1, INPUT_SIZE);
	clients->output = allocate(1, OUTPUT_SIZE);
}

void
clients_fini(struct clients *clients)
{
	free(clients->input);
	free(clients->output);
}

/* ---- down ---- */

static void
forget(struct client *client)
{
	free(client->unread);
	free(client->unsent);
	client->unread = client->unsent = NULL;
	client->unread_len = client->unsent_len = 0;
	client->state = CLIENT_DOWN;
}

void
client_drop(struct client *client)
{
	if (client->state == CLIENT_DOWN)
		return;
	loop_unwatch(client->all->loop, &client->watch);
	(void)close(client->watch.fd);
	forget(client);
}

static void
lose(struct client *client, const char *why)
{
	bool asked = client->state == CLIENT_LEAVING;

	client_drop(client);
	client->all->events->closed(client, asked ? NULL : why);
}

/* ---- sending ---- */

static void
send_bytes(struct client *client, const char *bytes, size_t len)
{
	ssize_t sent = 0;

	if (client->unsent == NULL) {
		sent = send(client->watch.fd, bytes, len, MSG_NOSIGNAL);
		if (sent < 0)
			sent = 0; /* a broken connection is told by the next read */
		if ((size_t)sent == len)
			return;
	}
	client->unsent = reallocate(client->unsent, client->unsent_len + len - (size_t)sent, 1);
	memcpy(client->unsent + client->unsent_len, bytes + sent, len - (size_t)sent);
	if (client->unsent_len == 0)
		loop_rewatch(client->all->loop, &client->watch, EPOLLIN | EPOLLOUT);
	client->unsent_len += len - (size_t)sent;
}

static void
send_rest(struct client *client)
{
	ssize_t sent = send(client->watch.fd, client->unsent, client->unsent_len, MSG_NOSIGNAL);

	if (sent <= 0)
		return;
	client->unsent_len -= (size_t)sent;
	if (client->unsent_len > 0) {
		memmove(client->unsent, client->unsent + sent, client->unsent_len);
		return;
	}
	free(client->unsent);
	client->unsent = NULL;
	loop_rewatch(client->all->loop, &client->watch, EPOLLIN);
}

static void
send_frame(struct client *client, enum frame_opcode opcode, const char *data, size_t len)
{
	struct clients *all = client->all;

	if (len + FRAME_HEAD_MAX > OUTPUT_SIZE)
		die("a message of %zu bytes is too long", len);
	send_bytes(client, all->output,
	    frame_write(all->output, opcode, data, len, (uint32_t)random_next()));
}

void
client_emit(struct client *client, int64_t id, const char *array, size_t len)
{
	char text[4096];
	char number[24] = "";
	int size;

	if (id >= 0)
		(void)snprintf(number, sizeof(number), "%lld", (long long)id);
	size = snprintf(text, sizeof(text), "42%s%.*s", number, (int)len, array);
	if (size < 0 || (size_t)size >= sizeof(text))
		die("an event of %zu bytes is too long", len);
	send_frame(client, FRAME_TEXT, text, (size_t)size);
}

void
client_close(struct client *client)
{
	static const char normal[] = { 0x03, (char)0xe8 }; /* 1000 */

	send_frame(client, FRAME_TEXT, "41", 2);
	send_frame(client, FRAME_CLOSE, normal, sizeof(normal));
	client->state = CLIENT_LEAVING;
}

/* ---- connecting ---- */

void
client_connect(struct client *client)
{
	int fd = endpoint_connect(client->all->endpoint);

	if (fd < 0) {
		client->all->events->closed(client, strerror(errno));
		return;
	}
	client->watch = (struct watch){ .fd = fd, .ready = on_ready };
	client->state = CLIENT_CONNECTING;
	loop_watch(client->all->loop, &client->watch, EPOLLOUT);
}

static void
tcp_done(struct client *client)
{
	int error = 0;
	socklen_t len = sizeof(error);

	(void)getsockopt(client->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len);
	if (error != 0) {
		lose(client, strerror(error));
		return;
	}
	client->state = CLIENT_UPGRADING;
	loop_rewatch(client->all->loop, &client->watch, EPOLLIN);
	send_bytes(client, client->all->request, client->all->request_len);
}

/* The answer to the upgrade; the bytes it takes, 0 = not all of it is there, -1 = lost. */
static ssize_t
read_upgrade(struct client *client, const char *bytes, size_t len)
{
	static const char name[] = "\r\nsec-websocket-accept:";
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);
	char head[2048];
	const char *accept;

	if (end == NULL && len < sizeof(head))
		return 0;
	if (end == NULL || (size_t)(end - bytes) >= sizeof(head)) {
		lose(client, "the answer to the upgrade is too long");
		return -1;
	}
	(void)snprintf(head, sizeof(head), "%.*s", (int)(end - bytes), bytes);
	accept = strcasestr(head, name);
	if (strncmp(head, "HTTP/1.1 101 ", 13) != 0 || accept == NULL) {
		head[strcspn(head, "\r")] = '\0';
		lose(client, head);
		return -1;
	}
	accept += sizeof(name) - 1;
	accept += strspn(accept, " \t");
	if (strncmp(accept, client->all->accept, strlen(client->all->accept)) != 0) {
		lose(client, "Sec-WebSocket-Accept is wrong");
		return -1;
	}
	client->state = CLIENT_OPENING;
	return end - bytes + 4;
}

static void
send_connect(struct client *client)
{
	const char *token = tokens_get(client->all->tokens, client->user);
	char text[2048] = "40";
	char after[40] = "";
	int len = 2;

	if (client->catches_up)
		(void)snprintf(after, sizeof(after), ",\"afterId\":%" PRIu64, client->after_id);
	if (*token != '\0')
		len = snprintf(text, sizeof(text), "40{\"token\":\"%s\"%s}", token, after);
	send_frame(client, FRAME_TEXT, text, (size_t)len);
	client->state = CLIENT_JOINING;
}

/* ---- what arrives: these return false when the client is no longer up ---- */

static bool
lose_with(struct client *client, const char *what, const char *data, size_t len)
{
	char why[256];

	(void)snprintf(why, sizeof(why), "%s: %.*s", what, (int)(len < 200 ? len : 200), data);
	lose(client, why);
	return false;
}

/* A Socket.IO packet without the Engine.IO type before it. */
static bool
read_packet(struct client *client, const char *data, size_t len)
{
	const struct client_events *events = client->all->events;
	enum client_state before = client->state;
	uint64_t id = 0;
	size_t digits = 1;

	if (before == CLIENT_LEAVING)
		return true;
	while (digits < len && data[digits] >= '0' && data[digits] <= '9')
		id = id * 10 + (uint64_t)(data[digits++] - '0');
	if (len > 0 && data[0] == '2' && before == CLIENT_UP)
		events->event(client, data + digits, len - digits);
	else if (len > 0 && data[0] == '3' && before == CLIENT_UP && digits > 1)
		events->acked(client, id);
	else if (len > 0 && data[0] == '0' && before == CLIENT_JOINING) {
		client->state = CLIENT_UP;
		events->connected(client);
	} else {
		return lose_with(client, "unexpected packet", data, len);
	}
	return client->state == CLIENT_UP || client->state == CLIENT_LEAVING;
}

static bool
read_text(struct client *client, const char *data, size_t len)
{
	char type = len > 0 ? data[0] : '\0';

	if (type == '4')
		return read_packet(client, data + 1, len - 1);
	if (type == '2') {
		client->all->pings++;
		send_frame(client, FRAME_TEXT, "3", 1);
		return true;
	}
	if (type == '0' && client->state == CLIENT_OPENING) {
		send_connect(client);
		return true;
	}
	if (type == '6' || (type == '1' && client->state == CLIENT_LEAVING))
		return true;
	return lose_with(client, "unexpected message", data, len);
}

static bool
read_frame(struct client *client, const struct frame *frame)
{
	unsigned code = 0;
	char why[32];

	switch (frame->opcode) {
	case FRAME_TEXT:
		return read_text(client, frame->data, frame->len);
	case FRAME_PING:
		send_frame(client, FRAME_PONG, frame->data, frame->len);
		return true;
	case FRAME_PONG:
		return true;
	case FRAME_CLOSE:
		if (client->state == CLIENT_LEAVING)
			return true; /* its end of the connection follows */
		if (frame->len >= 2)
			code = (unsigned)(uint8_t)frame->data[0] << 8 | (uint8_t)frame->data[1];
		(void)snprintf(why, sizeof(why), "closed with %u", code);
		lose(client, why);
		return false;
	default:
		return lose_with(client, "unexpected frame", frame->data, frame->len);
	}
}

/* Keeps what is left until more of it arrives. */
static void
keep(struct client *client, const char *bytes, size_t len)
{
	char *copy = NULL;

	if (len > 0) {
		copy = allocate(1, len);
		memcpy(copy, bytes, len);
	}
	free(client->unread);
	client->unread = copy;
	client->unread_len = len;
}

static void
digest(struct client *client, const char *bytes, size_t len)
{
	struct frame frame;
	size_t used;

	if (client->state == CLIENT_UPGRADING) {
		ssize_t head = read_upgrade(client, bytes, len);

		if (head < 0)
			return;
		bytes += head;
		len -= (size_t)head;
	}
	while (client->state != CLIENT_UPGRADING && len > 0) {
		enum frame_read status = frame_read(bytes, len, &frame, &used);

		if (status == FRAME_WRONG) {
			lose(client, "a frame that no server sends");
			return;
		}
		if (status == FRAME_INCOMPLETE)
			break;
		if (!read_frame(client, &frame))
			return;
		bytes += used;
		len -= used;
	}
	if (len > 0 || client->unread != NULL)
		keep(client, bytes, len);
}

static void
receive(struct client *client)
{
	char *input = client->all->input;
	size_t have = client->unread_len, room = INPUT_SIZE - have;
	ssize_t got;

	if (have >= INPUT_SIZE) {
		lose(client, "a message is too long");
		return;
	}
	if (have > 0)
		memcpy(input, client->unread, have);
	got = recv(client->watch.fd, input + have, room, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		lose(client, got == 0 ? "the server closed the connection" : strerror(errno));
		return;
	}
	digest(client, input, have + (size_t)got);
}

static void
on_ready(struct watch *watch, uint32_t events)
{
	struct client *client = (struct client *)watch;

	if (client->state == CLIENT_CONNECTING) {
		tcp_done(client);
		return;
	}
	if ((events & EPOLLOUT) != 0 && client->unsent != NULL)
		send_rest(client);
	if ((events & ~(uint32_t)EPOLLOUT) != 0)
		receive(client);
}
