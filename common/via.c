#include "common/via.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MORE "..."
#define FIELDS 5
#define DIGITS_MOST 10 /* of 32 bits */

static bool
is_control(char c)
{
	return (unsigned char)c < ' ' || c == 0x7f;
}

/* -- Writing -------------------------------------------------------------- */

static void
make_plain(char *text)
{
	for (; *text != '\0'; text++)
		if (is_control(*text))
			*text = '?';
}

static bool
is_full(const char *text, size_t length)
{
	return length >= sizeof(MORE) - 1 &&
	       strcmp(text + length - (sizeof(MORE) - 1), MORE) == 0;
}

void
via_add(char *text, const struct via_step *step)
{
	struct via_step plain = *step;
	char line[sizeof(plain) + 16];
	size_t length = strlen(text), size;

	make_plain(plain.key);
	make_plain(plain.mailbox);
	make_plain(plain.table);
	make_plain(plain.file);
	if (is_full(text, length))
		return;
	snprintf(line, sizeof(line), "%s%s\t%s\t%s\t%s\t%u",
	    length > 0 ? "\n" : "", plain.key, plain.mailbox, plain.table,
	    plain.file, (unsigned int)plain.line);
	size = strlen(line);
	/* There is always room left to say that there is none. */
	if (length + size + sizeof("\n" MORE) > LIMIT_VIA) {
		snprintf(line, sizeof(line), "%s" MORE, length > 0 ? "\n" : "");
		size = strlen(line);
	}
	memcpy(text + length, line, size + 1);
}

/* -- Reading -------------------------------------------------------------- */

/* One field up to `end`, or the next tab. */
static bool
take_field(const char **at, const char *end, char *to, size_t size)
{
	const char *tab = memchr(*at, '\t', (size_t)(end - *at));
	size_t length = (size_t)((tab != NULL ? tab : end) - *at);

	if (length >= size)
		return false;
	for (size_t i = 0; i < length; i++)
		if (is_control((*at)[i]))
			return false;
	memcpy(to, *at, length);
	to[length] = '\0';
	*at += length + (tab != NULL ? 1 : 0);
	return true;
}

static bool
read_line(const char *text, uint32_t *line)
{
	char *end;
	unsigned long long value;

	if (*text < '0' || *text > '9')
		return false;
	value = strtoull(text, &end, 10);
	*line = (uint32_t)value;
	return *end == '\0' && value <= UINT32_MAX;
}

static bool
take_step(const char *at, const char *end, struct via_step *step)
{
	char line[DIGITS_MOST + 1];
	unsigned int tabs = 0;

	for (const char *c = at; c < end; c++)
		tabs += *c == '\t';
	return tabs == FIELDS - 1 &&
	       take_field(&at, end, step->key, sizeof(step->key)) &&
	       take_field(&at, end, step->mailbox, sizeof(step->mailbox)) &&
	       take_field(&at, end, step->table, sizeof(step->table)) &&
	       take_field(&at, end, step->file, sizeof(step->file)) &&
	       take_field(&at, end, line, sizeof(line)) && at == end &&
	       step->key[0] != '\0' && read_line(line, &step->line);
}

enum via_kind
via_next(const char **cursor, struct via_step *step)
{
	const char *at = *cursor;
	size_t length = strcspn(at, "\n");

	if (*at == '\0')
		return VIA_END;
	*cursor = at + length + (at[length] == '\n' ? 1 : 0);
	/* A line that ends has another one behind it. */
	if (at[length] == '\n' && **cursor == '\0')
		return VIA_INVALID;
	if (length == sizeof(MORE) - 1 && memcmp(at, MORE, length) == 0)
		return **cursor == '\0' ? VIA_MORE : VIA_INVALID;
	return take_step(at, at + length, step) ? VIA_STEP : VIA_INVALID;
}

bool
via_is_valid(const char *text)
{
	struct via_step step;
	enum via_kind kind;

	while ((kind = via_next(&text, &step)) == VIA_STEP)
		;
	return kind != VIA_INVALID;
}
