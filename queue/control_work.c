#include "queue/control_work.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <bsd/string.h>

#include "common/channel.h"
#include "common/id.h"
#include "common/log.h"
#include "common/mail.h"
#include "queue/lifecycle.h"
#include "queue/query.h"

/* Rows looked at in one step: some tens of microseconds each at most. */
#define STEP_ROWS 128
/* Acts that wait for one commit. */
#define BATCH 128
/* Messages whose life `trace ADDRESS` tells. */
#define TRACE_IDS 100

struct target {
	uint64_t id;
	uint32_t number;
};

struct control_work {
	struct channel *channel;
	uint32_t handle;
	uid_t uid;
	enum control_progress (*step)(struct control_work *);
	void (*wake)(void *);
	void *context;

	struct query_filter filter; /* its texts are the four below */
	char sender[LIMIT_PATH + 1];
	char recipient[LIMIT_PATH + 1];
	char destination[LIMIT_DESTINATION + 1];
	char text[LIMIT_REPLY + 1];
	struct query_place place;
	uint64_t matched; /* recipients that the filter meant */

	enum ctl_verb verb;
	bool dry_run;
	bool walked; /* the filter has been applied to everything */
	struct target batch[BATCH];
	unsigned int batched;
	unsigned int pending; /* of the batch, not committed yet */
	uint64_t done;	      /* or listed */
	uint64_t failed;

	char address[LIMIT_PATH + 1];
	uint64_t
	    ids[TRACE_IDS]; /* a ring: the last `id_count` modulo its size */
	uint64_t id_count;
	uint64_t id_at;
	uint32_t event;
	uint64_t events;
};

static bool
has_room(const struct control_work *w)
{
	return channel_queued(w->channel) < CONTROL_BACKLOG;
}

/* A link that failed closes by itself. A row that does not fit a message is
 * our own doing: the rest of the answer is still worth having. */
static void
send_answer(struct control_work *w, struct message *m, uint64_t id)
{
	if (channel_send(w->channel, m) == -1 && errno == EMSGSIZE)
		log_warn("control-row-too-long id=%s message=%s",
		    id_format(id).text, message_type_name(m->type));
}

static enum control_progress __attribute__((format(printf, 4, 5)))
end(struct control_work *w, int code, uint64_t count, const char *format, ...)
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
	send_answer(w, &m, 0);
	return CONTROL_DONE;
}

static enum control_progress
end_broken(struct control_work *w)
{
	int error = errno;

	log_warn("control-store-error error=\"%s\"", strerror(error));
	return end(
	    w, EX_IOERR, 0, "the store cannot be read: %s", strerror(error));
}

static enum control_progress
end_unknown(struct control_work *w, uint64_t id)
{
	return end(w, EX_NOINPUT, 0, "message %s is not in the queue",
	    id_format(id).text);
}

/* -- Listing --------------------------------------------------------------- */

static void
send_item(struct control_work *w, const struct query_item *item)
{
	const struct row_recipient *r = item->recipient;
	struct message m = MESSAGE_INIT(MESSAGE_CTL_ITEM, w->handle);

	m.ctl_item = (struct message_ctl_item){
		.id = item->id,
		.arrival = item->message->arrival / 1000,
		.size = item->message->size,
		.sender = item->message->sender,
		.number = item->number,
		.address = r->address,
		.original = r->original,
		.kind = r->kind,
		.name = r->name,
		.user = r->user,
		.destination = r->destination,
		.state = r->state,
		.attempts = r->attempts,
		.next_try = item->next_try,
		.in_flight = item->in_flight,
		.host = r->host,
		.reply = r->reply,
	};
	send_answer(w, &m, item->id);
}

/* A dry run lists only what would change. */
static bool
would_act(enum ctl_verb verb, const struct query_item *item)
{
	static const enum lifecycle_event events[CTL_VERBS] = {
		[CTL_VERB_RETRY] = LIFECYCLE_RETRY,
		[CTL_VERB_HOLD] = LIFECYCLE_HOLD,
		[CTL_VERB_RELEASE] = LIFECYCLE_RELEASE,
		[CTL_VERB_REMOVE] = LIFECYCLE_REMOVE,
	};

	return lifecycle_step((enum recipient_state)item->recipient->state,
		   events[verb]) != LIFECYCLE_REFUSED;
}

static bool
list_one(const struct query_item *item, void *context)
{
	struct control_work *w = context;

	if (!has_room(w))
		return false;
	w->matched++;
	if (w->dry_run && !would_act(w->verb, item))
		return true;
	send_item(w, item);
	w->done++;
	return true;
}

