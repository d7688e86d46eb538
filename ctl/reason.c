#include "ctl/reason.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

struct sink {
	char *to;
	size_t length;
	bool full;
};

static void
put(struct sink *s, const char *text, size_t length)
{
	if (s->full)
		return;
	if (length > REASON_MOST - s->length) {
		length = REASON_MOST - s->length;
		s->full = true;
		while (
		    length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	memcpy(s->to + s->length, text, length);
	s->length += length;
}

/* "#.#", "#:#" and the like are one number in parts. */
static void
put_hash(struct sink *s)
{
	if (s->length >= 2 && s->to[s->length - 2] == '#' &&
	    strchr(".:/-_+", s->to[s->length - 1]) != NULL)
		s->length--;
	else if (s->length == 0 || s->to[s->length - 1] != '#')
		put(s, "#", 1);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) != 0 || c == '-' || c == '_';
}

/* -- Codes ---------------------------------------------------------------- */

/* "450" at the start of a line: its length, 0 if there is none. */
static size_t
code_length(const char *text)
{
	return text[0] >= '2' && text[0] <= '5' && is_digit(text[1]) &&
		       is_digit(text[2]) &&
		       (text[3] == ' ' || text[3] == '-' || text[3] == '\0')
		   ? 3
		   : 0;
}

static size_t
digits(const char *text)
{
	size_t n = 0;

	while (n < 4 && is_digit(text[n]))
		n++;
	return n < 4 ? n : 0;
}

/* "4.2.1" (RFC 3463): its length, 0 if there is none. */
static size_t
status_length(const char *text)
{
	size_t subject, detail;

	if ((text[0] != '2' && text[0] != '4' && text[0] != '5') ||
	    text[1] != '.')
		return 0;
	subject = digits(text + 2);
	if (subject == 0 || text[2 + subject] != '.')
		return 0;
	detail = digits(text + 3 + subject);
	if (detail == 0 || text[3 + subject + detail] == '.' ||
	    is_word(text[3 + subject + detail]))
		return 0;
	return 3 + subject + detail;
}

/* -- Words ---------------------------------------------------------------- */

/* Is it made up, such as a queue id, rather than a word with a number? */
static bool
is_id(const char *word, size_t length)
{
	size_t count = 0, changes = 0;

	for (size_t i = 0; i < length; i++) {
		count += is_digit(word[i]);
		changes += i > 0 && is_digit(word[i]) != is_digit(word[i - 1]);
	}
	return count == length || (length >= 6 && changes >= 2) ||
	       (length >= 10 && count >= 2);
}

static void
put_word(struct sink *s, const char *word, size_t length)
{
	if (is_id(word, length)) {
		put_hash(s);
		return;
	}
	for (size_t i = 0; i < length; i++)
		if (is_digit(word[i]))
			put_hash(s);
		else
			put(s, &word[i], 1);
}

static size_t
word_length(const char *text)
{
	size_t n = 0;

	while (is_word(text[n]))
		n++;
	return n;
}

/* An IPv6 address, or one of hardware; 0 if it is none. */
static size_t
colons_length(const char *text)
{
	size_t n = strspn(text, "0123456789abcdefABCDEF:."), colons = 0;

	for (size_t i = 0; i < n; i++)
		colons += text[i] == ':';
	/* A colon after the word ends a phrase. */
	return colons >= 2 && !is_word(text[n]) ? n : 0;
}

/* A whole mail address, or 0. */
static size_t
address_length(const char *text)
{
	static const char end[] = " \t\r\n<>()[]{}\"',;:=";
	size_t n = strcspn(text, end);
	const char *at = memchr(text, '@', n);

	return at != NULL && at > text && at < text + n - 1 ? n : 0;
}

static const char *
put_token(struct sink *s, const char *text)
{
	size_t n;

	if ((n = status_length(text)) > 0)
		put(s, text, n);
	else if ((n = address_length(text)) > 0) {
		put(s, "*", 1);
		/* The full stop of a sentence is none of it. */
		if (text[n - 1] == '.')
			n--;
	} else if ((n = colons_length(text)) > 0)
		put_hash(s);
	else if ((n = word_length(text)) > 0)
		put_word(s, text, n);
	else {
		n = 1;
		while (((unsigned char)text[n] & 0xc0) == 0x80)
			n++;
		put(s, text, n);
	}
	return text + n;
}

/* -- Lines ---------------------------------------------------------------- */

/* The codes of a line; they are the same in each line of a reply. `gap`: what
 * follows is parted from what was before. */
static const char *
take_codes(struct sink *s, const char *line, bool first, bool *gap)
{
	size_t code = code_length(line), status;

	if (code > 0 && first)
		put(s, line, code);
	line += code;
	if (code > 0 && *line != '\0')
		line++;
	line += strspn(line, " ");
	status = status_length(line);
	if (status > 0 && first) {
		if (s->length > 0)
			put(s, " ", 1);
		put(s, line, status);
	}
	*gap = !first || status == 0;
	return line + status;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void
reason_normalise(char *to, const char *reply)
{
	struct sink s = { .to = to };
	bool gap;
	const char *p = take_codes(&s, reply, true, &gap);

	while (*p != '\0' && !s.full) {
		if (!is_blank(*p)) {
			if (gap && s.length > 0)
				put(&s, " ", 1);
			gap = false;
			p = put_token(&s, p);
		} else if (*p == '\n')
			p = take_codes(&s, p + 1, false, &gap);
		else {
			gap = true;
			p++;
		}
	}
	to[s.length] = '\0';
}
