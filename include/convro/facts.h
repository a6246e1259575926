/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hook points and events of the core and of the modules that come with it,
 * with the struct each one carries.  Every struct begins with its size.
 */
#ifndef CONVRO_FACTS_H
#define CONVRO_FACTS_H

#include <convro/abi.h>
#include <convro/auth.h>
#include <convro/http.h>

/* ---- hook points ---- */

/* "http.request": after authentication, before the body is looked at (wire contract, section 1,
 * order of checks). */
struct convro_on_request {
	uint32_t size;
	uint32_t reserved;
	const struct convro_route *route;
	const char *address;                      /* the client's */
	const struct convro_principal *principal; /* NULL on public routes */
};

/* "auth.login": before a password is checked; deny = 429. */
struct convro_on_login {
	uint32_t size;
	uint32_t reserved;
	const char
	    *identifier; /* lower-case user name, or digits of the number, or what was sent */
	const char *address;
};

/* "prekeys.one_time": a caller wants a bundle; deny = it gets one without a one-time key.  Also the
 * fact "prekeys.one_time.unused": it was allowed, but there was none to give.  Flat. */
struct convro_on_one_time {
	uint32_t size;
	uint32_t reserved;
	int64_t caller_user, target_device;
};

/* "socket.connect": a client wants a realtime session; asked before anything is kept for it, once a
 * session and not for its further requests.  Deny: it gets 403, with the protocol's own body. */
struct convro_on_socket {
	uint32_t size;
	uint32_t reserved;
	const char *address; /* the client's */
	const char *origin;  /* of the page it runs in; NULL = none */
};

/* ---- facts ---- */

/* "auth.login.failed", "auth.login.succeeded", "auth.login.undecided" (store or pool did not
 * answer): exactly one follows each login that the hook let pass; carries the same identifier and
 * address as the hook.
 */
struct convro_login_fact {
	uint32_t size;
	uint32_t reserved;
	const char *identifier, *address;
};

/* "auth.revoked": access tokens of the device below `epoch` are void.  Flat. */
struct convro_revoked_fact {
	uint32_t size;
	uint32_t epoch;
	int64_t user_id, device_id;
};

/* "auth.device.removed".  Flat. */
struct convro_device_removed_fact {
	uint32_t size;
	uint32_t reserved;
	int64_t user_id, device_id;
};

/* "dm.session.opened", "dm.session.accepted": after commit.  Flat. */
struct convro_session_fact {
	uint32_t size;
	int32_t session_id;
	int64_t session, initiator_user, initiator_device, responder_user, responder_device;
};

/* "dm.message.stored": after commit, once per message.  Flat. */
struct convro_message_fact {
	uint32_t size;
	int32_t session_id;
	int64_t id, sender_user, sender_device, recipient_user, recipient_device;
};

/* "dm.receipt.stored": after commit.  Flat. */
struct convro_receipt_fact {
	uint32_t size;
	int32_t status; /* 1 DELIVERED, 2 READ */
	int64_t message, sender_device, recipient_device;
};

#endif
