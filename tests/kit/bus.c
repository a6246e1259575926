/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The group tables bus and auth, and the service realtime.v1: hooks decide what
 * the test says, facts and pushes are kept.
 */
#include "private.h"

#include <string.h>

/* ---- hooks ---- */

void
kit_deny(struct kit *kit, const char *point, int status, const char *code, uint32_t retry)
{
	struct kit_denial *denial = kit_alloc(kit, sizeof(*denial));

	*denial = (struct kit_denial){ kit->denials, kit_copy(kit, point), kit_copy(kit, code),
		status, retry };
	kit->denials = denial;
}

static void
hear(struct convro_ctx *ctx, const char *name, const void *fact)
{
	for (struct kit_listener *at = kit_of(ctx)->listeners; at != NULL; at = at->next)
		if (strcmp(at->name, name) == 0)
			at->function(ctx, at->self, fact);
}

static struct convro_verdict
ask_module(struct convro_ctx *ctx, const char *point, const void *subject)
{
	struct kit *kit = kit_of(ctx);
	const struct convro_hook *hooks = kit->descriptor->hooks.items;
	struct convro_verdict verdict = { .size = sizeof(verdict), .kind = CONVRO_ALLOW };

	for (uint32_t i = 0; i < kit->descriptor->hooks.count; i++) {
		int kind;

		if (strcmp(hooks[i].point, point) != 0)
			continue;
		kit->denied = (struct convro_verdict){ 0 };
		kind = hooks[i].function(ctx, kit->module.self, subject);
		if (kind == CONVRO_DENY) {
			if (kit->denied.kind != CONVRO_DENY)
				kit_broken("%s: DENY without deny()", point);
			return kit->denied;
		}
		if (kind == CONVRO_LATER)
			kit_broken("%s: the kit cannot decide later", point);
		if (kind == CONVRO_ALLOW)
			break;
	}
	return verdict;
}

static void
ask(struct convro_ctx *ctx, const char *point, const void *subject, convro_decided *decided,
    void *arg)
{
	struct convro_verdict verdict = { .size = sizeof(verdict), .kind = CONVRO_ALLOW };
	const struct kit_denial *denial = kit_of(ctx)->denials;

	hear(ctx, point, subject);
	while (denial != NULL && strcmp(denial->point, point) != 0)
		denial = denial->next;
	if (denial != NULL && denial->status != 0)
		verdict = (struct convro_verdict){ sizeof(verdict), CONVRO_DENY, denial->status,
			denial->retry, denial->code };
	else
		verdict = ask_module(ctx, point, subject);
	decided(ctx, arg, &verdict);
}

struct convro_verdict
kit_ask(struct kit *kit, const char *point, const void *subject)
{
	struct convro_ctx *ctx = kit_ctx(kit);
	struct convro_verdict verdict = ask_module(ctx, point, subject);

	ctx_unref(ctx);
	kit_settle(kit);
	return verdict;
}

static int
deny(struct convro_ctx *ctx, int status, const char *code, uint32_t retry_after)
{
	kit_of(ctx)->denied = (struct convro_verdict){ sizeof(struct convro_verdict), CONVRO_DENY,
		status, retry_after, code };
	return CONVRO_DENY;
}

/* ---- facts ---- */

void
kit_listen(struct kit *kit, const char *name, convro_fact_function *function, void *self)
{
	struct kit_listener *listener = kit_alloc(kit, sizeof(*listener));

	*listener = (struct kit_listener){ kit->listeners, kit_copy(kit, name), function, self };
	kit->listeners = listener;
}

static void
tell_module(struct convro_ctx *ctx, const char *event, const void *fact)
{
	const struct convro_module *module = kit_of(ctx)->descriptor;
	const struct convro_subscription *at = module->subscriptions.items;

	for (uint32_t i = 0; i < module->subscriptions.count; i++)
		if (strcmp(at[i].event, event) == 0)
			at[i].function(ctx, kit_of(ctx)->module.self, fact);
}

