/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people read: a sentence for each wire code, and the phrases of the
 * status line.  Clients go by the code; the sentence may change.
 */
#include "http/internal.h"

#include <stdlib.h>
#include <string.h>

struct text {
	const char *code, *message;
};

/* Sorted by code (strcmp) for the search. */
static const struct text texts[] = {
	{ "BAD_REQUEST", "the request is malformed" },
	{ "BODY_TOO_LARGE", "the request body is too large" },
	{ "CLIENT_MESSAGE_ID_REUSED", "this clientMessageId was used for another message" },
	{ "CURRENT_DEVICE", "the calling device cannot remove itself: log out instead" },
	{ "DB_UNAVAILABLE", "the store does not answer, try again later" },
	{ "DEVICE_ID_TAKEN", "this deviceId is taken" },
	{ "DEVICE_LIMIT_REACHED", "the user has as many devices as allowed" },
	{ "DEVICE_MISMATCH", "the device or number is not the caller's" },
	{ "DEVICE_NOT_FOUND", "there is no such device" },
	{ "DEVICE_OWNED_BY_OTHER_USER", "the device belongs to another user" },
	{ "DEVICE_REMOVED", "the device was removed" },
	{ "EXPECTATION_FAILED", "only Expect: 100-continue is understood" },
	{ "FAILED_TO_ALLOCATE_CONVRO_NUMBER", "no convro number is free" },
	{ "HANDSHAKE_OFFER_TOO_LARGE", "the handshake offer is too large" },
	{ "HEADERS_TOO_LARGE", "the request has too many or too long header fields" },
	{ "HTTP_VERSION_NOT_SUPPORTED", "only HTTP/1.0 and HTTP/1.1 are supported" },
	{ "IDENTITY_KEY_MISMATCH", "the device has another identity key" },
	{ "INITIATOR_DEVICE_MISMATCH", "the initiator device is not the caller's" },
	{ "INITIATOR_DEVICE_NOT_FOUND", "there is no such initiator device" },
	{ "INTERNAL_ERROR", "something went wrong on the server" },
	{ "INVALID_AUTH_TAG", "authTag must be 16 bytes in base64" },
	{ "INVALID_BODY", "a field of the request body is missing or malformed" },
	{ "INVALID_CIPHERTEXT", "ciphertext is missing or malformed" },
	{ "INVALID_CLIENT_MESSAGE_ID", "clientMessageId must be 1 to 64 characters" },
	{ "INVALID_CLIENT_TIMESTAMP", "clientTimestamp is malformed" },
	{ "INVALID_CREDENTIALS", "unknown user or wrong password" },
	{ "INVALID_DEVICE_ID", "deviceId must be 16 hex digits" },
	{ "INVALID_DEVICE_LABEL", "deviceLabel is malformed or too long" },
	{ "INVALID_FULL_NAME", "fullName is malformed or too long" },
	{ "INVALID_HANDSHAKE_OFFER", "the handshake offer is missing or malformed" },
	{ "INVALID_IDENTITY_KEY", "the identity key is missing or malformed" },
	{ "INVALID_JSON", "the request body is no valid JSON" },
	{ "INVALID_MESSAGE_ID", "a message id is missing or malformed" },
	{ "INVALID_ONE_TIME_PREKEY", "a one-time prekey is malformed" },
	{ "INVALID_PEER", "peerUserId is missing or malformed" },
	{ "INVALID_PLATFORM", "platform must be ios, android, desktop, web or unknown" },
	{ "INVALID_QUERY", "the query is malformed or incomplete" },
	{ "INVALID_REFRESH_TOKEN", "the refresh token is malformed" },
	{ "INVALID_SESSION_ID", "sessionId must be 8 hex digits" },
	{ "INVALID_SIGNATURE", "the prekey's signature does not verify" },
	{ "INVALID_SIGNED_PREKEY", "the signed prekey is missing or malformed" },
	{ "INVALID_STATUS", "status must be DELIVERED or READ" },
	{ "INVALID_USERNAME", "username must be 3 to 64 of a-z A-Z 0-9 _ ." },
	{ "KEY_ID_CONFLICT", "this keyId is in use for another key" },
	{ "MESSAGE_NOT_FOUND", "there is no such message" },
	{ "MESSAGE_TOO_LARGE", "the message is too large" },
	{ "METHOD_NOT_ALLOWED", "this path does not take that method" },
	{ "MISSING_LOGIN_IDENTIFIER", "username or convroNumber is needed" },
	{ "NOT_FOUND", "there is nothing at this path" },
	{ "NOT_IMPLEMENTED", "this is not implemented" },
	{ "NOT_MESSAGE_RECIPIENT", "the message is not addressed to the calling device" },
	{ "NOT_SESSION_RESPONDER", "only the responder device may accept" },
	{ "OVERLOADED", "the server is busy, try again later" },
	{ "PASSWORD_TOO_LONG", "the password is too long" },
	{ "PASSWORD_TOO_SHORT", "the password must have at least 8 characters" },
	{ "PEER_GONE", "the other device no longer exists" },
	{ "PREKEYS_NOT_FOUND", "the device has uploaded no prekeys" },
	{ "RATE_LIMITED", "too many requests, try again later" },
	{ "RECIPIENT_MISMATCH", "recipientDeviceId is not the other device of the session" },
	{ "REFRESH_EXPIRED", "the refresh token has expired" },
	{ "REFRESH_INVALID", "the refresh token is wrong" },
	{ "REFRESH_NOT_FOUND", "the refresh token is unknown" },
	{ "REFRESH_REVOKED", "the refresh token was revoked" },
	{ "REQUEST_TIMEOUT", "the request took too long to arrive" },
	{ "RESPONDER_DEVICE_NOT_FOUND", "there is no such responder device" },
	{ "SESSION_ID_EXISTS", "one of the devices has used this sessionId" },
	{ "SESSION_NOT_ACTIVE", "the session is not active" },
	{ "SESSION_NOT_FOUND", "there is no such session" },
	{ "TOKEN_EXPIRED", "the access token has expired" },
	{ "TOKEN_INVALID", "the access token is not valid" },
	{ "TOO_MANY_PENDING_SESSIONS", "too many sessions wait to be accepted" },
	{ "TOO_MANY_PREKEYS", "too many one-time prekeys" },
	{ "UNAUTHORIZED", "an access token is needed" },
	{ "UNSUPPORTED_MEDIA_TYPE", "the request body must be application/json in UTF-8" },
	{ "UPGRADE_REQUIRED", "the WebSocket version is not supported" },
	{ "URI_TOO_LONG", "the request line is too long" },
	{ "USERNAME_TAKEN", "the username is taken" },
	{ "USER_NOT_FOUND", "there is no such user" },
};

