#include "smtpd/data.h"

#include <string.h>

#include "common/limits.h"

/* What is known of the run of octets that is decoded now. */
struct run {
	struct data *data;
	data_sink *sink;
	void *context;
	const uint8_t *kept; /* start of what the sink has not got yet */
};

static const char received[] = "received:";
#define RECEIVED_LENGTH (sizeof(received) - 1)
#define NOT_RECEIVED 255u

void
data_start(struct data *d, uint64_t limit)
{
	*d = (struct data){
		.state = DATA_LINE_START, .limit = limit, .in_header = true
	};
}

static void
refuse(struct data *d, enum data_refusal why)
{
	if (why > d->refusal)
		d->refusal = why;
}

/* Gives the sink all up to `end`, and goes on at `next`. */
static void
hand_over(struct run *r, const uint8_t *end, const uint8_t *next)
{
	if (r->data->refusal == DATA_GOOD && end > r->kept &&
	    r->sink(r->context, r->kept, (size_t)(end - r->kept)) == -1)
		refuse(r->data, DATA_NO_ROOM);
	r->kept = next;
}

static void
count(struct data *d, size_t octets)
{
	d->size += octets;
	d->line_length += octets;
	if (d->size > d->limit)
		refuse(d, DATA_TOO_BIG);
	if (d->line_length > LIMIT_TEXT_LINE)
		refuse(d, DATA_TOO_LONG_LINE);
}

/* Is the line that just began a Received field? Octet by octet, so that any
 * split of the input gives the same answer. */
static void
match_header(struct data *d, const uint8_t *at, const uint8_t *end)
{
	while (at < end && d->matched < RECEIVED_LENGTH) {
		uint8_t c = *at++;

		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c + 32);
		if (c != (uint8_t)received[d->matched]) {
			d->matched = NOT_RECEIVED;
			return;
		}
		if (++d->matched == RECEIVED_LENGTH)
			d->hops++;
	}
}

/* Text up to the next CR, LF or the end; returns where it stopped. */
static const uint8_t *
take_text(struct data *d, const uint8_t *at, const uint8_t *end)
{
	const uint8_t *stop;

	stop = memchr(at, '\n', (size_t)(end - at));
	if (stop != NULL)
		end = stop;
	stop = memchr(at, '\r', (size_t)(end - at));
	if (stop != NULL)
		end = stop;
	if (memchr(at, '\0', (size_t)(end - at)) != NULL)
		refuse(d, DATA_NUL);
	if (d->in_header)
		match_header(d, at, end);
	count(d, (size_t)(end - at));
	return end;
}

static void
end_line(struct data *d)
{
	/* An empty line ends the header: its CR is counted already. */
	if (d->line_length == 1)
		d->in_header = false;
	count(d, 1);
	d->lines++;
	d->line_length = 0;
	d->matched = 0;
	d->state = DATA_LINE_START;
}

/* One octet at the start of a line. */
static const uint8_t *
at_line_start(struct run *r, const uint8_t *at)
{
	struct data *d = r->data;

	if (*at != '.') {
		d->state = DATA_TEXT;
		return at;
	}
	/* Either the stuffing or the end mark: it is not part of the text. */
	hand_over(r, at, at + 1);
	d->state = DATA_DOT;
	return at + 1;
}

static const uint8_t *
after_dot(struct run *r, const uint8_t *at)
{
	struct data *d = r->data;

	if (*at == '\r') {
		/* Not text if LF follows, and if not, the message is refused. */
		r->kept = at + 1;
		d->state = DATA_DOT_CR;
		return at + 1;
	}
	d->state = DATA_TEXT;
	return at;
}

static const uint8_t *
after_dot_cr(struct run *r, const uint8_t *at)
{
	struct data *d = r->data;

	if (*at == '\n') {
		d->state = DATA_END;
		r->kept = at + 1;
		return at + 1;
	}
	refuse(d, DATA_BARE_NEWLINE);
	d->state = *at == '\r' ? DATA_CR : DATA_TEXT;
	return *at == '\r' ? at + 1 : at;
}

static const uint8_t *
in_text(struct run *r, const uint8_t *at, const uint8_t *end)
{
	struct data *d = r->data;

	at = take_text(d, at, end);
	if (at == end)
		return at;
	count(d, 1);
	if (*at == '\r')
		d->state = DATA_CR;
	else
		refuse(d, DATA_BARE_NEWLINE);
	return at + 1;
}

static const uint8_t *
after_cr(struct run *r, const uint8_t *at)
{
	struct data *d = r->data;

	if (*at == '\n') {
		end_line(d);
		return at + 1;
	}
	refuse(d, DATA_BARE_NEWLINE);
	if (*at == '\r')
		return at + 1;
	d->state = DATA_TEXT;
	return at;
}

size_t
data_decode(struct data *d, const uint8_t *in, size_t length, data_sink *sink,
    void *context)
{
	struct run r = { d, sink, context, in };
	const uint8_t *at = in, *end = in + length;

	while (at < end && d->state != DATA_END) {
		switch (d->state) {
		case DATA_LINE_START:
			at = at_line_start(&r, at);
			break;
		case DATA_DOT:
			at = after_dot(&r, at);
			break;
		case DATA_DOT_CR:
			at = after_dot_cr(&r, at);
			break;
		case DATA_TEXT:
			at = in_text(&r, at, end);
			break;
		case DATA_CR:
			at = after_cr(&r, at);
			break;
		case DATA_END:
			break;
		}
	}
	hand_over(&r, at, at);
	return (size_t)(at - in);
}
