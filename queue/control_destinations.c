/*
 * Where mail waits: the destinations, one after another.
 */
#include <sysexits.h>

#include "common/message.h"
#include "queue/control_private.h"

static bool
send_destination(const struct query_destination *d, void *context)
{
	struct control_work *w = context;
	struct message m = MESSAGE_INIT(MESSAGE_CTL_DESTINATION, w->handle);

	if (!control_has_room(w))
		return false;
	m.ctl_destination = (struct message_ctl_destination){
		.name = d->name,
		.waiting = d->row->waiting,
		.held = d->row->held,
		.failed = d->row->failed,
		.in_flight = d->in_flight,
		.deliveries = d->deliveries,
		.window = d->window,
		.failures = d->row->failures,
		.backoff_until = d->row->backoff_until,
		.next_try = d->row->wake,
		.reply = d->row->reply,
		.paused = (uint8_t)d->paused,
	};
	control_send(w, &m, 0);
	w->done++;
	return true;
}

enum control_progress
control_step_destinations(struct control_work *w)
{
	int more = query_destinations(w->destination, w->destination_place,
	    STEP_ROWS, send_destination, w);

	if (more == -1)
		return control_end_broken(w);
	if (more == 1)
		return CONTROL_MORE;
	return control_end(w, EX_OK, w->done, "%s", "");
}
