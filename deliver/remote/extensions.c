#include "deliver/remote/extensions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CODE_LENGTH 4 /* "250-" */

/* The length of a word that ends at a space or at the end of the line. */
static size_t
word_length(const char *text)
{
	return strcspn(text, " \t\r");
}

static bool
is_word(const char *text, const char *word)
{
	size_t length = word_length(text);

	return length == strlen(word) && strncasecmp(text, word, length) == 0;
}

static uint64_t
read_size(const char *text)
{
	char *after;
	unsigned long long size;

	text += word_length(text);
	text += strspn(text, " \t");
	if (*text < '0' || *text > '9')
		return 0;
	errno = 0;
	size = strtoull(text, &after, 10);
	/* A number beyond all messages is no limit. */
	return errno != 0 || word_length(after) != 0 ? 0 : size;
}

/* RFC 9422: "LIMITS RCPTMAX=20 MAILMAX=5". */
static uint64_t
read_rcpt_max(const char *text)
{
	static const char name[] = "RCPTMAX=";
	unsigned long long most;
	char *after;

	for (;;) {
		text += word_length(text);
		text += strspn(text, " \t");
		if (word_length(text) == 0)
			return 0;
		if (strncasecmp(text, name, sizeof(name) - 1) == 0)
			break;
	}
	text += sizeof(name) - 1;
	if (*text < '0' || *text > '9')
		return 0;
	errno = 0;
	most = strtoull(text, &after, 10);
	return errno != 0 || word_length(after) != 0 ? 0 : most;
}

static void
read_line(struct extensions *e, const char *line)
{
	if (is_word(line, "PIPELINING"))
		e->pipelining = true;
	else if (is_word(line, "8BITMIME"))
		e->eight_bit = true;
	else if (is_word(line, "DSN"))
		e->dsn = true;
	else if (is_word(line, "LIMITS"))
		e->rcpt_max = read_rcpt_max(line);
	else if (is_word(line, "SIZE")) {
		e->size = true;
		e->size_limit = read_size(line);
	}
}

void
extensions_read(struct extensions *e, const char *reply, bool ehlo)
{
	const char *line = reply;

	memset(e, 0, sizeof(*e));
	while (ehlo && (line = strchr(line, '\n')) != NULL) {
		line++;
		if (strnlen(line, CODE_LENGTH) == CODE_LENGTH)
			read_line(e, line + CODE_LENGTH);
	}
}

bool
extensions_is_host(const char *reply, const char *hostname)
{
	return strnlen(reply, CODE_LENGTH) == CODE_LENGTH &&
	       is_word(reply + CODE_LENGTH, hostname);
}
