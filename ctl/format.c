#include "ctl/format.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/limits.h"
#include "common/printable.h"
#include "ctl/utf8.h"

#define SHOWN_MOST (4 * LIMIT_REPLY + 1)

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

void
format_print(FILE *out, const char *text)
{
	char shown[SHOWN_MOST];

	printable_copy(shown, sizeof(shown), text);
	fputs(shown, out);
}

void
format_print_cut(FILE *out, const char *text, unsigned int columns)
{
	char shown[SHOWN_MOST];

	printable_copy(shown, sizeof(shown), text);
	if (strlen(shown) <= columns)
		fputs(shown, out);
	else if (columns > 3)
		fprintf(out, "%.*s...", (int)(columns - 3), shown);
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