static enum control_progress
step_list(struct control_work *w)
{
	int more = query_items(&w->filter, &w->place, STEP_ROWS, list_one, w);

	if (more == -1)
		return end_broken(w);
	if (more == 1)
		return CONTROL_MORE;
	if (w->matched == 0 && w->filter.id != 0)
		return end_unknown(w, w->filter.id);
	return end(w, EX_OK, w->done, "%s", "");
}

/* -- One message ----------------------------------------------------------- */

struct show {
	struct control_work *work;
	int content;
};

static void
send_message(uint64_t id, const struct row_message *row, void *context)
{
	struct show *show = context;
	struct message m = MESSAGE_INIT(MESSAGE_CTL_MESSAGE, 0);

	m.handle = show->work->handle;
	m.fd = show->content;
	show->content = -1;
	m.ctl_message = (struct message_ctl_message){
		.id = id,
		.arrival = row->arrival / 1000,
		.size = row->size,
		.sender = row->sender,
		.client_address = row->client_address,
		.helo = row->helo,
		.user = row->user,
		.protocol = row->protocol,
		.body = row->body,
	};
	send_answer(show->work, &m, id);
}

/* The content and the envelope, then the recipients as in a listing. */
static enum control_progress
step_show(struct control_work *w)
{
	struct show show = { .work = w };
	uint64_t id = w->filter.id;

	show.content = query_content(id);
	if (show.content == -1 && errno == ENOENT)
		return end_unknown(w, id);
	if (show.content == -1) {
		log_warn("control-content-error id=%s error=\"%s\"",
		    id_format(id).text, strerror(errno));
		return end(w, EX_IOERR, 0,
		    "the content of %s cannot be read from the store: %s",
		    id_format(id).text, strerror(errno));
	}
	if (query_message(id, send_message, &show) == -1) {
		enum control_progress progress = end_broken(w);

		close(show.content);
		return progress;
	}
	w->step = step_list;
	return CONTROL_MORE;
}

/* -- Acts ------------------------------------------------------------------ */

static bool
collect_one(const struct query_item *item, void *context)
{
	struct control_work *w = context;

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

	if (result == 1)
		w->done++;
	else if (result == -1)
		w->failed++;
	if (--w->pending == 0)
		w->wake(w->context);
}

static void
log_act(const struct control_work *w)
{
	log_info("control-act act=%s uid=%u matched=%" PRIu64 " done=%" PRIu64
		 " failed=%" PRIu64
		 " pending=%u id=%s sender=\"%s\" recipient=\"%s\" "
		 "destination=\"%s\" reply=\"%s\" state=%s older-than=%" PRIu64,
	    ctl_verb_name(w->verb), (unsigned int)w->uid, w->matched, w->done,
	    w->failed, w->pending,
	    w->filter.id != 0 ? id_format(w->filter.id).text : "-",
	    log_text(w->sender), log_text(w->recipient),
	    log_text(w->destination), log_text(w->text),
	    w->filter.state != 0 ? recipient_state_name(w->filter.state - 1U)
				 : "-",
	    w->filter.age);
}

static enum control_progress
end_act(struct control_work *w)
{
	uint64_t unchanged = w->matched - w->done - w->failed;

	if (w->matched == 0 && w->filter.id != 0)
		return end_unknown(w, w->filter.id);
	if (w->failed != 0)
		return end(w, EX_TEMPFAIL, w->done,
		    "%" PRIu64 " recipients failed, for want of memory or "
		    "disk: try again",
		    w->failed);
	if (unchanged != 0)
		return end(w, EX_OK, w->done,
		    "%" PRIu64 " %s unchanged: in that state there is nothing "
		    "to %s, or it has just gone",
		    unchanged,
		    unchanged == 1 ? "recipient is" : "recipients are",
		    ctl_verb_name(w->verb));
	return end(w, EX_OK, w->done, "%s", "");
}

/* Acts on a batch and waits until it is committed before it looks for the
 * next one, so that no more than a batch is ever in the way of mail. */
static enum control_progress
step_act(struct control_work *w)
{
	int more;

	if (w->pending > 0)
		return CONTROL_WAITS;
	if (w->walked)
		return end_act(w);
	w->batched = 0;
	more = query_items(&w->filter, &w->place, STEP_ROWS, collect_one, w);
	if (more == -1)
		return end_broken(w);
	w->walked = more == 0;
	for (unsigned int i = 0; i < w->batched; i++) {
		w->pending++;
		if (query_act(w->verb, w->batch[i].id, w->batch[i].number,
			on_acted, w) == -1) {
			w->pending--;
			w->failed++;
		}
	}
	return w->pending > 0 ? CONTROL_WAITS : CONTROL_MORE;
}

