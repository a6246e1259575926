/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pieces of the page that come from the registered routes.  Everything is
 * here in HTML already: the script only makes it handier.
 */
#include "status.h"

#include <string.h>

/* ---- names and links ---- */

static void
put_slug(struct text *out, const char *name)
{
	for (bool pending = false; *name != '\0'; name++) {
		char c = *name;

		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_') {
			if (pending)
				text_puts(out, "-");
			text_put(out, &c, 1);
		}
		pending = !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_') &&
			  (pending || name[1] != '\0');
	}
}

/* "post-v1-auth-register": what permalinks are made of, so it must never change. */
static void
put_anchor(struct text *out, const struct convro_route *route)
{
	put_slug(out, route_method(route));
	if (strcmp(route->path, "/") == 0)
		text_puts(out, "-root");
	else
		put_slug(out, route->path);
}

/* Paths may break at their slashes on a narrow screen. */
static void
put_path(struct text *out, const char *path)
{
	for (const char *at = path; *at != '\0'; at++) {
		if (*at == '/' && at != path)
			text_puts(out, "<wbr>");
		text_escape(out, at, 1);
	}
}

static void
put_method(struct text *out, const struct convro_route *route)
{
	text_puts(out, "<span class=\"method ");
	put_slug(out, route_method(route));
	text_puts(out, "\">");
	text_puts(out, route_method(route));
	text_puts(out, "</span>");
}

static void
put_access(struct text *out, const struct convro_route *route)
{
	text_puts(out, route->access == CONVRO_BEARER
			   ? "<span class=\"access bearer\">bearer</span>"
			   : "<span class=\"access public\">public</span>");
}

void
page_write_link(struct text *out, const struct catalog *catalog, const char *name, size_t len)
{
	const struct entry *entry = catalog_find(catalog, name, len);

	if (entry != NULL) {
		text_puts(out, "<a href=\"#");
		put_anchor(out, entry->route);
		text_puts(out, "\">");
	}
	text_puts(out, "<code>");
	text_escape(out, name, len);
	text_puts(out, "</code>");
	if (entry != NULL)
		text_puts(out, "</a>");
}

/* ---- groups ---- */

static bool
is_first_of_group(const struct catalog *catalog, uint32_t index)
{
	const char *name = group_name(&catalog->entries[index]);

	for (uint32_t i = 0; i < index; i++)
		if (strcmp(group_name(&catalog->entries[i]), name) == 0)
			return false;
	return true;
}

static bool
is_in_group(const struct catalog *catalog, uint32_t index, const char *name)
{
	return strcmp(group_name(&catalog->entries[index]), name) == 0;
}

void
page_write_nav(struct text *out, const struct catalog *catalog)
{
	for (uint32_t i = 0; i < catalog->count; i++) {
		if (!is_first_of_group(catalog, i))
			continue;
		text_puts(out, "<li><a href=\"#group-");
		put_slug(out, group_name(&catalog->entries[i]));
		text_puts(out, "\">");
		text_escapes(out, group_name(&catalog->entries[i]));
		text_puts(out, "</a></li>\n");
	}
}

static void
put_index_row(struct text *out, const struct entry *entry)
{
	text_puts(out, "<li><a href=\"#");
	put_anchor(out, entry->route);
	text_puts(out, "\">");
	put_method(out, entry->route);
	text_puts(out, " <code>");
	put_path(out, entry->route->path);
	text_puts(out, "</code></a> ");
	put_access(out, entry->route);
	text_puts(out, "</li>\n");
}

void
page_write_index(struct text *out, const struct catalog *catalog)
{
	for (uint32_t i = 0; i < catalog->count; i++) {
		const char *name = group_name(&catalog->entries[i]);

		if (!is_first_of_group(catalog, i))
			continue;
		text_puts(out, "<div class=\"index-group\"><h3>");
		text_escapes(out, name);
		text_puts(out, "</h3><ul>\n");
		for (uint32_t k = i; k < catalog->count; k++)
			if (is_in_group(catalog, k, name))
				put_index_row(out, &catalog->entries[k]);
		text_puts(out, "</ul></div>\n");
	}
}

