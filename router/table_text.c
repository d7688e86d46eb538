#include "router/table_text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The logical line that is being gathered lies in text[start..end): the end
 * never overtakes what is still to be read. */
struct parser {
	struct table_text *out;
	size_t room; /* of out->entries */
	char *start, *end;
	unsigned int line; /* where it began; 0 if there is none */
	table_fault *fault;
	void *context;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static char *
skip_blanks(char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p;
}

static void
report(const struct parser *p, const char *why)
{
	p->fault(p->line, why, p->context);
}

static int
add_entry(struct parser *p, const char *key, const char *value)
{
	struct table_text *t = p->out;
	struct table_entry *grown;

	if (t->count == p->room) {
		p->room = p->room == 0 ? 64 : p->room * 2;
		grown = reallocarray(t->entries, p->room, sizeof(*grown));
		if (grown == NULL)
			return -1;
		t->entries = grown;
	}
	t->entries[t->count++] = (struct table_entry){ key, value, p->line };
	return 0;
}

/* Removes the quotes in place. Returns what follows the closing one, or NULL
 * if there is none. */
static char *
unquote(char *key, const char *end)
{
	char *from = key + 1, *to = key;

	while (from < end && *from != '"') {
		if (*from == '\\' && from + 1 < end)
			from++;
		*to++ = *from++;
	}
	if (from >= end)
		return NULL;
	*to = '\0';
	return from + 1;
}

/* Ends the key with a NUL. Returns the start of the value; NULL, having said
 * why, if there is no key. */
static char *
take_key(const struct parser *p)
{
	char *key = p->start, *after, *at;

	if (*key == '"') {
		after = unquote(key, p->end);
		if (after == NULL) {
			report(p, "the quoted key does not end");
			return NULL;
		}
		at = skip_blanks(after, p->end);
	} else {
		for (after = key; after < p->end; after++)
			if (*after == ':' || is_blank(*after))
				break;
		at = skip_blanks(after, p->end);
	}
	if (at < p->end && *at != ':') {
		report(p, "no colon after the key");
		return NULL;
	}
	*after = '\0'; /* on the colon, a blank or the line's end */
	if (*key == '\0') {
		report(p, "the key is empty");
		return NULL;
	}
	return at < p->end ? at + 1 : p->end;
}

static int
finish_line(struct parser *p)
{
	char *value;

	if (p->line == 0)
		return 0;
	while (p->end > p->start && is_blank(p->end[-1]))
		p->end--;
	*p->end = '\0';
	if (memchr(p->start, '\0', (size_t)(p->end - p->start)) != NULL)
		report(p, "there is a NUL octet");
	else if ((value = take_key(p)) != NULL) {
		for (char *c = p->start; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
		if (add_entry(p, p->start, skip_blanks(value, p->end)) == -1)
			return -1;
	}
	p->line = 0;
	return 0;
}

static void
continue_line(struct parser *p, const char *from, const char *end)
{
	size_t length = (size_t)(end - from);

	*p->end++ = ' '; /* at most where the line feed was */
	memmove(p->end, from, length);
	p->end += length;
}

static int
take_line(struct parser *p, char *line, char *end, unsigned int number)
{
	char *first = skip_blanks(line, end);

	if (first == end || *first == '#')
		return 0;
	if (first == line) {
		if (finish_line(p) == -1)
			return -1;
		p->start = line;
		p->end = end;
		p->line = number;
	} else if (p->line != 0)
		continue_line(p, first, end);
	else
		p->fault(number, "it continues nothing", p->context);
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct table_entry *left = a, *right = b;
	int order = strcmp(left->key, right->key);

	if (order != 0)
		return order;
	return left->line < right->line ? -1 : left->line > right->line;
}

static void
sort_entries(struct parser *p)
{
	struct table_text *t = p->out;
	size_t kept = 0;

	if (t->count == 0)
		return;
	qsort(t->entries, t->count, sizeof(*t->entries), compare);
	for (size_t i = 1; i < t->count; i++) {
		if (strcmp(t->entries[i].key, t->entries[kept].key) == 0)
			p->fault(t->entries[i].line,
			    "the key is there before; this one is ignored",
			    p->context);
		else
			t->entries[++kept] = t->entries[i];
	}
	t->count = kept + 1;
}

int
table_text_parse(struct table_text *out, char *text, size_t length,
    table_fault *fault, void *context)
{
	struct parser p = { .out = out, .fault = fault, .context = context };
	char *end = text + length;
	unsigned int number = 0;

	*out = (struct table_text){ NULL, 0 };
	for (char *line = text, *after; line < end; line = after + 1) {
		after = memchr(line, '\n', (size_t)(end - line));
		if (after == NULL)
			after = end;
		if (take_line(&p, line, after, ++number) == -1)
			goto fail;
	}
	if (finish_line(&p) == -1)
		goto fail;
	sort_entries(&p);
	return 0;
fail:
	table_text_clear(out);
	return -1;
}

void
table_text_clear(struct table_text *t)
{
	free(t->entries);
	*t = (struct table_text){ NULL, 0 };
}

static int
compare_key(const void *key, const void *entry)
{
	return strcmp(key, ((const struct table_entry *)entry)->key);
}

const struct table_entry *
table_text_find(const struct table_text *t, const char *key)
{
	if (t->count == 0)
		return NULL;
	return bsearch(
	    key, t->entries, t->count, sizeof(*t->entries), compare_key);
}
