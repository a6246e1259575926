/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the core's options mean beyond their type.  A value is judged word by
 * word; the first bad word is told.
 */
#include "conf/core_checks.h"

#include "base/text.h"
#include "conf/private.h"

#include <arpa/inet.h>
#include <string.h>

#define BLANKS   " \t\n"
#define WORD_MAX 256

/* The next word of `*at` in `word`; false at the end.  Longer words are cut (and so refused by
 * whoever looks at them). */
static bool
next_word(const char **at, char word[WORD_MAX])
{
	const char *start = *at + strspn(*at, BLANKS);
	size_t len = strcspn(start, BLANKS);
	size_t kept = len < WORD_MAX - 1 ? len : WORD_MAX - 1;

	memcpy(word, start, kept);
	word[kept] = '\0';
	*at = start + len;
	return len > 0;
}

static bool
is_number(const char *text, int64_t max)
{
	int64_t number;

	return text_int64(text, strlen(text), &number) == 0 && number >= 0 && number <= max;
}

static bool
is_address(const char *text, int family)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return inet_pton(family, text, bytes) == 1;
}

/* Takes `word` apart. */
static bool
is_listen(char word[WORD_MAX])
{
	char *colon = strrchr(word, ':');
	size_t len;

	if (colon == NULL || !is_number(colon + 1, 65535))
		return false;
	*colon = '\0';
	len = (size_t)(colon - word);
	if (len < 2 || word[0] != '[' || word[len - 1] != ']')
		return is_address(word, AF_INET);
	word[len - 1] = '\0';
	return is_address(word + 1, AF_INET6);
}

bool
check_listen(const char *value, struct buf *why)
{
	char word[WORD_MAX], copy[WORD_MAX];
	size_t count = 0;

	for (; next_word(&value, word); count++) {
		memcpy(copy, word, sizeof(copy));
		if (!is_listen(copy)) {
			buf_printf(why,
			    "\"%s\" is no address with a port, such as 127.0.0.1:8080 or [::1]:8080",
			    conf_show(word).text);
			return false;
		}
	}
	if (count == 0)
		buf_puts(why, "an address is needed, such as 127.0.0.1:8080");
	return count > 0;
}

bool
check_modules(const char *value, struct buf *why)
{
	const char *all = value;
	char word[WORD_MAX], other[WORD_MAX];

	while (next_word(&value, word)) {
		const char *at = all;
		size_t found = 0;

		if (word[0] != '/' && !conf_is_name(word, strlen(word))) {
			buf_printf(why, "\"%s\" is neither a module's name nor an absolute path",
			    conf_show(word).text);
			return false;
		}
		while (next_word(&at, other))
			found += strcmp(word, other) == 0;
		if (found > 1) {
			buf_printf(why, "\"%s\" is named twice", conf_show(word).text);
			return false;
		}
	}
	return true;
}

/* scheme "://" host [":" port], and nothing behind. */
static bool
is_origin(const char *word)
{
	const char *host;

	if (strncmp(word, "https://", 8) == 0)
		host = word + 8;
	else if (strncmp(word, "http://", 7) == 0)
		host = word + 7;
	else
		return false;
	return *host != '\0' && strpbrk(host, "/?#@\\,*") == NULL;
}

bool
check_origins(const char *value, struct buf *why)
{
	char word[WORD_MAX];

	while (next_word(&value, word)) {
		if (strcmp(word, "*") != 0 && !is_origin(word)) {
			buf_printf(why,
			    "\"%s\" is no origin, such as https://app.example.org (no slash behind)",
			    conf_show(word).text);
			return false;
		}
	}
	return true;
}

/* Takes `word` apart. */
static bool
is_network(char word[WORD_MAX])
{
	char *slash = strchr(word, '/');
	int family = strchr(word, ':') != NULL ? AF_INET6 : AF_INET;

	if (slash != NULL) {
		*slash = '\0';
		if (!is_number(slash + 1, family == AF_INET6 ? 128 : 32))
			return false;
	}
	return is_address(word, family);
}

bool
check_networks(const char *value, struct buf *why)
{
	char word[WORD_MAX], copy[WORD_MAX];

	while (next_word(&value, word)) {
		memcpy(copy, word, sizeof(copy));
		if (!is_network(copy)) {
			buf_printf(why,
			    "\"%s\" is no address or network, such as ::1 or 10.0.0.0/8",
			    conf_show(word).text);
			return false;
		}
	}
	return true;
}

/* user:password@ behind the scheme. */
static bool
has_user_password(const char *url)
{
	const char *start = strstr(url, "://");
	size_t len;

	if (start == NULL)
		return false;
	start += 3;
	len = strcspn(start, "/?");
	return memchr(start, '@', len) != NULL &&
	       strcspn(start, ":") < (size_t)((const char *)memchr(start, '@', len) - start);
}

/* "password = ..." of a connection string, or "?password=" (sslpassword too). */
static bool
has_keyword_password(const char *url)
{
	for (const char *at = strstr(url, "password"); at != NULL; at = strstr(at, "password")) {
		at += strlen("password");
		if (at[strspn(at, BLANKS)] == '=')
			return true;
	}
	return false;
}

bool
check_url(const char *value, struct buf *why)
{
	if (!has_user_password(value) && !has_keyword_password(value))
		return true;
	/* The value is left out: this goes to the log. */
	buf_puts(why,
	    "a password must not be written here; use a service file or PGPASSFILE of libpq, or put the address into url_file");
	return false;
}
