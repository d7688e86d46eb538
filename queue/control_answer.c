/*
 * What the answers to all questions are made of.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "common/channel.h"
#include "common/id.h"
#include "common/log.h"
#include "queue/control_private.h"
#include "queue/lifecycle.h"

bool
control_means(const struct control_work *w, const struct query_item *item)
{
	return control_may_know(w, item->recipient->destination) &&
	       (!w->null_sender || item->message->sender[0] == '\0');
}

/* Logins that differ in case only are different people. */
bool
control_may_know(const struct control_work *w, const char *destination)
{
	return w->own[0] == '\0' || strcmp(w->own, destination) == 0;
}

/* What is redirected must be nobody's at the moment, and go elsewhere. */
static bool
may_redirect(const struct control_work *w, const struct query_item *item)
{
	return !item->in_flight &&
	       strcasecmp(item->recipient->address, w->to) != 0;
}

bool
control_would_act(const struct control_work *w, const struct query_item *item)
{
	static const enum lifecycle_event events[CTL_VERBS] = {
		[CTL_VERB_RETRY] = LIFECYCLE_RETRY,
		[CTL_VERB_HOLD] = LIFECYCLE_HOLD,
		[CTL_VERB_RELEASE] = LIFECYCLE_RELEASE,
		[CTL_VERB_REMOVE] = LIFECYCLE_REMOVE,
		[CTL_VERB_BOUNCE] = LIFECYCLE_BOUNCE,
		[CTL_VERB_REDIRECT] = LIFECYCLE_REDIRECTED,
	};

	if (w->verb == CTL_VERB_REDIRECT && !may_redirect(w, item))
		return false;
	if (w->verb == CTL_VERB_BOUNCE && item->in_flight)
		return false;
	return lifecycle_step((enum recipient_state)item->recipient->state,
		   events[w->verb]) != LIFECYCLE_REFUSED;
}

unsigned int
control_rows(const struct control_work *w)
{
	return w->own[0] != '\0' ? OWN_ROWS : STEP_ROWS;
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
