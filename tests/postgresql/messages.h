/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users, devices and sessions for the tests with the real statements: session
 * n is between the devices 1000 + n (initiator) and 2000 + n, each of the user
 * with the same number.
 */
#ifndef MESSAGES_H
#define MESSAGES_H

#include "kit.h"

/* Sessions 1 to `count`, all active. */
void make_sessions(struct kit *kit, int count);
/* send_lock and send of the initiator of `session`. */
void add_send(struct kit *kit, struct direct *direct, int session, const char *cmid);

#endif
