#include "queue/control_work.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <bsd/string.h>

#include "common/channel.h"
#include "common/id.h"
#include "common/log.h"
#include "queue/control_private.h"

bool
control_means(const struct control_work *w, const struct query_item *item)
{
	return !w->null_sender || item->message->sender[0] == '\0';
}

bool
control_has_room(const struct control_work *w)
{
	return channel_queued(w->channel) < CONTROL_BACKLOG;
}

/* A link that failed closes by itself. A row that does not fit a message is
 * our own doing: the rest of the answer is still worth having. */
void
control_send(struct control_work *w, struct message *m, uint64_t id)
{
	if (channel_send(w->channel, m) == -1 && errno == EMSGSIZE)
		log_warn("control-row-too-long id=%s message=%s",
		    id_format(id).text, message_type_name(m->type));
}

enum control_progress
control_end(
    struct control_work *w, int code, uint64_t count, const char *format, ...)
{
	struct message m = MESSAGE_INIT(MESSAGE_CTL_END, w->handle);
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	m.ctl_end.code = (uint8_t)code;
	m.ctl_end.count = count;
	m.ctl_end.text = text;
	control_send(w, &m, 0);
	return CONTROL_DONE;
}

enum control_progress
control_end_broken(struct control_work *w)
{
	int error = errno;

	log_warn("control-store-error error=\"%s\"", strerror(error));
	return control_end(
	    w, EX_IOERR, 0, "the store cannot be read: %s", strerror(error));
}

enum control_progress
control_end_unknown(struct control_work *w, uint64_t id)
{
	return control_end(w, EX_NOINPUT, 0, "message %s is not in the queue",
	    id_format(id).text);
}

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