static void
emit(struct convro_ctx *ctx, const char *event, const void *fact)
{
	struct kit *kit = kit_of(ctx);
	struct kit_fact *kept = kit_alloc(kit, sizeof(*kept));
	uint32_t size;
	void *copy;

	memcpy(&size, fact, sizeof(size));
	copy = kit_alloc(kit, size);
	memcpy(copy, fact, size);
	*kept = (struct kit_fact){ NULL, kit_copy(kit, event), copy };
	*kit->facts_end = kept;
	kit->facts_end = &kept->next;
	hear(ctx, event, fact);
	tell_module(ctx, event, fact);
}

void
kit_tell(struct kit *kit, const char *event, const void *fact)
{
	struct convro_ctx *ctx = kit_ctx(kit);

	tell_module(ctx, event, fact);
	ctx_unref(ctx);
	kit_settle(kit);
}

uint32_t
kit_facts(struct kit *kit, const char *event)
{
	uint32_t count = 0;

	for (const struct kit_fact *at = kit->facts; at != NULL; at = at->next)
		count += strcmp(at->event, event) == 0;
	return count;
}

const void *
kit_fact(struct kit *kit, const char *event, uint32_t nth)
{
	for (const struct kit_fact *at = kit->facts; at != NULL; at = at->next)
		if (strcmp(at->event, event) == 0 && nth-- == 0)
			return at->copy;
	kit_broken("%s was not told that often", event);
}

/* ---- services ---- */

