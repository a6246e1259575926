/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker's streams of permessage-deflate, made before a file's tests and freed
 * after them.
 */
#ifndef WS_STREAMS_H
#define WS_STREAMS_H

#include "ws/deflate.h"

static struct ws_deflate *streams;

static int
start(void **state)
{
	(void)state;
	streams = ws_deflate_new();
	return streams != NULL ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	ws_deflate_free(streams);
	return 0;
}

#endif
