/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets: from a file that nobody else can read, from the environment, or
 * from systemd's credentials; never from the configuration itself.  They are
 * kept in locked memory, read-only, and wiped at the end.
 */
#include "base/must.h"
#include "conf/private.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Keeps `len` bytes without the newline at their end; the caller wipes its own copy. */
static void
keep(struct conf *conf, struct conf_slot *slot, const struct conf_place *place, const char *data,
    size_t len)
{
	if (len > 0 && data[len - 1] == '\n')
		len--;
	if (len > 0 && data[len - 1] == '\r')
		len--;
	if (len == 0) {
		conf_complain(
		    conf, place, "%s.%s: the secret is empty", slot->section, slot->option->name);
		return;
	}
	slot->secret = sodium_malloc(len + 1);
	if (slot->secret == NULL) {
		conf->failed = true;
		return;
	}
	memcpy(slot->secret, data, len);
	slot->secret[len] = '\0';
	slot->secret_len = len;
	sodium_mprotect_readonly(slot->secret);
}

/* systemd guards the directory itself, and its files show the group bits of an access list. */
static bool
is_credential(const char *path)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	size_t len = directory != NULL ? strlen(directory) : 0;

	return len > 0 && strncmp(path, directory, len) == 0 && path[len] == '/' &&
	       strchr(path + len + 1, '/') == NULL;
}

/* A sentence's end about a file that must not be used, or NULL. */
static const char *
judge(const char *path, const struct stat *info)
{
	if (!S_ISREG(info->st_mode))
		return "is no regular file";
	if (!is_credential(path) && (info->st_mode & 077) != 0)
		return "can be reached by others than its owner; chmod 600 it";
	if (info->st_uid != 0 && info->st_uid != geteuid())
		return "belongs to another user; chown it to the server's user or root";
	if (info->st_size > (off_t)CONF_SECRET_MAX)
		return "is too large for a secret";
	return NULL;
}

/* Reads up to `size` bytes; -1 with errno. */
static ssize_t
read_all(int fd, char *out, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t got = read(fd, out + len, size - len);

		if (got == 0)
			break;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

static void
load_file(
    struct conf *conf, struct conf_slot *slot, const struct conf_place *place, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat info;
	const char *why = NULL;
	char *bytes;
	ssize_t len;

	if (fd < 0 || fstat(fd, &info) != 0) {
		conf_complain(conf, place, "%s.%s: could not read %s: %s", slot->section,
		    slot->file_name, conf_show(path).text, strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	why = judge(path, &info);
	if (why != NULL) {
		conf_complain(conf, place, "%s.%s: %s %s", slot->section, slot->file_name,
		    conf_show(path).text, why);
		close(fd);
		return;
	}
	bytes = sodium_malloc(CONF_SECRET_MAX);
	if (bytes == NULL) {
		conf->failed = true;
		close(fd);
		return;
	}
	len = read_all(fd, bytes, CONF_SECRET_MAX);
	if (len < 0)
		conf_complain(conf, place, "%s.%s: could not read %s: %s", slot->section,
		    slot->file_name, conf_show(path).text, strerror(errno));
	else
		keep(conf, slot, place, bytes, (size_t)len);
	sodium_free(bytes);
	close(fd);
}

/* $CREDENTIALS_DIRECTORY/<section>.<name>, where it exists. */
static void
load_credential(struct conf *conf, struct conf_slot *slot)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	struct conf_place place = { .source = conf->sources };
	char *path = NULL;

	if (directory == NULL || *directory == '\0')
		return;
	if (asprintf(&path, "%s/%s.%s", directory, slot->section, slot->option->name) < 0) {
		conf->failed = true;
		return;
	}
	place.file = "credentials";
	if (access(path, F_OK) == 0)
		load_file(conf, slot, &place, path);
	free(path);
}

void
conf_load_secret(struct conf *conf, struct conf_slot *slot)
{
	const struct conf_entry *entry = conf_entry_of(conf, slot);
	const char *value = getenv(slot->environment);
	struct conf_place place = { .file = "environment", .source = conf->sources };

	MUST(slot->secret == NULL);
	if (entry != NULL && *entry->text == '\0')
		entry = NULL; /* "secret_file =" takes back what an earlier file said */
	if (value != NULL && *value == '\0')
		value = NULL;
	if (entry != NULL && value != NULL) {
		conf_complain(conf, &entry->place,
		    "%s.%s is given twice, here and as %s in the environment; drop one",
		    slot->section, slot->option->name, slot->environment);
	} else if (entry != NULL) {
		load_file(conf, slot, &entry->place, entry->text);
	} else if (value != NULL) {
		keep(conf, slot, &place, value, strlen(value));
	} else {
		load_credential(conf, slot);
	}
}
