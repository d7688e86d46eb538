/*
 * The life of a message, or of the newest ones of an address.
 */
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
		.recipient = row->recipient,
		.peer = row->peer,
		.port = row->port,
		.tls_version = row->tls_version,
		.tls_cipher = row->tls_cipher,
		.helo = row->helo,
		/* A name to log in with is for no stranger. */
		.user = w->own[0] == '\0' ? row->user : "",
		.protocol = row->protocol,
		.size = row->size,
		.config = row->config,
		.rule = row->rule,
		.via = row->via,
		.route = row->route,
		.name = row->name,
		.owner = row->owner,
		.took = row->took,
		.attempt = row->attempt,
		.next_try = row->next_try,
		.by = row->by,
		.report = row->report,
		.dropped = row->dropped,
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
	if (w->older)
		return control_end(w, EX_OK, w->events,
		    "these are the newest %d messages: there are older ones",
		    TRACE_IDS);
	return control_end(w, EX_OK, w->events, "%s", "");
}

/* From the last of the ids, which is the oldest, to the first. */
enum control_progress
control_step_events(struct control_work *w)
{
	int more;

	if (w->id_count == 0)
		return end_trace(w);
	more = query_events(
	    w->ids[w->id_count - 1], &w->event, control_rows(w), send_event, w);
	if (more == -1)
		return control_end_broken(w);
	if (more == 0) {
		w->id_count--;
		w->event = 0;
	}
	return CONTROL_MORE;
}

/* The newest messages of an address, and whether there are more: however many
 * it has, no others are looked at. */
enum control_progress
control_step_ids(struct control_work *w)
{
	int count = query_ids(w->address, UINT64_MAX, w->ids, TRACE_IDS + 1);

	if (count == -1)
		return control_end_broken(w);
	w->older = count > TRACE_IDS;
	w->id_count = w->older ? TRACE_IDS : (unsigned int)count;
	w->step = control_step_events;
	return CONTROL_MORE;
}
