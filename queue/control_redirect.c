/*
 * Redirects recipients, message by message: what is found of one message goes
 * together, as one new message.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/message.h"
#include "queue/control_private.h"
#include "queue/redirector.h"

/* Messages of one client that are at a router at once. */
#define REDIRECTIONS 8

static int
add_to_group(struct control_work *w, const struct query_item *item)
{
	if (w->group_count == w->group_room) {
		unsigned int room = w->group_room == 0 ? 16 : w->group_room * 2;
		uint32_t *grown =
		    reallocarray(w->group, room, sizeof(*w->group));

		if (grown == NULL)
			return -1;
		w->group = grown;
		w->group_room = room;
	}
	w->group_id = item->id;
	w->group[w->group_count++] = item->number;
	return 0;
}

static bool
collect_one(const struct query_item *item, void *context)
{
	struct control_work *w = context;

	if (!control_means(w, item))
		return true;
	if (w->group_count > 0 && item->id != w->group_id) {
		w->group_ended = true;
		return false;
	}
	w->matched++;
	if (control_would_act(w, item) && add_to_group(w, item) == -1)
		w->failed++;
	return true;
}

static void
tell(struct control_work *w, const struct redirector_answer *answer)
{
	struct message m = MESSAGE_INIT(MESSAGE_CTL_REDIRECTED, w->handle);

	if (answer->made != 0)
		w->done += answer->count;
	else {
		w->failed += answer->count;
		w->any_deferred |= answer->code / 100 != 5;
	}
	m.ctl_redirected = (struct message_ctl_redirected){
		.id = answer->id,
		.made = answer->made,
		.recipients = answer->count,
		.code = (uint16_t)answer->code,
		.reply = answer->reply,
	};
	control_send(w, &m, answer->id);
}

static void
on_answer(const struct redirector_answer *answer, void *context)
{
	struct control_work *w = context;

	w->pending--;
	tell(w, answer);
	w->wake(w->context);
}

static const char *
reason(int error)
{
	if (error == EBUSY)
		return "4.3.2 It is being delivered or reported on";
	if (error == ENOTCONN || error == EAGAIN)
		return "4.3.2 No router takes it now";
	if (error == ENOENT)
		return "4.3.2 It has just changed";
	if (error == EIO || error == EBADMSG)
		return "4.3.0 It is damaged";
	return strerror(error);
}

/* False if it has to wait until others of ours are done. */
static bool
send_group(struct control_work *w)
{
	if (redirector_ask(w->group_id, w->group, w->group_count, w->to, w->uid,
		on_answer, w) == 0)
		w->pending++;
	else if (errno == EAGAIN && w->pending > 0)
		return false;
	else
		tell(w, &(struct redirector_answer){
			    .id = w->group_id,
			    .code = 451,
			    .reply = reason(errno),
			    .count = w->group_count,
			});
	w->group_count = 0;
	w->group_ended = false;
	return true;
}

static enum control_progress
end_redirect(struct control_work *w)
{
	uint64_t unchanged = w->matched - w->done - w->failed;

	if (w->matched == 0 && w->filter.id != 0)
		return control_end_unknown(w, w->filter.id);
	if (w->failed != 0)
		return control_end(w,
		    w->any_deferred ? EX_TEMPFAIL : EX_UNAVAILABLE, w->done,
		    "%" PRIu64 " recipient%s not redirected", w->failed,
		    w->failed == 1 ? " was" : "s were");
	if (unchanged != 0)
		return control_end(w, EX_OK, w->done,
		    "%" PRIu64 " %s unchanged: in flight, going there already, "
		    "or delivered",
		    unchanged,
		    unchanged == 1 ? "recipient is" : "recipients are");
	return control_end(w, EX_OK, w->done, "%s", "");
}

enum control_progress
control_step_redirect(struct control_work *w)
{
	if (w->pending >= REDIRECTIONS)
		return CONTROL_WAITS;
	if (!w->walked && !w->group_ended) {
		int more = query_items(
		    &w->filter, &w->place, STEP_ROWS, collect_one, w);

		if (more == -1)
			return control_end_broken(w);
		w->walked = more == 0;
	}
	if (w->group_count > 0 && (w->walked || w->group_ended))
		return send_group(w) ? CONTROL_MORE : CONTROL_WAITS;
	if (!w->walked)
		return CONTROL_MORE;
	return w->pending > 0 ? CONTROL_WAITS : end_redirect(w);
}
