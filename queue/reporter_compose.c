#include "queue/reporter_compose.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "common/config.h"
#include "common/id.h"
#include "common/log.h"
#include "common/mail.h"
#include "queue/clock.h"
#include "queue/dsn_original.h"
#include "queue/dsn_report.h"
#include "queue/lifecycle.h"
#include "queue/store.h"
#include "queue/store_content.h"
#include "queue/store_row.h"
#include "queue/tell.h"

/* A history that is longer is not searched for the last attempts. */
#define EVENTS_MOST 20000

/* In a read transaction, which lends all texts. */
struct composing {
	struct lifecycle *l;
	struct telling *telling;
	struct row_message message;
	bool from_history;  /* that is from there: its own row is lost */
	uint64_t now;	    /* milliseconds */
	unsigned int count; /* of the recipients that it speaks of */
	struct dsn_recipient recipients[TELL_RECIPIENTS];
};

static int
load_message(struct composing *c)
{
	struct row_key key = row_key_id(c->telling->id);
	struct bytes value;

	if (store_get(c->l->store, STORE_MESSAGE, &key, &value) == -1)
		return -1;
	return row_message_decode(&c->message, value.data, value.length);
}

/* Its history knows whose it was, if all else is lost. Not the content's
 * checksum: so the content is not returned. */
static int
load_message_from_history(struct composing *c)
{
	struct row_key key = row_key_number(c->telling->id, 0);
	struct row_event event;
	struct bytes value;

	if (store_get(c->l->store, STORE_EVENT, &key, &value) == -1 ||
	    row_event_decode(&event, value.data, value.length) == -1)
		return -1;
	/* A row of schema 1 does not say that there is no sender. */
	if (event.what != EVENT_ACCEPTED ||
	    (event.protocol == 0 && event.sender[0] == '\0')) {
		errno = EBADMSG;
		return -1;
	}
	c->from_history = true;
	c->message = (struct row_message){
		.arrival = event.time * 1000,
		.size = event.size,
		.sender = event.sender,
		.client_address = event.peer,
		.helo = event.helo,
		.user = event.user,
		.envid = "",
	};
	return 0;
}

static enum dsn_action
action_of(enum tell_what what, const struct row_recipient *row)
{
	if (what == TELL_FAILURE)
		return DSN_FAILED;
	if (what == TELL_DELAY)
		return DSN_DELAYED;
	if ((row->told & DSN_TOLD_EXPANDED) != 0)
		return DSN_EXPANDED;
	return (row->told & DSN_TOLD_RELAYED) != 0 ? DSN_RELAYED
						   : DSN_DELIVERED;
}

/* The administrator is told of losses only; what the sender wanted to know
 * besides is settled with it. */
static void
add_recipient(struct composing *c, uint32_t number,
    const struct row_recipient *row, enum tell_what what)
{
	struct telling *t = c->telling;

	t->recipients[t->count++] = (struct telling_recipient){ number, what };
	if (t->is_notice && what != TELL_FAILURE)
		return;
	c->recipients[c->count++] = (struct dsn_recipient){
		.action = action_of(what, row),
		.address = row->address,
		.original = row->original,
		.orcpt = row->orcpt,
		.host = row->host,
		.reply = row->reply,
		.untried = row->attempts == 0,
		.retry_until = c->message.arrival / 1000 + c->l->retry.for_,
	};
}

static int
load_recipients(struct composing *c)
{
	struct row_key from = row_key_number(c->telling->id, 0);
	struct store *store = c->l->store;
	struct bytes key, value;
	int found = store_seek(store, STORE_RECIPIENT, &from, &key, &value);

	for (; found == 0 && c->telling->count < TELL_RECIPIENTS;
	     found = store_next(store, STORE_RECIPIENT, &key, &value)) {
		struct row_recipient row;
		enum tell_what what;
		uint32_t number;
		uint64_t id;

		if (row_key_number_read(key.data, key.length, &id, &number) ==
		    -1)
			continue;
		if (id != c->telling->id)
			break;
		if (row_recipient_decode(&row, value.data, value.length) ==
		    -1) {
			log_error("recipient-damaged id=%s number=%" PRIu32,
			    id_format(id).text, number);
			continue;
		}
		what = tell_what(&c->message, &row, c->l->warn_after, c->now);
		if (what != TELL_NOTHING)
			add_recipient(c, number, &row, what);
	}
	if (found == -1 && errno != ENOENT)
		return -1;
	errno = ENOENT;
	return c->telling->count > 0 ? 0 : -1;
}

/* The last attempt for each, from the history. */
static void
note_attempt(struct composing *c, const struct row_event *event)
{
	if (event->what != EVENT_DELIVERED && event->what != EVENT_DEFERRED &&
	    event->what != EVENT_FAILED && event->what != EVENT_EXPIRED)
		return;
	/* Nothing was tried: the administrator gave it up, or the host was down
	 * for others. Attempts had no numbers in rows of schema 1. */
	if (event->host[0] == '\0' && event->attempt == 0)
		return;
	for (unsigned int i = 0; i < c->count; i++)
		if (c->recipients[i].action != DSN_EXPANDED &&
		    strcmp(c->recipients[i].address, event->address) == 0)
			c->recipients[i].last = event->time;
}

