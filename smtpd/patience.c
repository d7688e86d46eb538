#include "smtpd/patience.h"

static struct monotime
after(struct monotime start, uint64_t seconds)
{
	return monotime_add_ms(start, (int64_t)seconds * 1000);
}

static struct monotime
earlier(struct monotime a, struct monotime b)
{
	return monotime_is_before(a, b) ? a : b;
}

/* The time that so much content may take is given back, but never more than
 * the whole time there is. */
static struct monotime
give_back(struct monotime end, size_t octets, struct monotime most)
{
	return earlier(
	    monotime_add_ms(end, (int64_t)octets * 1000 / PATIENCE_DATA_RATE),
	    most);
}

static void
extend_data(struct patience *p, struct monotime now)
{
	p->deadline = earlier(
	    after(now, PATIENCE_DATA), earlier(p->data_end, p->message_end));
}

static void
begin_turn(struct patience *p, struct monotime now)
{
	switch (p->progress.turn) {
	case SESSION_TURN_COMMAND:
		p->deadline =
		    earlier(after(now, PATIENCE_COMMAND), p->message_end);
		break;
	case SESSION_TURN_DATA:
		p->data_end = after(now, PATIENCE_DATA_TOTAL);
		extend_data(p, now);
		break;
	case SESSION_TURN_ROUTER:
		p->deadline = after(now, PATIENCE_ROUTER);
		break;
	case SESSION_TURN_NOBODY:
		p->deadline = after(now, PATIENCE_GOODBYE);
		break;
	}
}

static void
take_content(struct patience *p, struct monotime now, size_t octets)
{
	if (!p->progress.in_vain) {
		p->data_end = give_back(
		    p->data_end, octets, after(now, PATIENCE_DATA_TOTAL));
		p->message_end = give_back(
		    p->message_end, octets, after(now, PATIENCE_MESSAGE));
	}
	extend_data(p, now);
}

void
patience_start(struct patience *p, struct monotime now)
{
	*p = (struct patience){
		.progress.turn = SESSION_TURN_COMMAND,
		.message_end = after(now, PATIENCE_MESSAGE),
	};
	begin_turn(p, now);
}

void
patience_note(struct patience *p, struct monotime now,
    const struct session_progress *progress, size_t consumed)
{
	struct session_progress before = p->progress;

	p->progress = *progress;
	if (progress->messages != before.messages)
		p->message_end = after(now, PATIENCE_MESSAGE);
	if (progress->turn != before.turn ||
	    progress->commands != before.commands)
		begin_turn(p, now);
	else if (progress->turn == SESSION_TURN_DATA && consumed > 0)
		take_content(p, now, consumed);
}

bool
patience_is_over(const struct patience *p, struct monotime now)
{
	return !monotime_is_before(now, p->deadline);
}
