/*
 * What is in the queue: its recipients, one message, its counters.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/id.h"
#include "common/log.h"
#include "common/message.h"
#include "queue/control_private.h"

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
		.notify = r->notify,
		.orcpt = r->orcpt,
		.paused = (uint8_t)item->paused,
	};
	control_send(w, &m, item->id);
}

static bool
list_one(const struct query_item *item, void *context)
{
	struct control_work *w = context;

	if (!control_means(w, item))
		return true;
	if (!control_has_room(w))
		return false;
	w->matched++;
	if (w->dry_run && !control_would_act(w, item))
		return true;
	send_item(w, item);
	w->done++;
	return true;
}

enum control_progress
control_step_list(struct control_work *w)
{
	int more =
	    query_items(&w->filter, &w->place, control_rows(w), list_one, w);

	if (more == -1)
		return control_end_broken(w);
	if (more == 1)
		return CONTROL_MORE;
	if (w->matched == 0 && w->filter.id != 0)
		return control_end_unknown(w, w->filter.id);
	return control_end(w, EX_OK, w->done, "%s", "");
}

static enum control_progress
end_own(struct control_work *w)
{
	uint64_t kept;

	if (query_kept(w->own, &kept) == -1)
		return control_end_broken(w);
	if (kept == 0)
		return control_end(w, EX_OK, w->done, "%s", "");
	return control_end(w, EX_OK, w->done,
	    "%" PRIu64 " more for you %s held, or could not be delivered: "
	    "\"why ID\" tells of one, an administrator lists them",
	    kept, kept == 1 ? "is" : "are");
}

/* What is tried for the mailbox of the asker, the next one first. */
enum control_progress
control_step_own(struct control_work *w)
{
	int more = query_line(
	    w->own, &w->filter, &w->own_place, control_rows(w), list_one, w);

	if (more == -1)
		return control_end_broken(w);
	return more == 1 ? CONTROL_MORE : end_own(w);
}

enum control_progress
control_step_nothing(struct control_work *w)
{
	if (w->filter.id != 0)
		return control_end_unknown(w, w->filter.id);
	return control_end(w, EX_OK, 0, "%s", "");
}

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
		.ret = row->ret,
		.envid = row->envid,
	};
	control_send(show->work, &m, id);
}

/* The content and the envelope, then the recipients as in a listing. */
enum control_progress
control_step_show(struct control_work *w)
{
	struct show show = { .work = w };
	uint64_t id = w->filter.id;

	show.content = query_content(id);
	if (show.content == -1 && errno == ENOENT)
		return control_end_unknown(w, id);
	if (show.content == -1) {
		log_warn("control-content-error id=%s error=\"%s\"",
		    id_format(id).text, strerror(errno));
		return control_end(w, EX_IOERR, 0,
		    "the content of %s cannot be read from the store: %s",
		    id_format(id).text, strerror(errno));
	}
	if (query_message(id, send_message, &show) == -1) {
		enum control_progress progress = control_end_broken(w);

		close(show.content);
		return progress;
	}
	w->step = control_step_list;
	return CONTROL_MORE;
}

static bool
send_stat(const struct query_stat *stat, void *context)
{
	struct control_work *w = context;
	struct message m = MESSAGE_INIT(MESSAGE_CTL_STAT, w->handle);

	m.ctl_stat.name = stat->name;
	m.ctl_stat.value = stat->value;
	m.ctl_stat.help = stat->help;
	m.ctl_stat.rises = stat->rises;
	control_send(w, &m, 0);
	w->matched++;
	return true;
}

/* There are few of them: one step. */
enum control_progress
control_step_stats(struct control_work *w)
{
	query_stats(send_stat, w);
	return control_end(w, EX_OK, w->matched, "%s", "");
}
