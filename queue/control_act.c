/*
 * Acts on recipients, in batches of one commit.
 */
#include <inttypes.h>
#include <sysexits.h>

#include "common/id.h"
#include "common/log.h"
#include "queue/commit.h"
#include "queue/control_private.h"

static bool
collect_one(const struct query_item *item, void *context)
{
	struct control_work *w = context;

	if (!control_means(w, item))
		return true;
	if (w->batched == BATCH)
		return false;
	w->batch[w->batched++] = (struct target){ item->id, item->number };
	w->matched++;
	return true;
}

static void
on_acted(int result, void *context)
{
	struct control_work *w = context;

	w->done += result == COMMIT_CHANGED;
	w->busy += result == COMMIT_BUSY;
	if (--w->pending == 0)
		w->wake(w->context);
}

void
control_log_act(const struct control_work *w)
{
	log_info("control-act act=%s uid=%u matched=%" PRIu64 " done=%" PRIu64
		 " busy=%" PRIu64 " failed=%" PRIu64
		 " pending=%u id=%s sender=\"%s\" recipient=\"%s\" "
		 "destination=\"%s\" reply=\"%s\" state=%s older-than=%" PRIu64
		 " larger-than=%" PRIu64,
	    ctl_verb_name(w->verb), (unsigned int)w->uid, w->matched, w->done,
	    w->busy, w->failed, w->pending,
	    w->filter.id != 0 ? id_format(w->filter.id).text : "-",
	    w->null_sender ? "<>" : log_text(w->sender), log_text(w->recipient),
	    log_text(w->destination), log_text(w->text),
	    w->filter.state != 0 ? recipient_state_name(w->filter.state - 1U)
				 : "-",
	    w->filter.age, w->filter.size);
}

static enum control_progress
end_act(struct control_work *w)
{
	uint64_t unchanged = w->matched - w->done - w->failed;

	if (w->matched == 0 && w->filter.id != 0)
		return control_end_unknown(w, w->filter.id);
	if (w->failed != 0)
		return control_end(w, EX_TEMPFAIL, w->done,
		    "%" PRIu64 " recipients failed, for want of memory or "
		    "disk: try again",
		    w->failed);
	if (w->busy != 0)
		return control_end(w, EX_TEMPFAIL, w->done,
		    "%" PRIu64 " %s not changed, being delivered or reported "
		    "on just now: ask again",
		    w->busy,
		    w->busy == 1 ? "recipient was" : "recipients were");
	if (unchanged != 0)
		return control_end(w, EX_OK, w->done,
		    "%" PRIu64 " %s unchanged: in that state there is nothing "
		    "to %s, or it has just gone",
		    unchanged,
		    unchanged == 1 ? "recipient is" : "recipients are",
		    ctl_verb_name(w->verb));
	return control_end(w, EX_OK, w->done, "%s", "");
}

/* Acts on a batch and waits until it is committed before it looks for the
 * next one, so that no more than a batch is ever in the way of mail. */
enum control_progress
control_step_act(struct control_work *w)
{
	int more;

	if (w->pending > 0)
		return CONTROL_WAITS;
	if (w->walked)
		return end_act(w);
	w->batched = 0;
	more = query_items(&w->filter, &w->place, STEP_ROWS, collect_one, w);
	if (more == -1)
		return control_end_broken(w);
	w->walked = more == 0;
	for (unsigned int i = 0; i < w->batched; i++) {
		w->pending++;
		if (query_act(w->verb, w->batch[i].id, w->batch[i].number,
			(uint32_t)w->uid, on_acted, w) == -1) {
			w->pending--;
			w->failed++;
		}
	}
	return w->pending > 0 ? CONTROL_WAITS : CONTROL_MORE;
}
