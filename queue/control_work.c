#include "queue/control_work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "queue/control_private.h"

static int
select_recipients(struct control_work *w, const struct message_ctl_list *q)
{
	if (q->state > RECIPIENT_STATES)
		return -1;
	w->null_sender = strcmp(q->sender, "<>") == 0;
	strlcpy(w->sender, w->null_sender ? "" : q->sender, sizeof(w->sender));
	strlcpy(w->recipient, q->recipient, sizeof(w->recipient));
	strlcpy(w->destination, q->destination, sizeof(w->destination));
	strlcpy(w->text, q->text, sizeof(w->text));
	w->filter.id = q->id;
	w->filter.age = q->age;
	w->filter.state = q->state;
	return 0;
}

static int
begin_act(struct control_work *w, const struct message_ctl_act *q)
{
	struct message_ctl_list selection = {
		.id = q->id,
		.sender = q->sender,
		.recipient = q->recipient,
		.destination = q->destination,
		.text = q->text,
		.age = q->age,
		.state = q->state,
	};

	if (q->verb >= CTL_VERBS || q->dry_run > 1)
		return -1;
	w->verb = (enum ctl_verb)q->verb;
	w->dry_run = q->dry_run == 1;
	w->step = w->dry_run ? control_step_list : control_step_act;
	return select_recipients(w, &selection);
}

static void
begin_trace(struct control_work *w, const struct message_ctl_trace *q)
{
	strlcpy(w->address, q->address, sizeof(w->address));
	w->step = control_step_ids;
	if (q->id == 0)
		return;
	w->ids[w->id_count++] = q->id;
	w->step = control_step_events;
}

static int
begin(struct control_work *w, const struct message *m)
{
	if (m->type == MESSAGE_CTL_LIST) {
		w->step = control_step_list;
		return select_recipients(w, &m->ctl_list);
	}
	if (m->type == MESSAGE_CTL_ACT)
		return begin_act(w, &m->ctl_act);
	if (m->type == MESSAGE_CTL_SHOW) {
		w->step = control_step_show;
		w->filter.id = m->ctl_show.id;
		return m->ctl_show.id == 0 ? -1 : 0;
	}
	if (m->type == MESSAGE_CTL_TRACE) {
		begin_trace(w, &m->ctl_trace);
		return 0;
	}
	if (m->type == MESSAGE_CTL_STATS) {
		w->step = control_step_stats;
		return 0;
	}
	if (m->type == MESSAGE_CTL_PAUSE) {
		w->step = control_step_pause;
		w->pause = m->ctl_pause.resume == 0;
		strlcpy(w->destination, m->ctl_pause.destination,
		    sizeof(w->destination));
		return m->ctl_pause.resume > 1 ? -1 : 0;
	}
	if (m->type == MESSAGE_CTL_DESTINATIONS) {
		w->step = control_step_destinations;
		strlcpy(w->destination, m->ctl_destinations.destination,
		    sizeof(w->destination));
		return 0;
	}
	return -1;
}

struct control_work *
control_work_new(struct channel *channel, const struct message *question,
    uid_t uid, void (*wake)(void *), void *context)
{
	struct control_work *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->channel = channel;
	w->handle = question->handle;
	w->uid = uid;
	w->wake = wake;
	w->context = context;
	w->filter.sender = w->sender;
	w->filter.recipient = w->recipient;
	w->filter.destination = w->destination;
	w->filter.text = w->text;
	if (begin(w, question) == -1) {
		free(w);
		errno = EPROTO;
		return NULL;
	}
	return w;
}

enum control_progress
control_work_step(struct control_work *w)
{
	return w->step(w);
}

void
control_work_free(struct control_work **pointer)
{
	struct control_work *w = *pointer;

	*pointer = NULL;
	if (w == NULL)
		return;
	if (w->pending > 0)
		query_forget(w);
	if (w->step == control_step_act)
		control_log_act(w);
	free(w);
}
