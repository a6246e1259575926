/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who was seen: what is not written yet is a list, and who was written lately
 * is in a direct-mapped table, where a newer device takes the place of an older
 * one (which is then written once more than needed: the statement looks too).
 */
#include "seen.h"

#include "auth.h"

#include <stdlib.h>

enum {
	PLACES = 4096, /* a power of two */
	LIST_MOST = 512,
	WRITE_AFTER_MS = 1000,
	EVERY_MS = 300000,
};

struct lately {
	int64_t device_id;
	int64_t noted_ms; /* of the timer's clock; 0 = never */
};

struct seen_part {
	struct seen *seen;
	uint32_t count;
	bool is_timed; /* a write is going to come */
	int64_t list[LIST_MOST];
	struct lately lately[PLACES];
};

struct seen {
	uint32_t workers;
	struct seen_part parts[];
};

struct seen *
seen_new(uint32_t workers)
{
	struct seen *seen = calloc(1, sizeof(*seen) + workers * sizeof(seen->parts[0]));

	if (seen == NULL)
		return NULL;
	seen->workers = workers;
	for (uint32_t i = 0; i < workers; i++)
		seen->parts[i].seen = seen;
	return seen;
}

void
seen_free(struct seen *seen)
{
	free(seen);
}

static void
nothing(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	(void)ctx;
	(void)arg;
	(void)status;
	(void)results;
	(void)nresults;
}

void
seen_write(struct convro_ctx *ctx, struct seen *seen)
{
	struct seen_part *part = &seen->parts[convro->work->worker(ctx)];
	struct convro_db_batch *batch;
	int64_t now = convro->db->now(ctx);

	if (part->count == 0)
		return;
	batch = convro->db->batch(ctx);
	for (uint32_t i = 0; i < part->count; i++)
		convro->db->add(
		    batch, AUTH_SEEN, CONVRO_ARGS(convro_i64(part->list[i]), convro_i64(now)));
	part->count = 0;
	convro->db->exec(batch, nothing, NULL);
}

static void
write_in_time(struct convro_ctx *ctx, void *arg)
{
	struct seen_part *part = arg;

	part->is_timed = false;
	seen_write(ctx, part->seen);
}

void
seen_note(struct convro_ctx *ctx, struct seen *seen, int64_t device_id)
{
	struct seen_part *part = &seen->parts[convro->work->worker(ctx)];
	/* Ids that clients choose can at worst meet in one place, and cost the writes they would
	 * without a table. */
	uint64_t mixed = (uint64_t)device_id * UINT64_C(0x9e3779b97f4a7c15);
	struct lately *place = &part->lately[mixed >> 32 & (PLACES - 1)];
	int64_t now = convro->timer->now(ctx);

	if (place->device_id == device_id && place->noted_ms != 0 &&
	    now - place->noted_ms < EVERY_MS)
		return;
	if (!part->is_timed &&
	    convro->timer->after(ctx, WRITE_AFTER_MS, write_in_time, part) == NULL)
		return;
	part->is_timed = true;
	*place = (struct lately){ device_id, now };
	part->list[part->count++] = device_id;
	if (part->count == LIST_MOST)
		seen_write(ctx, seen);
}
