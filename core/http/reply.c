/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers: head, body, and the end of the request.  Whatever is said after the
 * answer, or when the client is gone, is dropped here.  How it leaves is the
 * transport's affair: front_write.c, or travel.c when the connection is another
 * worker's, or call.c when there is none.
 */
#include "base/clock.h"
#include "base/hex.h"
#include "base/random.h"
#include "http/internal.h"
#include "json/table.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define JSON_TYPE "application/json; charset=utf-8"

/* ---- head ---- */

const char *
http_date(struct http_worker *http)
{
	int64_t now = clock_wall_us() / 1000000;

	if (now != http->date_s || http->date[0] == '\0') {
		static const char days[] = "SunMonTueWedThuFriSat";
		static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
		time_t seconds = (time_t)now;
		struct tm tm;

		(void)gmtime_r(&seconds, &tm);
		(void)snprintf(http->date, sizeof(http->date),
		    "%.3s, %02d %.3s %d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday, tm.tm_mday,
		    months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
		http->date_s = now;
	}
	return http->date;
}

void
http_make_id(struct http_worker *http, char out[2 * REQUEST_ID_BYTES + 1])
{
	if (http->random_left == 0) {
		random_bytes(http->random, sizeof(http->random));
		http->random_left = sizeof(http->random);
	}
	http->random_left -= REQUEST_ID_BYTES;
	hex_encode(http->random + http->random_left, REQUEST_ID_BYTES, out);
	out[2 * REQUEST_ID_BYTES] = '\0';
}

static void
put_header(struct buf *head, const char *name, const char *value)
{
	buf_puts(head, name);
	buf_put(head, ": ", 2);
	buf_puts(head, value);
	buf_put(head, "\r\n", 2);
}

static bool
was_set(const struct http_request *request, const char *name)
{
	for (const struct set_header *at = request->set_headers; at != NULL; at = at->next)
		if (slice_is_nocase(slice_of(at->name), name))
			return true;
	return false;
}

static void
put_set_headers(const struct http_request *request, struct buf *head)
{
	for (const struct set_header *at = request->set_headers; at != NULL; at = at->next)
		put_header(head, at->name, at->value);
}

/* 1xx, 204 and 304 have neither body nor length (RFC 9110, 8.6). */
static bool
may_have_body(int status)
{
	return status >= 200 && status != 204 && status != 304;
}

static void
write_head(struct http_request *request, const struct http_answer *answer, bool close)
{
	struct buf *head = &request->http->head;
	int status = answer->status;
	const char *path = request->message.path.data;

	buf_clear(head);
	buf_puts(head, "HTTP/1.1 ");
	buf_put_int(head, status);
	buf_putc(head, ' ');
	buf_puts(head, reason_phrase(status));
	buf_puts(head, "\r\nDate: ");
	buf_puts(head, http_date(request->http));
	buf_put(head, "\r\n", 2);
	if (answer->type != NULL && !was_set(request, "content-type"))
		put_header(head, "Content-Type", answer->type);
	if (may_have_body(status)) {
		buf_puts(head, "Content-Length: ");
		buf_put_int(head, (int64_t)answer->len);
		buf_put(head, "\r\n", 2);
	}
	if ((strncmp(path, "/v1/", 4) == 0 || status >= 400) && !was_set(request, "cache-control"))
		put_header(head, "Cache-Control", "no-store");
	put_header(head, "X-Request-Id", request->id);
	put_header(head, "X-Content-Type-Options", "nosniff");
	if (status == 401)
		put_header(head, "WWW-Authenticate", "Bearer");
	if (answer->retry_after != 0 && !was_set(request, "retry-after")) {
		buf_puts(head, "Retry-After: ");
		buf_put_int(head, answer->retry_after);
		buf_put(head, "\r\n", 2);
	}
	cors_write(request, head);
	put_set_headers(request, head);
	if (close)
		buf_puts(head, "Connection: close\r\n");
	else if (request->message.minor == 0)
		buf_puts(head, "Connection: keep-alive\r\n");
	buf_put(head, "\r\n", 2);
}

bool
answer_compose(struct http_request *request, struct http_answer *answer, bool last)
{
	bool close = last || !request->message.keep_alive || request->http->draining;

	write_head(request, answer, close);
	if (request->head)
		answer->len = 0;
	return close;
}

/* ---- end of a request ---- */

static void
log_answer(struct http_request *request, int status)
{
	enum convro_log_level level = status >= 500 ? CONVRO_LOG_INFO : CONVRO_LOG_DEBUG;
	const struct log_origin origin = { .request_id = request->id };
	const struct message *message = &request->message;
	int64_t us = clock_mono_us() - request->started_us;

	if (!log_enabled(log_get(), level))
		return;
	/* Without the query, which may hold a token. */
	log_write(log_get(), level, &origin, "%s %s %d %lld.%03lld ms%s%s%s", message->method.data,
	    message->path.data, status, (long long)(us / 1000), (long long)(us % 1000),
	    request->transport->mark, request->http->http->settings.log_addresses ? " " : "",
	    request->http->http->settings.log_addresses ? request_address(request) : "");
}

void
answer_done(struct http_request *request, int status)
{
	struct convro_ctx *ctx = request->ctx;

	request->answered = true;
	request->gone = NULL;
	ctx->stranded = NULL;
	(void)event_del(&request->timer);
	request->http->unanswered--;
	log_answer(request, status);
	ctx_unref(ctx);
}

/* Seconds; 0 = the answer says none. */
static uint32_t
retry_after(const struct http_request *request, int status)
{
	if (request->retry_after == 0 && (status == 429 || status == 503))
		return RETRY_AFTER_MIN;
	return request->retry_after;
}

static void
send_answer(
    struct http_request *request, int status, const char *type, const void *body, size_t len)
{
	struct http_answer answer = {
		.status = status,
		.type = type,
		.body = body,
		.len = may_have_body(status) ? len : 0,
		.retry_after = retry_after(request, status),
	};

	if (request->answered)
		return;
	request->answered = true;
	if (request->client != NULL)
		request->transport->answer(request, &answer);
	request->client = NULL;
	answer_done(request, status);
}

/* ---- bodies ---- */

static void
put_error(struct json_writer *writer, const char *code, const char *message, const char *request_id,
    const char *field)
{
	json_put_bool(writer, "ok", false);
	json_put_text(writer, "error", code);
	json_put_text(writer, "message", message);
	json_put_text(writer, "requestId", request_id);
	if (field != NULL)
		json_put_text(writer, "field", field);
}

void
write_error(struct buf *out, const char *code, const char *message, const char *request_id,
    const char *field)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_open_object(&writer, NULL);
	put_error(&writer, code, message, request_id, field);
	json_close_object(&writer);
}

