/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status page: page/page.html with its {{marks}} filled in.  Style and
 * script stand in the page; the policy names them by hash, so that nothing
 * else can run even if something slipped into the text.
 */
#include "status.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

struct filling {
	struct convro_ctx *ctx;
	const struct status *status;
	const struct catalog *catalog;
	struct text *out;
};

static bool
has_module(const struct catalog *catalog, uint32_t end, const char *name)
{
	for (uint32_t i = 0; i < end; i++)
		if (strcmp(catalog->entries[i].module, name) == 0)
			return true;
	return false;
}

static void
put_count(struct filling *filling)
{
	const struct catalog *catalog = filling->catalog;
	unsigned modules = 0;

	for (uint32_t i = 0; i < catalog->count; i++)
		if (!has_module(catalog, i, catalog->entries[i].module))
			modules++;
	text_printf(filling->out, "%u endpoint%s from %u module%s", catalog->count,
	    catalog->count == 1 ? "" : "s", modules, modules == 1 ? "" : "s");
}

static void
note_module(void *arg, const char *module, const char *version, const struct convro_route *route)
{
	bool *found = arg;

	(void)version;
	(void)route;
	if (strcmp(module, "socketio") == 0)
		*found = true;
}

/* Whether sockets can be connected to here, which the list of endpoints does not tell. */
static void
put_realtime(struct filling *filling)
{
	bool found = false;

	convro->http->each_route(filling->ctx, note_module, &found);
	if (!found)
		text_puts(filling->out, "<p class=\"note\">This server runs without the module "
					"<code>socketio</code>: clients have to poll.</p>");
}

static void
put_openapi_link(struct filling *filling)
{
	if (filling->status->with_openapi)
		text_puts(filling->out, "<a href=\"openapi.json\">OpenAPI 3.1</a>");
}

/* One mark, "title" of "{{title}}". */
static void
put_mark(struct filling *filling, const char *name, size_t len)
{
	static const struct {
		const char *name;
		void (*put)(struct text *out, const struct catalog *catalog);
	} lists[] = { { "nav", page_write_nav }, { "index", page_write_index } };
	static const struct {
		const char *name;
		void (*put)(struct filling *filling);
	} pieces[] = { { "count", put_count }, { "realtime", put_realtime },
		{ "openapi", put_openapi_link } };
	struct text *out = filling->out;

#define IS(word) (len == sizeof(word) - 1 && memcmp(name, word, len) == 0)
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strlen(lists[i].name) == len && memcmp(name, lists[i].name, len) == 0)
			lists[i].put(out, filling->catalog);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		if (strlen(pieces[i].name) == len && memcmp(name, pieces[i].name, len) == 0)
			pieces[i].put(filling);
	if (IS("endpoints"))
		page_write_endpoints(filling->ctx, out, filling->catalog);
	else if (IS("style"))
		text_put(out, (const char *)status_page_css, status_page_css_len);
	else if (IS("script"))
		text_put(out, (const char *)status_page_js, status_page_js_len);
	else if (IS("title"))
		text_escapes(out, filling->status->title);
	else if (IS("version"))
		text_escapes(out, convro->http->version(filling->ctx));
	else if (len > 6 && memcmp(name, "route ", 6) == 0)
		page_write_link(out, filling->catalog, name + 6, len - 6);
#undef IS
}

static void
fill(struct filling *filling)
{
	const char *at = (const char *)status_page_html, *end = at + status_page_html_len;

	while (at < end) {
		const char *mark = memmem(at, (size_t)(end - at), "{{", 2);
		const char *close =
		    mark != NULL ? memmem(mark, (size_t)(end - mark), "}}", 2) : NULL;

		if (close == NULL) {
			text_put(filling->out, at, (size_t)(end - at));
			return;
		}
		text_put(filling->out, at, (size_t)(mark - at));
		put_mark(filling, mark + 2, (size_t)(close - mark - 2));
		at = close + 2;
	}
}

/* "sha256-...", as the policy wants it. */
static void
hash_source(const unsigned char *data, size_t len, char out[64])
{
	uint8_t digest[crypto_hash_sha256_BYTES];
	char base64[sodium_base64_ENCODED_LEN(
	    crypto_hash_sha256_BYTES, sodium_base64_VARIANT_ORIGINAL)];

	(void)crypto_hash_sha256(digest, data, len);
	(void)sodium_bin2base64(
	    base64, sizeof(base64), digest, sizeof(digest), sodium_base64_VARIANT_ORIGINAL);
	(void)snprintf(out, 64, "sha256-%s", base64);
}

bool
page_write(struct convro_ctx *ctx, const struct status *status, const struct catalog *catalog,
    struct text *out, char policy[POLICY_SIZE])
{
	struct filling filling = { ctx, status, catalog, out };
	char style[64], script[64];

	hash_source(status_page_css, status_page_css_len, style);
	hash_source(status_page_js, status_page_js_len, script);
	(void)snprintf(policy, POLICY_SIZE,
	    "default-src 'none'; style-src '%s'; script-src '%s'; connect-src 'self'; "
	    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	    style, script);
	fill(&filling);
	return !out->failed;
}
