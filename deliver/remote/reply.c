#include "deliver/remote/reply.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool
append(struct reply *r, const char *data, size_t length)
{
	if (length > LIMIT_REMOTE_REPLY - r->length)
		return false;
	memcpy(r->text + r->length, data, length);
	r->length += length;
	return true;
}

static bool
is_digit(char c)
{
	return isdigit((unsigned char)c) != 0;
}

/* The code of a line, or 0 if it does not begin with one. */
static unsigned int
line_code(const char *line, size_t length)
{
	if (length < 3 || line[0] < '2' || line[0] > '5' ||
	    !is_digit(line[1]) || !is_digit(line[2]))
		return 0;
	if (length > 3 && line[3] != ' ' && line[3] != '-')
		return 0;
	return (unsigned int)(line[0] - '0') * 100 +
	       (unsigned int)(line[1] - '0') * 10 +
	       (unsigned int)(line[2] - '0');
}

/* The line that ends at the LF which is the last octet of the text. */
static enum reply_status
end_line(struct reply *r)
{
	const char *line = r->text + r->line;
	size_t length = r->length - r->line - 1;
	unsigned int code;

	if (length > 0 && line[length - 1] == '\r')
		length--;
	code = line_code(line, length);
	if (code == 0 || memchr(line, '\0', length) != NULL ||
	    memchr(line, '\r', length) != NULL ||
	    (r->line > 0 && code != r->code))
		return REPLY_BAD;
	r->code = code;
	r->length = r->line + length;
	if (length > 3 && line[3] == '-') {
		if (!append(r, "\r\n", 2))
			return REPLY_BAD;
		r->line = r->length;
		return REPLY_MORE;
	}
	r->text[r->length] = '\0';
	r->complete = true;
	return REPLY_COMPLETE;
}

enum reply_status
reply_feed(struct reply *r, const char *data, size_t length, size_t *used)
{
	enum reply_status status = REPLY_MORE;

	if (r->complete) {
		r->complete = false;
		r->length = 0;
		r->line = 0;
	}
	*used = 0;
	while (status == REPLY_MORE && *used < length) {
		const char *at = data + *used;
		const char *lf = memchr(at, '\n', length - *used);
		size_t n = lf == NULL ? length - *used : (size_t)(lf - at) + 1;

		if (!append(r, at, n))
			return REPLY_BAD;
		*used += n;
		if (lf != NULL)
			status = end_line(r);
	}
	return status;
}

void
reply_cut(char *to, size_t size, const char *text)
{
	static const char mark[] = "\r\n...";
	size_t length = strlen(text);

	if (length < size) {
		memcpy(to, text, length + 1);
		return;
	}
	length = size - sizeof(mark);
	/* In UTF-8 a character goes on with octets of the form 10xxxxxx. */
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	while (length > 0 &&
	       (text[length - 1] == '\r' || text[length - 1] == '\n'))
		length--;
	/* Both are NUL-terminated, by the mark. */
	snprintf(to, size, "%.*s%s", (int)length, text, mark);
}
