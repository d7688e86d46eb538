#include "deliver/local/header.h"

#include <string.h>

struct output {
	uint8_t *data;
	size_t length;
};

void
header_begin(struct header *h, const char *address)
{
	memset(h, 0, sizeof(*h));
	h->address = address;
	h->state = HEADER_LINE;
	h->field = HEADER_KEEP;
}

static void
emit(struct header *h, struct output *out, uint8_t c)
{
	if (c == '\n' && h->last != '\r')
		h->lines++;
	out->data[out->length++] = h->last = c;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* -- Delivered-To ---------------------------------------------------------- */

static void
value_add(struct header *h, uint8_t c)
{
	if (h->value_length == 0 && is_blank(c))
		return;
	if (h->value_length < sizeof(h->value))
		h->value[h->value_length++] = (char)c;
}

/* A field is over when a line begins that does not continue it. */
static void
field_end(struct header *h)
{
	size_t length = h->value_length;

	if (h->field == HEADER_VALUE && length < sizeof(h->value)) {
		while (length > 0 && is_blank((uint8_t)h->value[length - 1]))
			length--;
		h->value[length] = '\0';
		if (strlen(h->value) == length &&
		    strcasecmp(h->value, h->address) == 0)
			h->loop = true;
	}
	h->field = HEADER_KEEP;
	h->value_length = 0;
}

/* -- Field names ----------------------------------------------------------- */

static bool
name_is(const struct header *h, const char *wanted)
{
	size_t length = h->name_length;

	/* RFC 5322 4.5.3 once allowed blanks before the colon. */
	while (length > 0 && is_blank(h->name[length - 1]))
		length--;
	return length == strlen(wanted) &&
	       strncasecmp((const char *)h->name, wanted, length) == 0;
}

static void
name_flush(struct header *h, struct output *out)
{
	for (size_t i = 0; i < h->name_length; i++)
		emit(h, out, h->name[i]);
	h->name_length = 0;
}

/* The name is complete: what happens to its field? */
static void
name_decide(struct header *h, struct output *out)
{
	if (name_is(h, "Return-Path")) {
		h->field = HEADER_DROP;
		h->name_length = 0;
	} else {
		h->field =
		    name_is(h, "Delivered-To") ? HEADER_VALUE : HEADER_KEEP;
		name_flush(h, out);
		emit(h, out, ':');
	}
	h->state = h->field;
}

static void
name_add(struct header *h, struct output *out, uint8_t c)
{
	if (c == ':') {
		name_decide(h, out);
		return;
	}
	if (c != '\n' && h->name_length < sizeof(h->name)) {
		h->name[h->name_length++] = c;
		return;
	}
	name_flush(h, out);
	emit(h, out, c);
	h->state = c == '\n' ? HEADER_LINE : HEADER_KEEP;
}

/* -- Lines ----------------------------------------------------------------- */

static void line_begin(struct header *h, struct output *out, uint8_t c);

static void
header_octet(struct header *h, struct output *out, uint8_t c)
{
	switch (h->state) {
	case HEADER_LINE:
		line_begin(h, out, c);
		return;
	case HEADER_IN_NAME:
		name_add(h, out, c);
		return;
	case HEADER_VALUE:
		if (c != '\n')
			value_add(h, c);
		break;
	case HEADER_DROP:
		if (c == '\n')
			h->state = HEADER_LINE;
		return;
	case HEADER_KEEP:
	case HEADER_BODY:
		break;
	}
	emit(h, out, c);
	if (c == '\n' && h->state != HEADER_BODY)
		h->state = HEADER_LINE;
}

static void
line_begin(struct header *h, struct output *out, uint8_t c)
{
	if (is_blank(c)) {
		h->state = h->field;
		header_octet(h, out, c);
		return;
	}
	field_end(h);
	if (c == '\n') {
		emit(h, out, c);
		h->state = HEADER_BODY;
		return;
	}
	h->state = HEADER_IN_NAME;
	name_add(h, out, c);
}

/* One octet of the header. A CR waits for the octet behind it. */
static void
octet(struct header *h, struct output *out, uint8_t c)
{
	if (h->carriage_return && c != '\n')
		header_octet(h, out, '\r');
	h->carriage_return = c == '\r';
	if (c != '\r')
		header_octet(h, out, c);
}

/* -- The body: whole lines at a time --------------------------------------- */

static void
copy(struct header *h, struct output *out, const uint8_t *in, size_t length)
{
	if (length == 0)
		return;
	memcpy(out->data + out->length, in, length);
	out->length += length;
	h->last = in[length - 1];
}

static void
body(struct header *h, struct output *out, const uint8_t *in, size_t length)
{
	const uint8_t *end = in + length, *lf;

	if (h->carriage_return && length > 0) {
		h->carriage_return = false;
		if (*in != '\n')
			emit(h, out, '\r');
	}
	while ((lf = memchr(in, '\n', (size_t)(end - in))) != NULL) {
		copy(h, out, in,
		    (size_t)(lf - in) - (lf > in && lf[-1] == '\r' ? 1 : 0));
		emit(h, out, '\n');
		in = lf + 1;
	}
	if (in < end && end[-1] == '\r') {
		h->carriage_return = true;
		end--;
	}
	copy(h, out, in, (size_t)(end - in));
}

size_t
header_feed(struct header *h, const uint8_t *in, size_t length, uint8_t *to)
{
	struct output out = { to, 0 };

	while (length > 0 && h->state != HEADER_BODY) {
		octet(h, &out, *in++);
		length--;
	}
	if (length > 0)
		body(h, &out, in, length);
	return out.length;
}

size_t
header_finish(struct header *h, uint8_t *to)
{
	struct output out = { to, 0 };

	if (h->carriage_return)
		header_octet(h, &out, '\r');
	h->carriage_return = false;
	name_flush(h, &out);
	field_end(h);
	return out.length;
}

bool
header_found_loop(const struct header *h)
{
	return h->loop;
}
