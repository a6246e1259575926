/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens beside the requests: an owner hears that the stock is low, and
 * the keys of removed devices go.
 */
#include "prekeys.h"

#include <stddef.h>

enum { PURGE_PAGE = 100 };

static const char *
low_json(struct convro_ctx *ctx, int64_t available, size_t *len)
{
	struct convro_json *json = convro->json->make(ctx);

	if (json == NULL)
		return NULL;
	convro->json->open_object(json, NULL);
	convro->json->put_int(json, "oneTimeAvailable", available);
	convro->json->close_object(json);
	return convro->json->text(json, len);
}

void
prekeys_tell_low(
    struct convro_ctx *ctx, const struct prekeys *prekeys, int64_t device_id, int64_t available)
{
	size_t len = 0;
	const char *json;

	if (prekeys->realtime == NULL)
		return;
	json = low_json(ctx, available, &len);
	if (json != NULL) /* out of memory: it is told on the next connect */
		prekeys->realtime->push(ctx, device_id, "prekeys.low", 0, json, len);
}

/* ---- on connect, while low ---- */

struct telling {
	const struct prekeys *prekeys;
	struct convro_catch_up *catch_up;
};

static void
free_read(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	const struct telling *telling = arg;

	(void)nresults;
	if (status == CONVRO_OK && results->nrows > 0 &&
	    convro_at(results, 0, 0)->u.i < LOW_BELOW) {
		size_t len = 0;
		const char *json = low_json(ctx, convro_at(results, 0, 0)->u.i, &len);

		if (json != NULL)
			telling->prekeys->realtime->emit(
			    telling->catch_up, "prekeys.low", 0, json, len);
	}
	telling->prekeys->realtime->page_done(telling->catch_up, status, 0);
}

static void
page(struct convro_ctx *ctx, void *self, struct convro_catch_up *catch_up, int64_t device,
    int64_t after)
{
	const struct prekeys *prekeys = self;
	struct telling *telling = convro->mem->alloc(ctx, sizeof(*telling));

	(void)after;
	if (telling == NULL) {
		prekeys->realtime->page_done(catch_up, CONVRO_NO_MEMORY, 0);
		return;
	}
	*telling = (struct telling){ prekeys, catch_up };
	convro->db->query(ctx, PREKEYS_FREE, CONVRO_ARGS(convro_i64(device)), free_read, telling);
}

/* After offers (10) and messages (20). */
const struct convro_realtime_source prekeys_source = {
	.size = sizeof(struct convro_realtime_source),
	.order = 30,
	.always = 1,
	.page = page,
};

/* ---- removed devices ---- */

static void
purged(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	(void)arg;
	(void)results;
	(void)nresults;
	if (status != CONVRO_OK)
		convro->log->write(ctx, CONVRO_LOG_WARNING,
		    "keys of a removed device could not be purged: the next start does it");
}

void
prekeys_purge(struct convro_ctx *ctx, void *self, const void *fact)
{
	const struct convro_device_removed_fact *removed = fact;

	(void)self;
	convro->db->query(
	    ctx, PREKEYS_PURGE, CONVRO_ARGS(convro_i64(removed->device_id)), purged, NULL);
}

static void
due_read(struct convro_ctx *ctx, void *arg, enum convro_status status,
    const struct convro_db_result *results, uint32_t nresults)
{
	(void)nresults;
	if (status != CONVRO_OK || results->nrows == 0)
		return;
	for (uint32_t i = 0; i < results->nrows; i++)
		convro->db->query(ctx, PREKEYS_PURGE,
		    CONVRO_ARGS(convro_i64(convro_at(results, i, 0)->u.i)), purged, NULL);
	convro->db->query(ctx, PREKEYS_PURGE_DUE,
	    CONVRO_ARGS(
		convro_i64(convro_at(results, results->nrows - 1, 0)->u.i), convro_i64(PURGE_PAGE)),
	    due_read, arg);
}

void
prekeys_purge_due(struct convro_ctx *ctx, void *self)
{
	convro->db->query(ctx, PREKEYS_PURGE_DUE,
	    CONVRO_ARGS(convro_i64(INT64_MIN), convro_i64(PURGE_PAGE)), due_read, self);
}
