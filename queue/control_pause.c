/*
 * Stops delivery to a destination, or all of it, and lets it go on.
 */
#include <string.h>
#include <sysexits.h>

#include "common/log.h"
#include "queue/commit.h"
#include "queue/control_private.h"
#include "queue/destination_name.h"
#include "queue/pause.h"

static void
on_done(int result, void *context)
{
	struct control_work *w = context;

	w->pending = 0;
	w->done = result == COMMIT_CHANGED;
	w->wake(w->context);
}

/* Only what can have mail is paused; whatever is paused can be resumed. */
static bool
find_destination(struct control_work *w)
{
	char name[LIMIT_DESTINATION + 1];

	if (w->destination[0] == '\0' ||
	    (!w->pause && pause_is_set(w->destination)))
		return true;
	if (destination_parse(w->destination, name) == -1)
		return false;
	memcpy(w->destination, name, sizeof(name));
	return true;
}

static enum control_progress
begin_pause(struct control_work *w)
{
	if (!find_destination(w))
		return control_end(w, EX_DATAERR, 0,
		    "a destination is written mx:DOMAIN, relay:NAME or "
		    "local:USER, as \"posternctl queue\" shows it");
	w->walked = true;
	w->pending = 1;
	switch (query_pause(w->destination, w->pause, on_done, w)) {
	case 0:
		return CONTROL_WAITS;
	case 1:
		w->pending = 0;
		return control_end(w, EX_UNAVAILABLE, 0,
		    "too many destinations are paused by name: resume one "
		    "first");
	default:
		w->pending = 0;
		return control_end(w, EX_TEMPFAIL, 0,
		    "nothing has changed, for want of memory: try again");
	}
}

static enum control_progress
end_pause(struct control_work *w)
{
	unsigned int named;
	bool all = query_paused(&named);

	log_info("control-pause act=%s uid=%u destination=\"%s\" done=%d",
	    w->pause ? "pause" : "resume", (unsigned int)w->uid,
	    log_text(w->destination), (int)w->done);
	if (!w->pause && w->destination[0] != '\0' && all)
		return control_end(w, EX_OK, w->done,
		    "all delivery is paused: see \"resume --all\"");
	if (!w->pause && w->destination[0] == '\0' && named > 0)
		return control_end(w, EX_OK, w->done,
		    "%u destination%s still paused by name", named,
		    named == 1 ? " is" : "s are");
	return control_end(w, EX_OK, w->done, "%s", "");
}

enum control_progress
control_step_pause(struct control_work *w)
{
	if (w->pending > 0)
		return CONTROL_WAITS;
	return w->walked ? end_pause(w) : begin_pause(w);
}
