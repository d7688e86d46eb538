/*
 * The life of a message, or of the newest ones of an address.
 */
#include <inttypes.h>
#include <sysexits.h>

#include "common/message.h"
#include "queue/control_private.h"

static bool
send_event(uint64_t id, const struct row_event *row, void *context)
{
	struct control_work *w = context;
	struct message m = MESSAGE_INIT(MESSAGE_CTL_EVENT, w->handle);

	if (!control_may_know(w, row->destination))
		return true;
	if (!control_has_room(w))
		return false;
	m.ctl_event = (struct message_ctl_event){
		.id = id,
		.time = row->time,
		.what = row->what,
		.address = row->address,
		.sender = row->sender,
		.original = row->original,
		.destination = row->destination,
		.host = row->host,
		.detail = row->detail,
	};
	control_send(w, &m, id);
	w->events++;
	return true;
}

static enum control_progress
end_trace(struct control_work *w)
{
	if (w->events == 0)
		return control_end(w, EX_NOINPUT, 0,
		    "nothing is known of it: it was never here, or its history "
		    "has expired");
	if (w->id_count > TRACE_IDS)
		return control_end(w, EX_OK, w->events,
		    "these are the newest %d of %" PRIu64 " messages",
		    TRACE_IDS, w->id_count);
	return control_end(w, EX_OK, w->events, "%s", "");
}

enum control_progress
control_step_events(struct control_work *w)
{
	int more;

	if (w->id_at == w->id_count)
		return end_trace(w);
	more = query_events(
	    w->ids[w->id_at % TRACE_IDS], &w->event, STEP_ROWS, send_event, w);
	if (more == -1)
		return control_end_broken(w);
	if (more == 0) {
		w->id_at++;
		w->event = 0;
	}
	return CONTROL_MORE;
}

/* Finds the newest messages of an address: the last of all that it has. */
enum control_progress
control_step_ids(struct control_work *w)
{
	uint64_t found[STEP_ROWS], after;
	int count;

	after = w->id_count == 0 ? 0 : w->ids[(w->id_count - 1) % TRACE_IDS];
	count = query_ids(w->address, after, found, STEP_ROWS);
	if (count == -1)
		return control_end_broken(w);
	for (int i = 0; i < count; i++)
		w->ids[w->id_count++ % TRACE_IDS] = found[i];
	if (count == STEP_ROWS)
		return CONTROL_MORE;
	w->id_at = w->id_count > TRACE_IDS ? w->id_count - TRACE_IDS : 0;
	w->step = control_step_events;
	return CONTROL_MORE;
}
