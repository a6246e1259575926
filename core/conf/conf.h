/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration: one reader, option tables of the core and of each module,
 * every mistake reported at once with file and line.
 * Reading order: reader.c (text), conf.c (tables), check.c (mistakes), value.c
 * (types), secret.c, reference.c; core_options.c has the core's own tables.
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/buf.h"

#include <convro/conf.h>
#include <stdbool.h>

struct conf;

/* An empty configuration; NULL when memory is out.  Thread: main. */
struct conf *conf_new(void);
/* Wipes the secrets and frees everything.  NULL is allowed. */
void conf_free(struct conf *conf);

/*
 * Read a file (and what it includes), a text in memory, or one
 * "section.option=value" of the command line (where a secret is refused).  What
 * is read later overrides what was read before.
 * Mistakes are collected, not printed.  -1 when the file could not be read
 * (which conf_finish reports too) or memory is out.  Thread: main.
 */
int conf_read_file(struct conf *conf, const char *path);
int conf_read_text(struct conf *conf, const char *name, const char *text, size_t len);
int conf_set(struct conf *conf, const char *assignment);

/* Declares a section and its options.  The options are borrowed until conf_free.  -1 when memory is
 * out, the section was declared already, or the table is malformed (a default that does not fit its
 * type, say), which conf_finish reports too.  A SECRET may bear the name of another option: it is
 * written under another. */
int conf_declare(
    struct conf *conf, const char *section, const struct convro_option *options, uint32_t count);

/* Judges a value beyond its type; false after putting the end of a sentence into `why`:
 * "server.listen: " + "\"x\" is no address". */
typedef bool conf_check(const char *value, struct buf *why);
/* Adds a check to a declared option (TEXT or WORDS); its default is not judged. */
void conf_add_check(struct conf *conf, const char *section, const char *name, conf_check *check);

/* After all are declared: what is left over is unknown and a mistake; loads the secrets.  Once.
 * The number of mistakes; each is one line "file:line: sentence" in `out`, in the order of files
 * and lines. */
uint32_t conf_finish(struct conf *conf, struct buf *out);
/* The same where not all could be declared, since a module did not load: sections that nobody
 * declared are passed over. */
uint32_t conf_finish_partly(struct conf *conf, struct buf *out);

/* Getters; the option was declared with a type that fits (else a bug).  What they give is borrowed
 * until conf_free.  Before conf_finish they give what is known so far, the default where the value
 * is malformed, and no secrets.  Thread: any, once nothing is read or declared any more. */
const char *conf_text(const struct conf *conf, const char *section, const char *name);
/* INT, BOOL (0, 1), DURATION (ms), SIZE (bytes). */
int64_t conf_int(const struct conf *conf, const char *section, const char *name);
/* `len` bytes and a NUL behind them; NULL when none is configured. */
const uint8_t *
conf_secret(const struct conf *conf, const char *section, const char *name, size_t *len);
/* `out->size` is set by the caller; what lies behind it is not written. */
void
conf_rate(const struct conf *conf, const char *section, const char *name, struct convro_rate *out);

/* One section's options.  `form` "conf": as the annotated file has them (paragraph, type, example,
 * the default as a commented line); "man": as convro.conf(5) has them (mdoc).  `summary`: one line
 * about the section, or NULL. */
void conf_reference(const char *form, const char *section, const char *summary,
    const struct convro_option *options, uint32_t count, struct buf *out);
/* What stands before the first section of the annotated file: how it is read. */
void conf_reference_head(struct buf *out);

#endif