void
answer_error(struct http_request *request, int status, const char *code, const char *field)
{
	struct buf *body = &request->http->body;
	char room[MESSAGE_SIZE];

	if (request->answered)
		return;
	buf_clear(body);
	write_error(body, code, message_of(code, room), request->id, field);
	send_answer(request, status, JSON_TYPE, body->failed ? "" : body->data, body->len);
}

void
answer_later(struct http_request *request, int status, const char *code, uint32_t retry_after)
{
	request->retry_after = retry_after != 0 || status != 429 ? retry_after : RETRY_AFTER_MIN;
	answer_error(request, status, code, NULL);
}

void
answer_raw(struct http_request *request, int status, const char *content_type, const void *data,
    size_t len)
{
	send_answer(request, status, content_type, data, len);
}

void
answer_empty(struct http_request *request, int status)
{
	send_answer(request, status, NULL, "", 0);
}

struct convro_json *
answer_writer(struct http_request *request)
{
	char room[MESSAGE_SIZE];

	if (request->json != NULL)
		return request->json;
	request->json = json_make(request->ctx);
	if (request->json == NULL) {
		/* A writer that holds nothing: reply sees that it failed. */
		request->json = &request->no_json;
		buf_init(&request->json->buf, 1);
		json_writer_init(&request->json->writer, &request->json->buf);
	}
	json_open_object(&request->json->writer, NULL);
	if (request->failing != NULL)
		put_error(&request->json->writer, request->failing,
		    message_of(request->failing, room), request->id, NULL);
	return request->json;
}

void
answer_json(struct http_request *request, int status)
{
	struct convro_json *json = answer_writer(request);

	if (request->answered)
		return;
	json_close_object(&json->writer);
	if (json_done(&json->writer))
		send_answer(request, status, JSON_TYPE, json->buf.data, json->buf.len);
	else
		answer_later(request, 503, "OVERLOADED", RETRY_AFTER_MIN);
}

/* A line break or another control character would let a value forge a header. */
static bool
is_field_value(const char *value)
{
	for (; *value != '\0'; value++)
		if ((unsigned char)*value < ' ' && *value != '\t')
			return false;
	return true;
}

void
answer_header(struct http_request *request, const char *name, const char *value)
{
	struct arena *arena = request->ctx->arena;
	struct set_header *header = arena_alloc(arena, sizeof(*header));
	struct set_header **end = &request->set_headers;

	if (header == NULL || !is_field_value(value) || !is_field_value(name))
		return;
	*header = (struct set_header){ NULL, arena_copy(arena, name, strlen(name)),
		arena_copy(arena, value, strlen(value)) };
	if (header->name == NULL || header->value == NULL)
		return;
	while (*end != NULL)
		end = &(*end)->next;
	*end = header;
}
