#include "smtpd/patience.h"

static struct monotime
after(struct monotime start, uint64_t seconds)
{
	return monotime_add_ms(start, (int64_t)seconds * 1000);
}

static void
extend_data(struct patience *p, struct monotime now)
{
	struct monotime last =
	    after(p->data_end, p->received / PATIENCE_DATA_RATE);

	p->deadline = after(now, PATIENCE_DATA);
	if (monotime_is_before(last, p->deadline))
		p->deadline = last;
}

static void
begin_turn(struct patience *p, struct monotime now)
{
	switch (p->turn) {
	case SESSION_TURN_COMMAND:
		p->deadline = after(now, PATIENCE_COMMAND);
		break;
	case SESSION_TURN_DATA:
		p->received = 0;
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

void
patience_start(struct patience *p, struct monotime now)
{
	*p = (struct patience){ .turn = SESSION_TURN_COMMAND };
	begin_turn(p, now);
}

void
patience_note(struct patience *p, struct monotime now, enum session_turn turn,
    unsigned int commands, size_t consumed)
{
	if (turn != p->turn || commands != p->commands) {
		p->turn = turn;
		p->commands = commands;
		begin_turn(p, now);
	} else if (turn == SESSION_TURN_DATA && consumed > 0) {
		p->received += consumed;
		extend_data(p, now);
	}
}

bool
patience_is_over(const struct patience *p, struct monotime now)
{
	return !monotime_is_before(now, p->deadline);
}