static bool
is_named(const struct convro_list *list, const char *name)
{
	const char *const *names = list->items;

	for (uint32_t i = 0; i < list->count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static const void *
service(struct convro_ctx *ctx, const char *name)
{
	struct kit *kit = kit_of(ctx);
	const struct kit_set *set = kit_find(kit->services, name);

	if (!is_named(&kit->descriptor->needs, name) && !is_named(&kit->descriptor->wants, name))
		kit_broken("the module neither needs nor wants %s", name);
	if (set != NULL)
		return set->data;
	return strcmp(name, "realtime.v1") == 0 ? &kit_realtime : NULL;
}

const struct convro_bus_table kit_bus = {
	.size = sizeof(struct convro_bus_table),
	.ask = ask,
	.deny = deny,
	.emit = emit,
	.service = service,
};

/* ---- realtime.v1 ---- */

struct kit_push_entry {
	struct kit_push_entry *next;
	struct kit_push push;
};

static void
keep(struct kit *kit, int64_t device, const char *event, int64_t cursor, const char *json,
    size_t len, bool source)
{
	struct kit_push_entry *entry = kit_alloc(kit, sizeof(*entry));
	const char *copy = arena_copy(kit->arena, json, len);

	entry->push = (struct kit_push){ device, cursor, kit_copy(kit, event), copy, source };
	*kit->pushes_end = entry;
	kit->pushes_end = &entry->next;
}

static void
push(struct convro_ctx *ctx, int64_t device, const char *event, int64_t cursor, const char *json,
    size_t len)
{
	keep(kit_of(ctx), device, event, cursor, json, len, false);
}

static void
add_source(struct convro_ctx *ctx, const struct convro_realtime_source *source)
{
	struct kit *kit = kit_of(ctx);
	struct convro_realtime_source *copy = kit_alloc(kit, sizeof(*copy));
	uint32_t at = kit->source_count++;

	if (at == KIT_SOURCES)
		kit_broken("too many sources");
	*copy = *source;
	for (; at > 0 && kit->sources[at - 1]->order > copy->order; at--)
		kit->sources[at] = kit->sources[at - 1];
	kit->sources[at] = copy;
}

static void
on_ack(struct convro_ctx *ctx, const char *event, convro_pushed_ack *function, void *self)
{
	struct kit *kit = kit_of(ctx);

	if (kit->ack_count == KIT_ACKS)
		kit_broken("too many acknowledgement handlers");
	kit->acks[kit->ack_count].event = event;
	kit->acks[kit->ack_count].function = function;
	kit->acks[kit->ack_count++].self = self;
}

static void
source_emit(struct convro_catch_up *catch_up, const char *event, int64_t cursor, const char *json,
    size_t len)
{
	if (catch_up->done)
		kit_broken("emit after page_done");
	keep(catch_up->kit, catch_up->device, event, cursor, json, len, true);
	catch_up->last = cursor;
}

static void
page_done(struct convro_catch_up *catch_up, enum convro_status status, int more)
{
	if (catch_up->done)
		kit_broken("page_done twice");
	catch_up->done = true;
	catch_up->status = status;
	catch_up->more = more != 0;
}

const struct convro_realtime kit_realtime = {
	.size = sizeof(struct convro_realtime),
	.push = push,
	.add_source = add_source,
	.on_ack = on_ack,
	.emit = source_emit,
	.page_done = page_done,
};

uint32_t
kit_pushes(struct kit *kit)
{
	uint32_t count = 0;

	for (const struct kit_push_entry *at = kit->pushes; at != NULL; at = at->next)
		count++;
	return count;
}

const struct kit_push *
kit_push(struct kit *kit, uint32_t nth)
{
	for (const struct kit_push_entry *at = kit->pushes; at != NULL; at = at->next)
		if (nth-- == 0)
			return &at->push;
	kit_broken("there were not that many pushes");
}

enum convro_status
kit_connect(struct kit *kit, int64_t device, int64_t after)
{
	for (uint32_t i = 0; i < kit->source_count; i++) {
		const struct convro_realtime_source *source = kit->sources[i];
		struct convro_catch_up catch_up = { .kit = kit, .device = device, .more = true };

		if (after < 0 && source->always == 0)
			continue;
		catch_up.last = after > 0 ? after : 0;
		while (catch_up.more) {
			struct convro_ctx *ctx = kit_ctx(kit);

			catch_up.done = false;
			source->page(ctx, source->self, &catch_up, device, catch_up.last);
			ctx_unref(ctx);
			kit_settle(kit);
			if (!catch_up.done)
				kit_broken("a source did not end its page");
			if (catch_up.status != CONVRO_OK)
				return catch_up.status;
		}
	}
	return CONVRO_OK;
}

void
kit_acknowledge(struct kit *kit, const char *event, int64_t device, int64_t cursor)
{
	for (uint32_t i = 0; i < kit->ack_count; i++) {
		struct convro_ctx *ctx;

		if (strcmp(kit->acks[i].event, event) != 0)
			continue;
		ctx = kit_ctx(kit);
		kit->acks[i].function(ctx, kit->acks[i].self, device, cursor);
		ctx_unref(ctx);
		kit_settle(kit);
	}
}

/* ---- auth ---- */

static const struct convro_principal *
principal(struct convro_ctx *ctx)
{
	return ctx->principal;
}

static enum convro_status
provide(struct convro_ctx *ctx, convro_verify *verify, void *self)
{
	struct kit *kit = kit_of(ctx);

	if (kit->verify != NULL)
		return CONVRO_FAILED;
	kit->verify = verify;
	kit->verify_self = self;
	return CONVRO_OK;
}

static void
verify_token(
    struct convro_ctx *ctx, const char *token, size_t len, convro_verified *done, void *arg)
{
	struct kit *kit = kit_of(ctx);

	if (kit->verify == NULL)
		kit_broken("nobody provides an authenticator");
	kit->verify(ctx, kit->verify_self, token, len, done, arg);
}

const struct convro_auth_table kit_auth = {
	.size = sizeof(struct convro_auth_table),
	.principal = principal,
	.provide = provide,
	.verify = verify_token,
};

struct verified {
	uint32_t times;
	const char *error;
	struct convro_principal principal;
};

static void
verified(struct convro_ctx *ctx, void *arg, const char *error, const struct convro_principal *who)
{
	struct kit *kit = kit_of(ctx);
	struct verified *out = arg;

	out->times++;
	out->error = kit_copy(kit, error);
	if (error != NULL)
		return;
	out->principal = *who;
	out->principal.number = kit_copy(kit, who->number);
	out->principal.username = kit_copy(kit, who->username);
}

const char *
kit_verify(struct kit *kit, const char *token, struct convro_principal *out)
{
	struct convro_ctx *ctx = kit_ctx(kit);
	struct verified result = { 0 };

	verify_token(ctx, token, strlen(token), verified, &result);
	ctx_unref(ctx);
	kit_settle(kit);
	if (result.times != 1)
		kit_broken("a token was answered %u times", result.times);
	if (out != NULL)
		*out = result.principal;
	return result.error;
}