/* ---- one endpoint ---- */

static void
put_names(struct text *out, const char *words)
{
	for (const char *at = words; *at != '\0';) {
		size_t len = strcspn(at, " ");

		text_puts(out, at != words ? ", <code>" : "<code>");
		text_escape(out, at, len);
		text_puts(out, "</code>");
		at += len;
		at += strspn(at, " ");
	}
}

static void
put_code(struct text *out, const char *code)
{
	text_puts(out, "<code>");
	text_escapes(out, code);
	text_puts(out, "</code> ");
}

/* Long names may break behind their dots. */
static void
put_dotted(struct text *out, const char *name)
{
	for (; *name != '\0'; name++) {
		text_escape(out, name, 1);
		if (*name == '.')
			text_puts(out, "<wbr>");
	}
}

static void
put_field_name(struct text *out, const struct convro_field *field, const struct convro_field *outer)
{
	if (outer != NULL) {
		put_dotted(out, outer->name);
		text_puts(out, "[]");
	}
	if (field->name == NULL || field->name[0] == '\0')
		return;
	if (outer != NULL)
		text_puts(out, ".<wbr>");
	put_dotted(out, field->name);
}

/* `outer`: the array that the field is of an element of, or NULL. */
static void
put_field(struct text *out, const struct convro_field *field, const struct convro_field *outer)
{
	struct text words = { 0 };

	field_words(&words, field);
	text_puts(out, "<tr><th scope=\"row\"><code>");
	put_field_name(out, field, outer);
	text_puts(out, "</code> ");
	text_puts(out, (field->flags & CONVRO_REQUIRED) != 0
			   ? "<span class=\"need\">required</span>"
			   : "<span class=\"may\">optional</span>");
	text_puts(out, "</th><td>");
	text_escape(out, words.data, words.len);
	if (field->preset != NULL) {
		text_puts(out, "; default <code>");
		text_escapes(out, field->preset);
		text_puts(out, "</code>");
	}
	if (field->summary != NULL) {
		text_puts(out, "<br><span class=\"hint\">");
		text_escapes(out, field->summary);
		text_puts(out, "</span>");
	}
	if (field->aliases != NULL) {
		text_puts(out, "<br><span class=\"hint\">also as ");
		put_names(out, field->aliases);
		text_puts(out, "</span>");
	}
	text_puts(out, "</td><td class=\"codes\">");
	if ((field->flags & CONVRO_LAX) == 0)
		put_code(out, field_code(field, outer));
	if (field->large != NULL)
		put_code(out, field->large);
	text_puts(out, "</td></tr>\n");
	out->failed = out->failed || words.failed;
	text_free(&words);
}

static void
put_fields(struct text *out, const struct convro_route *route, uint32_t in, const char *heading)
{
	if (!has_field_in(route, in))
		return;
	text_puts(out, "<h5>");
	text_puts(out, heading);
	text_puts(out,
	    "</h5>\n<table class=\"fields\"><thead><tr><th scope=\"col\">Field</th>"
	    "<th scope=\"col\">Value</th><th scope=\"col\">If wrong</th></tr></thead><tbody>\n");
	for (uint32_t i = 0; i < route->fields.count; i++) {
		const struct convro_field *field = list_at(&route->fields, i);

		if (field->in != in)
			continue;
		put_field(out, field, NULL);
		for (uint32_t k = 0; k < field->items.count; k++)
			put_field(out, list_at(&field->items, k), field);
	}
	text_puts(out, "</tbody></table>\n");
}

static void
put_answers(struct convro_ctx *ctx, struct text *out, const struct convro_route *route)
{
	for (uint32_t i = 0; i < route->answers.count; i++) {
		const struct convro_answer *answer = list_at(&route->answers, i);

		text_printf(out, "<h5>Answer <span class=\"code%s\">%u</span>",
		    answer->status < 400 ? " good" : "", answer->status);
		if (answer->summary != NULL) {
			text_puts(out, " <span class=\"hint\">");
			text_escapes(out, answer->summary);
			text_puts(out, "</span>");
		}
		text_puts(out, "</h5>\n");
		if (answer->example == NULL || !is_good_example(ctx, route, answer->example))
			continue;
		text_puts(out, "<pre tabindex=\"0\"><code>");
		page_write_json(out, answer->example, strlen(answer->example));
		text_puts(out, "</code></pre>\n");
	}
}