/* -- The life of a message ------------------------------------------------- */

static bool
send_event(uint64_t id, const struct row_event *row, void *context)
{
	struct control_work *w = context;
	struct message m = MESSAGE_INIT(MESSAGE_CTL_EVENT, w->handle);

	if (!has_room(w))
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
	send_answer(w, &m, id);
	w->events++;
	return true;
}

static enum control_progress
end_trace(struct control_work *w)
{
	if (w->events == 0)
		return end(w, EX_NOINPUT, 0,
		    "nothing is known of it: it was never here, or its history "
		    "has expired");
	if (w->id_count > TRACE_IDS)
		return end(w, EX_OK, w->events,
		    "these are the newest %d of %" PRIu64 " messages",
		    TRACE_IDS, w->id_count);
	return end(w, EX_OK, w->events, "%s", "");
}

static enum control_progress
step_events(struct control_work *w)
{
	int more;

	if (w->id_at == w->id_count)
		return end_trace(w);
	more = query_events(
	    w->ids[w->id_at % TRACE_IDS], &w->event, STEP_ROWS, send_event, w);
	if (more == -1)
		return end_broken(w);
	if (more == 0) {
		w->id_at++;
		w->event = 0;
	}
	return CONTROL_MORE;
}

/* Finds the newest messages of an address: the last of all that it has. */
static enum control_progress
step_ids(struct control_work *w)
{
	uint64_t found[STEP_ROWS], after;
	int count;

	after = w->id_count == 0 ? 0 : w->ids[(w->id_count - 1) % TRACE_IDS];
	count = query_ids(w->address, after, found, STEP_ROWS);
	if (count == -1)
		return end_broken(w);
	for (int i = 0; i < count; i++)
		w->ids[w->id_count++ % TRACE_IDS] = found[i];
	if (count == STEP_ROWS)
		return CONTROL_MORE;
	w->id_at = w->id_count > TRACE_IDS ? w->id_count - TRACE_IDS : 0;
	w->step = step_events;
	return CONTROL_MORE;
}

/* -- Counters -------------------------------------------------------------- */

static bool
send_stat(const char *name, uint64_t value, const char *help, void *context)
{
	struct control_work *w = context;
	struct message m = MESSAGE_INIT(MESSAGE_CTL_STAT, w->handle);

	m.ctl_stat.name = name;
	m.ctl_stat.value = value;
	m.ctl_stat.help = help;
	send_answer(w, &m, 0);
	w->matched++;
	return true;
}

/* There are few of them: one step. */
static enum control_progress
step_stats(struct control_work *w)
{
	query_stats(send_stat, w);
	return end(w, EX_OK, w->matched, "%s", "");
}

/* -- Questions ------------------------------------------------------------- */

static int
select_recipients(struct control_work *w, const struct message_ctl_list *q)
{
	if (q->state > RECIPIENT_STATES)
		return -1;
	strlcpy(w->sender, q->sender, sizeof(w->sender));
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
	w->step = w->dry_run ? step_list : step_act;
	return select_recipients(w, &selection);
}

static void
begin_trace(struct control_work *w, const struct message_ctl_trace *q)
{
	strlcpy(w->address, q->address, sizeof(w->address));
	w->step = step_ids;
	if (q->id == 0)
		return;
	w->ids[w->id_count++] = q->id;
	w->step = step_events;
}

static int
begin(struct control_work *w, const struct message *m)
{
	if (m->type == MESSAGE_CTL_LIST) {
		w->step = step_list;
		return select_recipients(w, &m->ctl_list);
	}
	if (m->type == MESSAGE_CTL_ACT)
		return begin_act(w, &m->ctl_act);
	if (m->type == MESSAGE_CTL_SHOW) {
		w->step = step_show;
		w->filter.id = m->ctl_show.id;
		return m->ctl_show.id == 0 ? -1 : 0;
	}
	if (m->type == MESSAGE_CTL_TRACE) {
		begin_trace(w, &m->ctl_trace);
		return 0;
	}
	if (m->type == MESSAGE_CTL_STATS) {
		w->step = step_stats;
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
	if (w->step == step_act)
		log_act(w);
	free(w);
}