/* RFC 3464 2.3.7: no date at all rather than one that may be wrong. */
static void
forget_attempts(struct composing *c)
{
	for (unsigned int i = 0; i < c->count; i++)
		c->recipients[i].last = 0;
}

static void
load_attempts(struct composing *c)
{
	struct row_key from = row_key_number(c->telling->id, 0);
	struct store *store = c->l->store;
	unsigned int most = EVENTS_MOST;
	struct bytes key, value;
	int found = store_seek(store, STORE_EVENT, &from, &key, &value);

	for (; found == 0;
	     found = store_next(store, STORE_EVENT, &key, &value)) {
		struct row_event event;
		uint32_t number;
		uint64_t id;

		if (row_key_number_read(key.data, key.length, &id, &number) ==
			0 &&
		    id != c->telling->id)
			return;
		if (most-- == 0 ||
		    row_event_decode(&event, value.data, value.length) == -1) {
			forget_attempts(c);
			return;
		}
		note_attempt(c, &event);
	}
}

/* What a disk has changed goes to nobody, not even back. */
static bool
is_whole(struct composing *c)
{
	uint64_t digest;
	const char *what;

	if (c->from_history)
		return false;
	if (store_content_check(
		c->l->store, c->telling->id, &c->message, &digest, &what) == 0)
		return true;
	log_error("content-unreadable id=%s error=\"%s\"",
	    id_format(c->telling->id).text, what);
	return false;
}

/* It went out, and was sent back here by whoever forwards the mail of its
 * recipient. To tell the administrator would be to send out another one, which
 * might come back too, for ever. */
static bool
has_come_back(const struct composing *c, const struct dsn_report *report)
{
	if (c->message.sender[0] != '\0' ||
	    c->message.client_address[0] == '\0' || report->original == NULL ||
	    !dsn_original_is_report(
		report->original, report->original_length, report->hostname))
		return false;
	log_error("report-given-up id=%s: it is a report of this host that has "
		  "come back",
	    id_format(c->telling->id).text);
	return true;
}

static int
make(struct composing *c, const struct config *config, struct dsn_made *made)
{
	const struct row_message *m = &c->message;
	char *original = malloc(DSN_RETURN_MOST);
	ssize_t length;
	struct dsn_report report = {
		.hostname = config->hostname,
		.id = id_format(c->telling->id).text,
		.to = c->telling->to,
		.sender = m->sender,
		.is_notice = c->telling->is_notice,
		.envid = m->envid,
		.ret = m->ret,
		.arrival = m->arrival / 1000,
		.now = c->now / 1000,
		.recipients = c->recipients,
		.count = c->count,
		.original_is_whole = m->size <= DSN_RETURN_MOST,
	};
	int fd = -1;

	if (original == NULL)
		return -1;
	length = is_whole(c) ? store_content_head(c->l->store, c->telling->id,
				   m->size, original, DSN_RETURN_MOST)
			     : -1;
	if (length != -1) {
		report.original = original;
		report.original_length = (size_t)length;
	}
	if (has_come_back(c, &report))
		errno = ENOMSG;
	else
		fd = dsn_report_make(&report, made);
	free(original);
	return fd;
}

/* "postmaster" alone always leads somewhere, as far as anything does. */
static void
set_recipient(struct composing *c, const struct config *config)
{
	struct telling *t = c->telling;
	const char *admin =
	    config->admin != NULL ? config->admin : "postmaster";

	t->is_notice |= c->message.sender[0] == '\0';
	strlcpy(t->to, t->is_notice ? admin : c->message.sender, sizeof(t->to));
}

/* Whose message it was nobody knows any more. What was delivered is settled all
 * the same, and what failed is kept and listed. */
static int
tell_nobody(struct composing *c)
{
	c->message = (struct row_message){ .sender = "",
		.client_address = "",
		.helo = "",
		.user = "",
		.envid = "" };
	if (load_recipients(c) == 0)
		errno = EBADMSG;
	return -1;
}

static bool
is_damage(void)
{
	return errno == ENOENT || errno == EBADMSG;
}

static int
compose(struct composing *c, const struct config *config, struct dsn_made *made)
{
	c->telling->count = 0;
	if (load_message(c) == -1 &&
	    (!is_damage() || load_message_from_history(c) == -1))
		return is_damage() ? tell_nobody(c) : -1;
	set_recipient(c, config);
	if (load_recipients(c) == -1)
		return -1;
	/* Else it is not damaged, but gone, and only the index speaks of it. */
	if (c->from_history)
		log_error("message-damaged id=%s: its history says who is told",
		    id_format(c->telling->id).text);
	if (c->count > 0) {
		load_attempts(c);
		return make(c, config, made);
	}
	errno = ENOMSG;
	return -1;
}

int
reporter_compose(struct lifecycle *l, const struct config *config,
    struct telling *telling, struct dsn_made *made)
{
	struct composing *c = calloc(1, sizeof(*c));
	int fd = -1, error;

	if (c == NULL)
		return -1;
	c->l = l;
	c->telling = telling;
	c->now = clock_milliseconds();
	if (store_read_begin(l->store) == 0) {
		fd = compose(c, config, made);
		error = errno;
		store_read_end(l->store);
		errno = error;
	}
	error = errno;
	free(c);
	errno = error;
	return fd;
}