static void
put_errors(struct text *out, const struct convro_route *route)
{
	struct known_errors errors;

	errors_read(route, &errors);
	text_puts(out, "<h5>Errors</h5>\n<dl class=\"errors\">\n");
	for (uint32_t i = 0; i < errors.count; i++) {
		const struct known_error *error = &errors.items[i];

		if (i == 0 || error->status != errors.items[i - 1].status)
			text_printf(out, "%s<dt><span class=\"code\">%u</span></dt><dd>",
			    i == 0 ? "" : "</dd>\n", error->status);
		text_puts(out, "<span class=\"error\"><code>");
		text_escapes(out, error->code);
		text_puts(out, "</code>");
		if (error->summary != NULL) {
			text_puts(out, " <span class=\"hint\">");
			text_escapes(out, error->summary);
			text_puts(out, "</span>");
		}
		text_puts(out, "</span>\n");
	}
	text_puts(out, errors.count > 0 ? "</dd></dl>\n" : "</dl>\n");
	out->failed = out->failed || errors.failed;
	errors_free(&errors);
}

static void
put_endpoint(struct convro_ctx *ctx, struct text *out, const struct entry *entry)
{
	const struct convro_route *route = entry->route;

	text_puts(out, "<article class=\"endpoint\" id=\"");
	put_anchor(out, route);
	text_puts(out, "\">\n<a class=\"permalink\" href=\"#");
	put_anchor(out, route);
	text_puts(out, "\" aria-label=\"Permalink to ");
	text_puts(out, route_method(route));
	text_puts(out, " ");
	text_escapes(out, route->path);
	text_puts(out, "\">#</a>\n<details><summary>");
	put_method(out, route);
	text_puts(out, " <code class=\"path\">");
	put_path(out, route->path);
	text_puts(out, "</code> ");
	put_access(out, route);
	if (route->summary != NULL) {
		text_puts(out, " <span class=\"gist\">");
		text_escapes(out, route->summary);
		text_puts(out, "</span>");
	}
	text_puts(out, "</summary>\n<div class=\"detail\">\n");
	if (route->notes != NULL) {
		text_puts(out, "<p>");
		text_escapes(out, route->notes);
		text_puts(out, "</p>\n");
	}
	if (route->access == CONVRO_BEARER)
		text_puts(out, "<h5>Header</h5>\n<pre tabindex=\"0\"><code>Authorization: Bearer "
			       "&lt;accessToken&gt;</code></pre>\n");
	put_fields(out, route, CONVRO_PATH, "Path");
	put_fields(out, route, CONVRO_QUERY, "Query");
	put_fields(out, route, CONVRO_BODY, "Body (JSON)");
	put_answers(ctx, out, route);
	put_errors(out, route);
	text_puts(out, "<p class=\"origin\">from the module <code>");
	text_escapes(out, entry->module);
	text_puts(out, "</code> ");
	text_escapes(out, entry->version);
	text_puts(out, "</p>\n</div></details></article>\n");
}

void
page_write_endpoints(struct convro_ctx *ctx, struct text *out, const struct catalog *catalog)
{
	for (uint32_t i = 0; i < catalog->count; i++) {
		const char *name = group_name(&catalog->entries[i]);

		if (!is_first_of_group(catalog, i))
			continue;
		text_puts(out, "<section class=\"group\" id=\"group-");
		put_slug(out, name);
		text_puts(out, "\">\n<h3>");
		text_escapes(out, name);
		text_puts(out, "</h3>\n");
		for (uint32_t k = i; k < catalog->count; k++)
			if (is_in_group(catalog, k, name))
				put_endpoint(ctx, out, &catalog->entries[k]);
		text_puts(out, "</section>\n");
	}
}
