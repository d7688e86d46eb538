#include "queue/tool/json.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* -- Writing -------------------------------------------------------------- */

/* How many octets of UTF-8 are here; 0: this one is none. */
static size_t
character(const unsigned char *s)
{
	size_t n = s[0] < 0x80			  ? 1
		   : s[0] >= 0xc2 && s[0] <= 0xdf ? 2
		   : s[0] >= 0xe0 && s[0] <= 0xef ? 3
		   : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
						  : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Too long for what it says, a surrogate, or beyond the last one. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void
write_string(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	fputc('"', out);
	while (*s != '\0') {
		size_t n = character(s);

		if (n == 0)
			fprintf(out, "\\udc%02x", *s);
		else if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(out, "\\u%04x", *s);
		else
			fwrite(s, 1, n, out);
		s += n == 0 ? 1 : n;
	}
	fputc('"', out);
}

static void
write_name(struct json *j, const char *name)
{
	if (!j->empty)
		fputc(',', j->out);
	j->empty = false;
	write_string(j->out, name);
	fputc(':', j->out);
}

void
json_begin(struct json *j, FILE *out)
{
	j->out = out;
	j->empty = true;
	fputc('{', out);
}

void
json_end(struct json *j)
{
	fputs("}\n", j->out);
}

void
json_text(struct json *j, const char *name, const char *text)
{
	write_name(j, name);
	write_string(j->out, text);
}

void
json_number(struct json *j, const char *name, uint64_t value)
{
	write_name(j, name);
	fprintf(j->out, "%" PRIu64, value);
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz0123456789+/";

void
json_octets(struct json *j, const char *name, const void *data, size_t length)
{
	const uint8_t *s = data;

	write_name(j, name);
	fputc('"', j->out);
	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		uint32_t three = (uint32_t)s[i] << 16 |
				 (left > 1 ? (uint32_t)s[i + 1] << 8 : 0) |
				 (left > 2 ? s[i + 2] : 0U);
		char four[4] = { alphabet[three >> 18],
			alphabet[three >> 12 & 63],
			left > 1 ? alphabet[three >> 6 & 63] : '=',
			left > 2 ? alphabet[three & 63] : '=' };

		fwrite(four, 1, sizeof(four), j->out);
	}
	fputc('"', j->out);
}

/* -- Reading -------------------------------------------------------------- */

static int
malformed(void)
{
	errno = EBADMSG;
	return -1;
}

static int
read_hex(const char *s, uint32_t *code)
{
	*code = 0;
	for (int i = 0; i < 4; i++) {
		char c = s[i];

		if (c >= '0' && c <= '9')
			*code = *code << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*code = *code << 4 | (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			*code = *code << 4 | (uint32_t)(c - 'A' + 10);
		else
			return malformed();
	}
	return 0;
}

static char *
put_character(char *to, uint32_t code)
{
	if (code < 0x80) {
		*to++ = (char)code;
		return to;
	}
	if (code < 0x800)
		*to++ = (char)(0xc0 | code >> 6);
	else {
		if (code < 0x10000)
			*to++ = (char)(0xe0 | code >> 12);
		else {
			*to++ = (char)(0xf0 | code >> 18);
			*to++ = (char)(0x80 | (code >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (code & 0x3f));
	return to;
}

/* What follows "\u". */
static int
read_code(char **from, char **to)
{
	uint32_t code, low;

	if (read_hex(*from, &code) == -1 || code == 0)
		return malformed();
	*from += 4;
	if (code >= 0xdc80 && code <= 0xdcff) {
		*(*to)++ = (char)(code & 0xff);
		return 0;
	}
	if (code >= 0xd800 && code <= 0xdbff) {
		if ((*from)[0] != '\\' || (*from)[1] != 'u' ||
		    read_hex(*from + 2, &low) == -1 || low < 0xdc00 ||
		    low > 0xdfff)
			return malformed();
		*from += 6;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	} else if (code >= 0xdc00 && code <= 0xdfff)
		return malformed();
	*to = put_character(*to, code);
	return 0;
}

static int
read_escape(char **from, char **to)
{
	static const char names[] = "\"\\/bfnrt", octets[] = "\"\\/\b\f\n\r\t";
	char c = *(*from)++;
	const char *found = c == '\0' ? NULL : strchr(names, c);

	if (c == 'u')
		return read_code(from, to);
	if (found == NULL)
		return malformed();
	*(*to)++ = octets[found - names];
	return 0;
}

/* What is read is never longer than how it was written: in place. */
static int
read_string(char **from, const char **text)
{
	char *to = *from;

	if (*(*from)++ != '"')
		return malformed();
	*text = to;
	while (**from != '"') {
		if ((unsigned char)**from < 0x20)
			return malformed();
		if (**from != '\\')
			*to++ = *(*from)++;
		else if (++*from, read_escape(from, &to) == -1)
			return -1;
	}
	++*from;
	*to = '\0';
	return 0;
}

static int
read_number(char **from, uint64_t *number)
{
	if (**from < '0' || **from > '9')
		return malformed();
	*number = 0;
	for (; **from >= '0' && **from <= '9'; ++*from)
		if (__builtin_mul_overflow(*number, 10U, number) ||
		    __builtin_add_overflow(
			*number, (unsigned int)(**from - '0'), number))
			return malformed();
	return 0;
}

static void
skip_space(char **from)
{
	while (**from == ' ' || **from == '\t' || **from == '\r')
		++*from;
}

/* The character, and space around it. */
static bool
take(char **from, char c)
{
	skip_space(from);
	if (**from != c)
		return false;
	++*from;
	skip_space(from);
	return true;
}

static int
read_member(char **from, struct json_member *m)
{
	*m = (struct json_member){ .text = NULL };
	if (read_string(from, &m->name) == -1 || !take(from, ':'))
		return malformed();
	return **from == '"' ? read_string(from, &m->text)
			     : read_number(from, &m->number);
}

int
json_read(char *line, struct json_member *members, int most)
{
	int count = 0;

	if (!take(&line, '{'))
		return malformed();
	if (!take(&line, '}')) {
		do {
			if (count == most ||
			    read_member(&line, &members[count++]) == -1)
				return malformed();
		} while (take(&line, ','));
		if (!take(&line, '}'))
			return malformed();
	}
	if (*line == '\n')
		line++;
	return *line == '\0' ? count : malformed();
}

int
json_decode_octets(char *text, size_t *length)
{
	size_t written = strlen(text), padding = 0;
	char *to = text;

	if (written % 4 != 0)
		return malformed();
	while (padding < 2 && padding < written &&
	       text[written - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < written; i += 4) {
		uint32_t three = 0;

		for (size_t k = i; k < i + 4; k++) {
			const char *at = k < written - padding
					     ? strchr(alphabet, text[k])
					     : alphabet;

			if (at == NULL)
				return malformed();
			three = three << 6 | (uint32_t)(at - alphabet);
		}
		*to++ = (char)(three >> 16);
		*to++ = (char)(three >> 8);
		*to++ = (char)three;
	}
	*length = written / 4 * 3 - padding;
	return 0;
}
