/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The servers there are: our own, and those of other modules.  Their lists are
 * made in init and only read after it.
 */
#include "mount.h"

#include "recovery.h"
#include "socket.h"

#include <stdlib.h>

static struct mount *mounts;

static bool
station_init(struct station *station, struct mount *mount, uint32_t index)
{
	station->mount = mount;
	station->index = index;
	ring_init(&station->all);
	text_init(&station->scratch, 0);
	atomic_init(&station->members, 0);
	atomic_init(&station->missed, false);
	return table_init(&station->sessions) && rooms_init(&station->rooms, mount->presence,
						     index > 0 ? &mount->stations[0].rooms : NULL);
}

static void
mount_free(struct mount *mount)
{
	recovery_free(mount->recovery); /* counts in the stations' rooms */
	for (uint32_t i = 0; i < mount->station_count; i++) {
		struct station *station = &mount->stations[i];

		/* What the core dropped without a word. */
		while (!ring_is_empty(&station->all)) {
			struct session *session =
			    RING_ENTRY(station->all.next, struct session, all);

			ring_remove(&session->all);
			convro->mem->pool_give(station->session_pool, session);
		}
		table_fini(&station->sessions);
		rooms_fini(&station->rooms);
		text_fini(&station->scratch);
		compressor_free(station->compressor);
		convro->mem->pool_free(station->session_pool);
		convro->mem->pool_free(station->socket_pool);
		convro->mem->pool_free(station->room_pool);
		convro->mem->pool_free(station->stay_pool);
	}
	free(mount->stations);
	free(mount->face);
	service_fini(&mount->service);
	free(mount);
}

static struct mount *
make(struct convro_ctx *ctx)
{
	struct mount *mount = calloc(1, sizeof(*mount));
	uint32_t workers = convro->work->workers(ctx);

	if (mount == NULL)
		return NULL;
	mount->stations = calloc(workers, sizeof(*mount->stations));
	while (mount->stations != NULL && mount->station_count < workers) {
		uint32_t index = mount->station_count++;

		if (!station_init(&mount->stations[index], mount, index))
			break;
		if (index == workers - 1)
			return mount;
	}
	mount_free(mount);
	return NULL;
}

static void
add(struct mount *mount)
{
	struct mount **at = &mounts;

	while (*at != NULL)
		at = &(*at)->next;
	*at = mount;
}

static void
preset(uint32_t *option, uint32_t value)
{
	if (*option == 0)
		*option = value;
}

static void
fill_in(struct convro_socketio_options *options, const struct limits *limits)
{
	preset(&options->ping_interval, 25000);
	preset(&options->ping_timeout, 20000);
	preset(&options->connect_timeout, 45000);
	preset(&options->upgrade_timeout, 10000);
	preset(&options->max_payload, 1000000);
	preset(&options->send_limit, 1024 * 1024);
	preset(&options->max_namespaces, limits->namespaces);
	preset(&options->max_rooms, limits->rooms);
	preset(&options->max_acks, limits->acks);
	preset(&options->recovery_ms, 120000);
	preset(&options->recovery_bytes, 1024 * 1024);
}

static void
apply(struct mount *mount, const struct convro_socketio_options *own)
{
	mount->options = own;
	mount->raw = (own->flags & CONVRO_SOCKETIO_RAW) != 0;
	mount->ping_interval = own->ping_interval;
	mount->ping_timeout = own->ping_timeout;
	mount->connect_timeout = own->connect_timeout;
	mount->upgrade_timeout = own->upgrade_timeout;
	mount->max_payload = own->max_payload;
	mount->send_limit = own->send_limit;
	mount->limits.namespaces = own->max_namespaces;
	mount->limits.rooms = own->max_rooms;
	mount->limits.acks = own->max_acks;
	mount->polling = mount->websocket = true;
	mount->socket_events = websocket_events;
	mount->socket_events.max_message = own->max_payload;
	mount->socket_events.max_fragments = mount->limits.fragments;
	/* session.c keeps the limit; this one is for answers to WebSocket pings, of which no module
	 * hears, beside all that session.c may allow. */
	mount->socket_events.max_queue = own->send_limit + PACE_BYTES + LARGEST_PACKET;
}

