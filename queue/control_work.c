#include "queue/control_work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include <bsd/string.h>

#include "common/address.h"
#include "common/log.h"
#include "common/monotime.h"
#include "queue/control_peer.h"
#include "queue/control_private.h"
#include "queue/redirector.h"

static enum control_progress
step_refuse(struct control_work *w)
{
	return control_end(w, EX_NOPERM, 0,
	    "you may not: be root, or a member of the group " CONTROL_GROUP
	    "; others may ask for their own mail only: mailq, queue, why ID, "
	    "trace ID");
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
	w->filter.size = q->size;
	w->filter.state = q->state;
	return 0;
}

static enum control_progress
step_no_address(struct control_work *w)
{
	return control_end(w, EX_DATAERR, 0, "no address to redirect to");
}

/* As the router would write it, so that it is known again. */
static bool
read_target(struct control_work *w, const char *to)
{
	struct address address;

	if (address_parse(to, ADDRESS_FORWARD_PATH, &address) == -1)
		return false;
	strlcpy(w->to, address.text, sizeof(w->to));
	return true;
}

static enum control_progress
step_broken(struct control_work *w)
{
	errno = w->error;
	return control_end_broken(w);
}

/* What comes after the question is not meant. Often it would match: what is
 * redirected becomes new messages, what is bounced makes reports, and a bounce
 * of everything would go on to bounce those. */
static void
set_the_end(struct control_work *w)
{
	if (query_newest(&w->filter.last) == 0)
		return;
	w->error = errno;
	if (w->error == ENOENT)
		w->walked = true;
	else
		w->step = step_broken;
}

static int
begin_act(struct control_work *w, const struct message *m)
{
	const struct message_ctl_act *q = &m->ctl_act;
	struct message_ctl_list selection = {
		.id = q->id,
		.sender = q->sender,
		.recipient = q->recipient,
		.destination = q->destination,
		.text = q->text,
		.age = q->age,
		.size = q->size,
		.state = q->state,
	};

	if (q->verb >= CTL_VERBS || q->dry_run > 1)
		return -1;
	w->verb = (enum ctl_verb)q->verb;
	w->dry_run = q->dry_run == 1;
	w->step = w->dry_run			 ? control_step_list
		  : w->verb == CTL_VERB_REDIRECT ? control_step_redirect
						 : control_step_act;
	set_the_end(w);
	if (w->verb == CTL_VERB_REDIRECT && !read_target(w, q->to))
		w->step = step_no_address;
	else if (w->verb != CTL_VERB_REDIRECT && q->to[0] != '\0')
		return -1;
	return select_recipients(w, &selection);
}

static int
begin_trace(struct control_work *w, const struct message *m)
{
	const struct message_ctl_trace *q = &m->ctl_trace;

	/* An address may be of many, and of anybody. */
	if (q->id == 0 && w->own[0] != '\0') {
		w->step = step_refuse;
		return 0;
	}
	strlcpy(w->address, q->address, sizeof(w->address));
	w->step = control_step_ids;
	if (q->id == 0)
		return 0;
	w->ids[w->id_count++] = q->id;
	w->step = control_step_events;
	return 0;
}

/* A user's own mail is found by its line, and nothing else is looked at, so
 * that the store's size is nothing that they could make us feel. */
static int
begin_list(struct control_work *w, const struct message *m)
{
	const char *line = m->ctl_list.destination;

	w->step = control_step_list;
	if (select_recipients(w, &m->ctl_list) == -1)
		return -1;
	if (w->own[0] == '\0')
		return 0;
	if (line[0] != '\0' && strcasecmp(line, w->own) != 0)
		w->step = control_step_nothing;
	else if (w->filter.id == 0)
		w->step = control_step_own;
	return 0;
}

static int
begin_show(struct control_work *w, const struct message *m)
{
	w->step = control_step_show;
	w->filter.id = m->ctl_show.id;
	return m->ctl_show.id == 0 ? -1 : 0;
}

static int
begin_stats(struct control_work *w, const struct message *m)
{
	(void)m;
	w->step = control_step_stats;
	return 0;
}

static int
begin_destinations(struct control_work *w, const struct message *m)
{
	w->step = control_step_destinations;
	strlcpy(w->destination, m->ctl_destinations.destination,
	    sizeof(w->destination));
	return 0;
}

static int
begin_pause(struct control_work *w, const struct message *m)
{
	w->step = control_step_pause;
	w->pause = m->ctl_pause.resume == 0;
	strlcpy(
	    w->destination, m->ctl_pause.destination, sizeof(w->destination));
	return m->ctl_pause.resume > 1 ? -1 : 0;
}

/* Who may ask. */
enum who {
	WHO_NOBODY,
	WHO_ADMIN, /* sees and changes everybody's mail */
	WHO_OWNER, /* sees their own; control_means() leaves out the rest */
};

struct request {
	enum message_type type;
	enum who who;
	int (*begin)(struct control_work *, const struct message *);
};

/* Every question there is. What is not here ends the link. */
static const struct request requests[] = {
	{ MESSAGE_CTL_LIST, WHO_OWNER, begin_list },
	{ MESSAGE_CTL_ACT, WHO_ADMIN, begin_act },
	{ MESSAGE_CTL_SHOW, WHO_ADMIN, begin_show },
	{ MESSAGE_CTL_TRACE, WHO_OWNER, begin_trace },
	{ MESSAGE_CTL_STATS, WHO_ADMIN, begin_stats },
	{ MESSAGE_CTL_DESTINATIONS, WHO_ADMIN, begin_destinations },
	{ MESSAGE_CTL_PAUSE, WHO_ADMIN, begin_pause },
};

static bool
may(enum who who, const struct control_peer *peer)
{
	switch (who) {
	case WHO_ADMIN:
		return peer->admin;
	case WHO_OWNER:
		return peer->admin || peer->own[0] != '\0';
	case WHO_NOBODY:
		break;
	}
	return false;
}

/* Whoever may connect may ask this all day: a line a second is enough. */
static void
tell_of_refusal(enum message_type type, const struct control_peer *peer)
{
	static struct monotime last;
	struct monotime now = monotime_now();

	if (last.nanoseconds != 0 && monotime_ms_between(last, now) < 1000)
		return;
	last = now;
	log_warn("control-refused uid=%u question=%s", (unsigned int)peer->uid,
	    message_type_name(type));
}

static int
begin(struct control_work *w, const struct message *m,
    const struct control_peer *peer)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (requests[i].type != m->type)
			continue;
		if (may(requests[i].who, peer))
			return requests[i].begin(w, m);
		tell_of_refusal(m->type, peer);
		w->step = step_refuse;
		return 0;
	}
	return -1;
}

struct control_work *
control_work_new(struct channel *channel, const struct message *question,
    const struct control_peer *peer, void (*wake)(void *), void *context)
{
	struct control_work *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->channel = channel;
	w->handle = question->handle;
	w->uid = peer->uid;
	strlcpy(w->own, peer->own, sizeof(w->own));
	w->wake = wake;
	w->context = context;
	w->filter.sender = w->sender;
	w->filter.recipient = w->recipient;
	w->filter.destination = w->destination;
	w->filter.text = w->text;
	if (begin(w, question, peer) == -1) {
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
	redirector_forget(w);
	if (w->step == control_step_act || w->step == control_step_redirect)
		control_log_act(w);
	free(w->group);
	free(w);
}
