/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table that modules work through, and its two groups that only translate:
 * conf (the module's own section) and log (the context's origin).
 */
#include "auth/slot.h"
#include "bus/bus.h"
#include "conf/conf.h"
#include "db/db.h"
#include "http/http.h"
#include "log/log.h"
#include "loop/ctx.h"
#include "mod/internal.h"
#include "server.h"
#include "json/table.h"

static const struct conf *
conf_of(const struct convro_ctx *ctx)
{
	return ctx->worker->server->conf;
}

static const char *
get_text(struct convro_ctx *ctx, const char *name)
{
	return conf_text(conf_of(ctx), ctx->module->name, name);
}

static int64_t
get_int(struct convro_ctx *ctx, const char *name)
{
	return conf_int(conf_of(ctx), ctx->module->name, name);
}

static const uint8_t *
get_secret(struct convro_ctx *ctx, const char *name, size_t *len)
{
	return conf_secret(conf_of(ctx), ctx->module->name, name, len);
}

static void
get_rate(struct convro_ctx *ctx, const char *name, struct convro_rate *out)
{
	conf_rate(conf_of(ctx), ctx->module->name, name, out);
}

static const struct convro_conf_table conf_table = {
	.size = sizeof(struct convro_conf_table),
	.get_text = get_text,
	.get_int = get_int,
	.get_secret = get_secret,
	.get_rate = get_rate,
};

static void write_line(struct convro_ctx *ctx, enum convro_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
write_line(struct convro_ctx *ctx, enum convro_log_level level, const char *format, ...)
{
	struct log_origin origin = { ctx->module->name, http_table.request_id(ctx) };
	va_list args;

	va_start(args, format);
	log_write_v(log_get(), level, &origin, format, args);
	va_end(args);
}

static int
enabled(struct convro_ctx *ctx, enum convro_log_level level)
{
	(void)ctx;
	return log_enabled(log_get(), level);
}

static const struct convro_log_table log_table = {
	.size = sizeof(struct convro_log_table),
	.write = write_line,
	.enabled = enabled,
};

const struct convro_api mod_api = {
	.size = sizeof(struct convro_api),
	.abi_major = CONVRO_ABI_MAJOR,
	.abi_minor = CONVRO_ABI_MINOR,
	.http = &http_table,
	.json = &json_table,
	.db = &db_table,
	.bus = &bus_table,
	.auth = &auth_table,
	.conf = &conf_table,
	.log = &log_table,
	.timer = &timer_table,
	.work = &work_table,
	.mem = &mem_table,
	.socket = &socket_table,
};
