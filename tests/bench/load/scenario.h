/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a scenario gets, and all of them by name.
 */
#ifndef LOAD_SCENARIO_H
#define LOAD_SCENARIO_H

#include "endpoint.h"
#include "loop.h"
#include "measure.h"
#include "token.h"

struct load {
	const struct options *options;
	struct measure *measure;
	struct loop *loop;
	struct endpoint *endpoint;
	struct tokens *tokens;
};

/* Each runs to its end, within a bounded time, and leaves its figures in `measure`. */
void scenario_connect(struct load *load);
void scenario_idle(struct load *load);
void scenario_ping(struct load *load);
void scenario_emit(struct load *load);
void scenario_reconnect(struct load *load);
void scenario_push(struct load *load);

/* send, history and all others that are one request after the other; false when `name` is none. */
bool scenario_requests(struct load *load, const char *name);

#endif