static int
by_code(const void *code, const void *element)
{
	return strcmp(code, ((const struct text *)element)->code);
}

const char *
message_of(const char *code, char room[MESSAGE_SIZE])
{
	const struct text *found =
	    bsearch(code, texts, sizeof(texts) / sizeof(texts[0]), sizeof(texts[0]), by_code);
	size_t len = 0;

	if (found != NULL)
		return found->message;
	for (; code[len] != '\0' && len < MESSAGE_SIZE - 1; len++)
		room[len] = code[len] == '_' ? ' ' : text_lower(code[len]);
	room[len] = '\0';
	return room;
}

const char *
reason_phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} phrases[] = { { 101, "Switching Protocols" }, { 200, "OK" }, { 201, "Created" },
		{ 202, "Accepted" }, { 204, "No Content" }, { 301, "Moved Permanently" },
		{ 302, "Found" }, { 304, "Not Modified" }, { 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" }, { 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 408, "Request Timeout" }, { 409, "Conflict" }, { 410, "Gone" },
		{ 413, "Content Too Large" }, { 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" }, { 417, "Expectation Failed" },
		{ 422, "Unprocessable Content" }, { 426, "Upgrade Required" },
		{ 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 503, "Service Unavailable" }, { 505, "HTTP Version Not Supported" } };

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return status < 400 ? "OK" : "Error";
}
