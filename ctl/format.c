#include "ctl/format.h"

#include <inttypes.h>
#include <langinfo.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "common/limits.h"
#include "common/utf8.h"

struct unit {
	uint64_t seconds;
	char letter;
	const char *word;
};

static const struct unit units[] = {
	{ 86400, 'd', "day" },
	{ 3600, 'h', "hour" },
	{ 60, 'm', "minute" },
	{ 1, 's', "second" },
};

struct format_text
format_size(uint64_t octets)
{
	static const char letters[] = "KMGTPE";
	struct format_text out;
	uint64_t tenths;
	size_t unit = 0;

	if (octets < 1024) {
		snprintf(out.text, sizeof(out.text), "%" PRIu64, octets);
		return out;
	}
	for (tenths = octets / 1024 * 10 + octets % 1024 * 10 / 1024;
	     tenths >= 10240; unit++)
		tenths /= 1024;
	if (tenths < 100)
		snprintf(out.text, sizeof(out.text),
		    "%" PRIu64 ".%" PRIu64 "%c", tenths / 10, tenths % 10,
		    letters[unit]);
	else
		snprintf(out.text, sizeof(out.text), "%" PRIu64 "%c",
		    tenths / 10, letters[unit]);
	return out;
}

struct format_text
format_count(uint64_t n, unsigned int digits)
{
	static const char letters[] = "kMGTPE";
	struct format_text out;
	size_t unit = 0;

	if (snprintf(out.text, sizeof(out.text), "%" PRIu64, n) <= (int)digits)
		return out;
	for (n /= 1000; n >= 1000; unit++)
		n /= 1000;
	snprintf(out.text, sizeof(out.text), "%" PRIu64 "%c", n, letters[unit]);
	return out;
}

static const struct unit *
fitting_unit(uint64_t seconds)
{
	const struct unit *u = units;

	while (u->seconds > 1 && seconds < u->seconds)
		u++;
	return u;
}

struct format_text
format_duration(uint64_t seconds)
{
	const struct unit *u = fitting_unit(seconds);
	struct format_text out;

	snprintf(out.text, sizeof(out.text), "%" PRIu64 "%c",
	    seconds / u->seconds, u->letter);
	return out;
}

struct format_text
format_until(uint64_t then, uint64_t now)
{
	if (then == 0)
		return (struct format_text){ "-" };
	if (then <= now)
		return (struct format_text){ "now" };
	return format_duration(then - now);
}

struct format_text
format_duration_words(uint64_t seconds)
{
	const struct unit *u = fitting_unit(seconds);
	uint64_t n = seconds / u->seconds;
	struct format_text out;

	snprintf(out.text, sizeof(out.text), "%" PRIu64 " %s%s", n, u->word,
	    n == 1 ? "" : "s");
	return out;
}

/* Empty for a time that no calendar has. */
struct format_text
format_time_utc(uint64_t seconds)
{
	struct format_text out = { "" };
	time_t t = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || strftime(out.text, sizeof(out.text),
					     "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out.text[0] = '\0';
	return out;
}

struct format_text
format_time_local(uint64_t seconds)
{
	struct format_text out = { "" };
	time_t t = (time_t)seconds;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(out.text, sizeof(out.text), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		out.text[0] = '\0';
	return out;
}

/* -- Text from outside ---------------------------------------------------- */

/* A piece of a text, as it is shown. */
struct piece {
	const char *text;
	size_t length;	      /* octets to write */
	unsigned int columns; /* that they take */
	size_t used;	      /* octets of the original */
	char buffer[5];
};

static bool
is_utf8(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* A character of more than one octet, if the locale and the terminal know it. */
static bool
take_wide(struct piece *p, const char *text, bool utf8)
{
	uint32_t code;
	size_t n = utf8_decode(text, strlen(text), &code);
	int columns;

	if (!utf8 || n < 2 || !utf8_is_visible(code))
		return false;
	columns = wcwidth((wchar_t)code);
	if (columns < 0)
		return false;
	p->text = text;
	p->length = p->used = n;
	p->columns = (unsigned int)columns;
	return true;
}

/* A backslash is escaped too, so that what we write is not ambiguous. */
static struct piece
next_piece(const char *text, bool utf8)
{
	unsigned char c = (unsigned char)*text;
	struct piece p = { .used = 1, .length = 1, .text = text };

	if (c == '\r' && text[1] == '\n') {
		p.text = " / ";
		p.length = 3;
		p.used = 2;
	} else if ((c < 0x20 || c >= 0x7f || c == '\\') &&
		   (c < 0x80 || !take_wide(&p, text, utf8))) {
		snprintf(p.buffer, sizeof(p.buffer), "\\x%02x", c);
		p.text = NULL;
		p.length = 4;
	} else if (c >= 0x80)
		return p;
	p.columns = (unsigned int)p.length;
	return p;
}

unsigned int
format_width(const char *text)
{
	bool utf8 = is_utf8();
	unsigned int columns = 0;

	while (*text != '\0') {
		struct piece p = next_piece(text, utf8);

		columns += p.columns;
		text += p.used;
	}
	return columns;
}

/* As many whole pieces as fit. */
static void
print_columns(FILE *out, const char *text, unsigned int columns)
{
	bool utf8 = is_utf8();

	while (*text != '\0') {
		struct piece p = next_piece(text, utf8);

		if (p.columns > columns)
			return;
		columns -= p.columns;
		fwrite(p.text != NULL ? p.text : p.buffer, 1, p.length, out);
		text += p.used;
	}
}

void
format_print(FILE *out, const char *text)
{
	print_columns(out, text, UINT_MAX);
}

void
format_print_cut(FILE *out, const char *text, unsigned int columns)
{
	if (format_width(text) <= columns)
		format_print(out, text);
	else {
		const char *ellipsis = is_utf8() ? "\u2026" : "...";
		unsigned int takes = is_utf8() ? 1 : 3;

		if (columns <= takes)
			return;
		print_columns(out, text, columns - takes);
		fputs(ellipsis, out);
	}
}

void
format_print_lines(FILE *out, const char *text, const char *indent)
{
	char line[LIMIT_REPLY + 1];

	while (*text != '\0') {
		size_t length = strcspn(text, "\n"), kept;

		kept = length;
		if (kept > 0 && text[kept - 1] == '\r')
			kept--;
		snprintf(line, sizeof(line), "%.*s", (int)kept, text);
		fputs(indent, out);
		format_print(out, line);
		fputc('\n', out);
		text += length;
		if (*text == '\n')
			text++;
	}
}

void
format_print_sender(FILE *out, const char *sender)
{
	if (sender[0] == '\0')
		fputs("<>", out);
	else
		format_print(out, sender);
}

void
format_print_content(FILE *out, const uint8_t *data, size_t length, bool utf8)
{
	const char *text = (const char *)data;

	while (length > 0) {
		uint32_t code;
		size_t n = utf8_decode(text, length, &code);
		bool ends_line =
		    length > 1 && text[0] == '\r' && text[1] == '\n';

		if (n == 0 || (n > 1 && !utf8)) {
			fprintf(out, "\\x%02x", (unsigned char)*text);
			n = 1;
		} else if (code == '\n' || code == '\t' ||
			   utf8_is_printable(code))
			fwrite(text, 1, n, out);
		else if (!ends_line)
			for (size_t i = 0; i < n; i++)
				fprintf(out, "\\x%02x", (unsigned char)text[i]);
		text += n;
		length -= n;
	}
}
