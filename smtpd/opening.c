#include "smtpd/opening.h"

bool
opening_is_decided(const struct opening *o)
{
	return o->state == OPENING_HEADER || o->state == OPENING_TEXT;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* RFC 5322 3.6.8, and 4.5 for blanks before the colon. */
static enum opening_state
after_octet(const struct opening *o, uint8_t c)
{
	if (o->length == 0 && c == '\r')
		return OPENING_HEADER;
	if (c == ':')
		return o->length > 0 ? OPENING_HEADER : OPENING_TEXT;
	if (is_blank(c))
		return o->length > 0 ? OPENING_AFTER : OPENING_TEXT;
	if (o->state == OPENING_AFTER || c <= ' ' || c > '~')
		return OPENING_TEXT;
	return OPENING_UNKNOWN;
}

size_t
opening_take(struct opening *o, const uint8_t *octets, size_t length)
{
	size_t taken = 0;

	while (taken < length && !opening_is_decided(o)) {
		uint8_t c = octets[taken++];

		o->state = after_octet(o, c);
		o->held[o->length++] = c;
		if (o->length == sizeof(o->held) && !opening_is_decided(o))
			o->state = OPENING_TEXT;
	}
	return taken;
}

void
opening_end(struct opening *o)
{
	if (!opening_is_decided(o))
		o->state = o->length > 0 ? OPENING_TEXT : OPENING_HEADER;
}