struct mount *
mount_new(struct convro_ctx *ctx, const struct convro_socketio_options *options,
    const struct limits *limits, const struct mount_hooks *hooks)
{
	struct mount *mount = make(ctx);
	struct convro_socketio_mount *face;
	struct convro_socketio_options *own;

	if (mount == NULL)
		return NULL;
	mount->face = face = calloc(1, sizeof(*face));
	if (face == NULL) {
		mount_free(mount);
		return NULL;
	}
	own = &face->options;
	memcpy(own, options, options->size < sizeof(*own) ? options->size : sizeof(*own));
	mount->limits = limits != NULL ? *limits : mounts->limits;
	mount->drain_time = mounts != NULL ? mounts->drain_time : 0;
	fill_in(own, &mount->limits);
	face->mount = mount;
	mount->hooks = hooks;
	mount->owner = convro->bus->module(ctx);
	mount->module = mounts != NULL ? mounts->module : mount->owner;
	apply(mount, own);
	if ((own->flags & CONVRO_SOCKETIO_RECOVERY) != 0) {
		mount->recovery = recovery_new(mount, own->recovery_ms, own->recovery_bytes);
		if (mount->recovery == NULL) {
			mount_free(mount);
			return NULL;
		}
	}
	add(mount);
	return mount;
}

/* ---- life ---- */

void
mounts_free(void)
{
	while (mounts != NULL) {
		struct mount *mount = mounts;

		mounts = mount->next;
		mount_free(mount);
	}
}

/* Short time limits are kept as exactly as they are short. */
static int64_t
tick_of(const struct mount *mount)
{
	int64_t tick = mount->ping_timeout / 200;

	return tick < 1 ? 1 : tick > WHEEL_TICK_MS ? WHEEL_TICK_MS : tick;
}

/* False when memory is out. */
static bool
make_pools(struct convro_ctx *ctx, struct station *station)
{
	const struct mount_hooks *hooks = station->mount->hooks;
	size_t socket_size = hooks != NULL ? hooks->socket_size : sizeof(struct plain_socket);

	station->session_pool = convro->mem->pool_new(ctx, sizeof(struct session));
	station->socket_pool = convro->mem->pool_new(ctx, socket_size);
	station->room_pool = convro->mem->pool_new(ctx, ROOM_POOLED);
	station->stay_pool = convro->mem->pool_new(ctx, STAY_POOLED);
	station->rooms.room_pool = station->room_pool;
	station->rooms.stay_pool = station->stay_pool;
	return station->session_pool != NULL && station->socket_pool != NULL &&
	       station->room_pool != NULL && station->stay_pool != NULL;
}

enum convro_status
mounts_worker_init(struct convro_ctx *ctx)
{
	for (struct mount *mount = mounts; mount != NULL; mount = mount->next) {
		struct station *station = &mount->stations[convro->work->worker(ctx)];
		int64_t tick = tick_of(mount);

		if (!make_pools(ctx, station))
			return CONVRO_NO_MEMORY;
		if (mount->compress_polls) {
			station->compressor = compressor_new();
			if (station->compressor == NULL)
				return CONVRO_NO_MEMORY;
		}
		wheel_init_ticks(&station->wheel, convro->timer->now(ctx), tick);
		station->timer = convro->timer->every(ctx, (uint64_t)tick, station_tick, station);
		if (station->timer == NULL)
			return CONVRO_NO_MEMORY;
	}
	return CONVRO_OK;
}

void
mounts_drain(struct convro_ctx *ctx)
{
	for (struct mount *mount = mounts; mount != NULL; mount = mount->next) {
		struct station *station = &mount->stations[convro->work->worker(ctx)];

		station_drain(ctx, station);
	}
}

void
mounts_worker_fini(struct convro_ctx *ctx)
{
	for (struct mount *mount = mounts; mount != NULL; mount = mount->next) {
		struct station *station = &mount->stations[convro->work->worker(ctx)];

		convro->timer->cancel(station->timer);
		station_close_all(ctx, station, GOODBYE_AWAY, SHUTTING_DOWN);
		station_close_all(ctx, station, GOODBYE_NONE, ""); /* those that wait for a poll */
	}
}
