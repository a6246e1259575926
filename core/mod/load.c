/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding a module, opening it and checking its descriptor.  Every refusal is
 * one sentence that tells an operator what to do.  Read next: normalise.c.
 */
#include "log/log.h"
#include "mod/internal.h"
#include "mod/mod.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that others may change would let them run code as the server. */
static int
check_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		log_error(
		    "module %s: %s: check [server] modules and module_dir", path, strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		log_error("module %s: not a regular file", path);
		return -1;
	}
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		log_error("module %s: writable by others than its owner: chmod go-w it", path);
		return -1;
	}
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		log_error(
		    "module %s: owned by user %ld, neither root nor the server's own: chown it",
		    path, (long)st.st_uid);
		return -1;
	}
	return 0;
}

/* "auth.so" must describe itself as "auth": what the file's name says is what an operator sees. */
static int
check_name(const char *path, const char *name)
{
	const char *base = strrchr(path, '/');
	size_t len = name != NULL ? strlen(name) : 0;

	base = base != NULL ? base + 1 : path;
	if (len == 0 || len > 32 || !islower((unsigned char)name[0])) {
		log_error(
		    "module %s: its descriptor has no name of a-z, 0-9 and _ of at most 32 characters",
		    path);
		return -1;
	}
	for (size_t i = 0; i < len; i++) {
		if (!islower((unsigned char)name[i]) && !isdigit((unsigned char)name[i]) &&
		    name[i] != '_') {
			log_error(
			    "module %s: its name \"%s\" has other characters than a-z, 0-9 and _",
			    path, name);
			return -1;
		}
	}
	if (strncmp(base, name, len) != 0 || strcmp(base + len, ".so") != 0) {
		log_error(
		    "module %s: describes itself as \"%s\": name the file %s.so", path, name, name);
		return -1;
	}
	if (strcmp(name, "core") == 0 || strcmp(name, "server") == 0 ||
	    strcmp(name, "storage") == 0 || strcmp(name, "log") == 0) {
		log_error("module %s: the name \"%s\" belongs to the server itself", path, name);
		return -1;
	}
	return 0;
}

static int
check_abi(const char *path, const struct convro_module *descriptor)
{
	if (descriptor->size < offsetof(struct convro_module, needs)) {
		log_error(
		    "module %s: its descriptor of %u bytes is too short: build it against the headers of abi %d.%d",
		    path, descriptor->size, CONVRO_ABI_MAJOR, CONVRO_ABI_MINOR);
		return -1;
	}
	if (descriptor->abi_major != CONVRO_ABI_MAJOR) {
		log_error(
		    "module %s: made for abi %u.%u, this server has %d.%d: install the module's build for it",
		    path, descriptor->abi_major, descriptor->abi_minor, CONVRO_ABI_MAJOR,
		    CONVRO_ABI_MINOR);
		return -1;
	}
	if (descriptor->abi_minor > CONVRO_ABI_MINOR) {
		log_error("module %s: needs abi %u.%u, this server has %d.%d: update the server",
		    path, descriptor->abi_major, descriptor->abi_minor, CONVRO_ABI_MAJOR,
		    CONVRO_ABI_MINOR);
		return -1;
	}
	return 0;
}

int
mod_open(const char *path, struct module *module)
{
	const struct convro_module *(*entry)(void);
	const struct convro_module *descriptor;
	void *symbol;

	*module = (struct module){ .name = path };
	if (check_file(path) != 0)
		return -1;
	module->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (module->handle == NULL) {
		log_error("module %s: could not be loaded: %s", path, dlerror());
		return -1;
	}
	symbol = dlsym(module->handle, "convro_module_v1");
	if (symbol == NULL) {
		log_error(
		    "module %s: exports no convro_module_v1: it is not a module of this server",
		    path);
		return -1;
	}
	memcpy(&entry, &symbol, sizeof(entry)); /* POSIX: an object pointer that is a function's */
	descriptor = entry();
	if (descriptor == NULL) {
		log_error("module %s: convro_module_v1 gave no descriptor", path);
		return -1;
	}
	if (check_abi(path, descriptor) != 0)
		return -1;
	if (mod_normalise(path, descriptor, module) != 0)
		return -1;
	if (check_name(path, module->descriptor->name) != 0)
		return -1;
	module->name = module->descriptor->name;
	return 0;
}

/* "auth" is module_dir/auth.so; an absolute path is taken as it is. */
static int
locate(const char *word, size_t len, const char *dir, char *path, size_t size)
{
	int written;

	if (word[0] == '/')
		written = snprintf(path, size, "%.*s", (int)len, word);
	else if (memchr(word, '/', len) != NULL || word[0] == '.')
		written = -1;
	else
		written = snprintf(path, size, "%s/%.*s.so", dir, (int)len, word);
	if (written < 0 || (size_t)written >= size) {
		log_error(
		    "[server] modules: \"%.*s\" is neither a name in module_dir nor an absolute path",
		    (int)len, word);
		return -1;
	}
	return 0;
}

static int
check_twice(const struct module *modules, uint32_t count, const struct module *added)
{
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(modules[i].name, added->name) == 0) {
			log_error("[server] modules: \"%s\" is named twice", added->name);
			return -1;
		}
	}
	return 0;
}

int
mod_load(const char *words, const char *dir, struct module **out, uint32_t *out_count)
{
	struct module *modules = NULL;
	uint32_t count = 0;
	int failed = 0;

	*out = NULL;
	*out_count = 0;
	for (const char *at = words; *at != '\0';) {
		size_t len = strcspn(at, " \t");
		char path[PATH_MAX];
		struct module module, *grown;

		if (len == 0) {
			at++;
			continue;
		}
		/* All mistakes at once: go on after one. */
		module = (struct module){ .name = NULL };
		if (locate(at, len, dir, path, sizeof(path)) != 0 || mod_open(path, &module) != 0 ||
		    check_twice(modules, count, &module) != 0) {
			mod_release(&module);
			failed = 1;
		} else if ((grown = realloc(modules, (count + 1) * sizeof(*modules))) == NULL) {
			log_error("out of memory while loading modules");
			mod_release(&module);
			failed = 1;
		} else {
			modules = grown;
			modules[count++] = module;
		}
		at += len;
	}
	*out = modules;
	*out_count = count;
	return failed ? -1 : 0;
}

void
mod_free(struct module *modules, uint32_t count)
{
	for (uint32_t m = 0; m < count; m++)
		mod_release(&modules[m]);
	free(modules);
}
