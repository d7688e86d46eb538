#include "queue/query.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "common/id.h"
#include "common/log.h"
#include "queue/clock.h"
#include "queue/commit.h"
#include "queue/flight.h"
#include "queue/pause.h"
#include "queue/store.h"
#include "queue/store_content.h"

static struct store *store;

void
query_start(struct store *the_store)
{
	store = the_store;
}

/* -- Recipients ----------------------------------------------------------- */

/* A walk looks at each message and destination once. */
struct walk {
	const struct query_filter *filter;
	uint64_t now;
	uint64_t id; /* of `message` */
	bool looked;
	bool readable;
	struct row_message message;
};

static bool
is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static bool
address_matches(const char *wanted, const char *address)
{
	const char *at = strrchr(address, '@');

	if (wanted[0] == '@')
		return at != NULL && strcasecmp(at, wanted) == 0;
	return strcasecmp(address, wanted) == 0;
}

static bool
recipient_matches(const struct query_filter *f, const struct row_recipient *row)
{
	if (f->state != 0 && f->state != row->state + 1)
		return false;
	if (is_set(f->recipient) &&
	    !address_matches(f->recipient, row->address) &&
	    !address_matches(f->recipient, row->original))
		return false;
	if (is_set(f->destination) &&
	    strcasecmp(f->destination, row->destination) != 0)
		return false;
	return !is_set(f->text) || strcasestr(row->reply, f->text) != NULL;
}

static bool
message_matches(const struct walk *w)
{
	const struct query_filter *f = w->filter;
	uint64_t arrival = w->message.arrival / 1000;

	if (w->message.size < f->size)
		return false;
	if (is_set(f->sender) && !address_matches(f->sender, w->message.sender))
		return false;
	return f->age == 0 || (w->now > arrival && w->now - arrival >= f->age);
}

static int
read_message(uint64_t id, struct row_message *row)
{
	struct row_key key = row_key_id(id);
	struct bytes value;

	if (store_get(store, STORE_MESSAGE, &key, &value) == -1)
		return -1;
	return row_message_decode(row, value.data, value.length);
}

/* A damaged message row is still listed, with what its id says. */
static void
look_at_message(struct walk *w, uint64_t id)
{
	if (w->looked && w->id == id)
		return;
	w->looked = true;
	w->id = id;
	w->readable = read_message(id, &w->message) == 0;
	if (!w->readable)
		w->message = (struct row_message){
			.arrival = id_time(id) * 1000,
			.sender = "",
			.client_address = "",
			.helo = "",
			.user = "",
			.envid = "",
		};
}

static uint64_t
next_try(const struct row_recipient *recipient)
{
	struct row_key key = row_key_text(recipient->destination);
	struct row_destination d;
	struct bytes value;

	if (recipient->state != RECIPIENT_WAITING)
		return 0;
	if (store_get(store, STORE_DESTINATION, &key, &value) == -1 ||
	    row_destination_decode(&d, value.data, value.length) == -1 ||
	    d.backoff_until < recipient->due)
		return recipient->due;
	return d.backoff_until;
}

/* Gives one row to `each` if it matches. False to stop before it. */
static bool
offer(struct walk *w, uint64_t id, uint32_t number, struct bytes value,
    bool (*each)(const struct query_item *, void *), void *context)
{
	struct row_recipient recipient;
	struct query_item item;

	if (row_recipient_decode(&recipient, value.data, value.length) == -1) {
		log_error("recipient-damaged id=%s number=%u",
		    id_format(id).text, number);
		return true;
	}
	if (!recipient_matches(w->filter, &recipient))
		return true;
	look_at_message(w, id);
	if (!message_matches(w))
		return true;
	item = (struct query_item){
		.id = id,
		.number = number,
		.message = &w->message,
		.recipient = &recipient,
		.next_try = next_try(&recipient),
		.in_flight = flight_exists(id, number),
		.paused = pause_kind(recipient.destination),
	};
	return each(&item, context);
}

/* A row that a disk has put out of order: a step that ended there would make
 * the next one begin where this one did. */
static bool
leads_back(
    const struct query_place *start, uint64_t id, uint32_t number, bool begun)
{
	if (id != start->id)
		return id < start->id;
	return begun ? number <= start->number : number < start->number;
}

static int
walk_items(struct walk *w, struct query_place *place, unsigned int most,
    bool (*each)(const struct query_item *, void *), void *context)
{
	const struct query_place start = *place;
	struct row_key from = row_key_number(start.id, start.number);
	bool begun = false;
	struct bytes key, value;
	int found = store_seek(store, STORE_RECIPIENT, &from, &key, &value);

	for (; found == 0;
	     found = store_next(store, STORE_RECIPIENT, &key, &value)) {
		uint64_t id;
		uint32_t number;

		/* It hides nothing behind it. */
		if (row_key_number_read(key.data, key.length, &id, &number) ==
		    -1)
			continue;
		if (leads_back(&start, id, number, begun))
			continue;
		begun = true;
		if (w->filter->id != 0 && id != w->filter->id)
			return 0;
		if (w->filter->last != 0 && id > w->filter->last)
			return 0;
		*place = (struct query_place){ id, number };
		if (most-- == 0 || !offer(w, id, number, value, each, context))
			return 1;
	}
	return errno == ENOENT ? 0 : -1;
}

int
query_items(const struct query_filter *filter, struct query_place *place,
    unsigned int most, bool (*each)(const struct query_item *, void *),
    void *context)
{
	struct walk w = { .filter = filter, .now = clock_seconds() };
	int result;

	if (filter->id != 0 && place->id < filter->id)
		*place = (struct query_place){ filter->id, 0 };
	if (store_read_begin(store) == -1)
		return -1;
	result = walk_items(&w, place, most, each, context);
	store_read_end(store);
	return result;
}

static int
find_newest(uint64_t *id)
{
	const struct row_key end = row_key_number(UINT64_MAX, UINT32_MAX);
	struct bytes key, value;
	uint32_t number;
	int found =
	    store_seek_below(store, STORE_RECIPIENT, &end, &key, &value);

	while (found == 0 &&
	       row_key_number_read(key.data, key.length, id, &number) == -1)
		found = store_back(store, STORE_RECIPIENT, &key, &value);
	return found;
}

int
query_newest(uint64_t *id)
{
	int result, error;

	if (store_read_begin(store) == -1)
		return -1;
	result = find_newest(id);
	error = errno;
	store_read_end(store);
	errno = error;
	return result;
}

/* The row that an entry of the due index stands for. What is damaged hides
 * nothing behind it. */
static bool
offer_due(struct walk *w, const struct row_place *at,
    bool (*each)(const struct query_item *, void *), void *context)
{
	struct row_key key = row_key_number(at->id, at->number);
	struct bytes value;

	if (store_get(store, STORE_RECIPIENT, &key, &value) == -1)
		return true;
	return offer(w, at->id, at->number, value, each, context);
}

static int
walk_line(struct walk *w, const char *destination, struct row_place *place,
    unsigned int most, bool (*each)(const struct query_item *, void *),
    void *context)
{
	struct row_key from = row_key_due(destination, place);
	struct bytes key, value;
	int found = store_seek(store, STORE_DUE, &from, &key, &value);

	for (; found == 0; found = store_next(store, STORE_DUE, &key, &value)) {
		struct row_place at;
		const char *of;

		if (row_key_due_read(key.data, key.length, &of, &at) == -1)
			continue;
		if (strcmp(of, destination) != 0)
			return 0;
		if (most-- == 0)
			return 1;
		*place = at;
		if (!offer_due(w, &at, each, context))
			return 1;
		place->number++;
	}
	return errno == ENOENT ? 0 : -1;
}

int
query_line(const char *destination, const struct query_filter *filter,
    struct row_place *place, unsigned int most,
    bool (*each)(const struct query_item *, void *), void *context)
{
	struct walk w = { .filter = filter, .now = clock_seconds() };
	int result;

	if (store_read_begin(store) == -1)
		return -1;
	result = walk_line(&w, destination, place, most, each, context);
	store_read_end(store);
	return result;
}

int
query_kept(const char *destination, uint64_t *kept)
{
	struct row_key key = row_key_text(destination);
	struct row_destination row;
	struct bytes value;

	*kept = 0;
	if (store_read_begin(store) == -1)
		return -1;
	if (store_get(store, STORE_DESTINATION, &key, &value) == 0 &&
	    row_destination_decode(&row, value.data, value.length) == 0)
		*kept = row.held + row.failed;
	store_read_end(store);
	return 0;
}

/* -- One message ---------------------------------------------------------- */

int
query_message(uint64_t id,
    void (*each)(uint64_t id, const struct row_message *, void *),
    void *context)
{
	struct row_message row;
	int result;

	if (store_read_begin(store) == -1)
		return -1;
	result = read_message(id, &row);
	if (result == 0)
		each(id, &row, context);
	store_read_end(store);
	return result;
}

int
query_content(uint64_t id)
{
	struct row_message row;
	int fd = -1;

	if (store_read_begin(store) == -1)
		return -1;
	if (read_message(id, &row) == 0)
		fd = store_content_load(store, id, &row);
	store_read_end(store);
	if (fd == -1 && errno == EBADMSG) {
		log_error("content-unreadable id=%s", id_format(id).text);
		errno = EIO;
	}
	return fd;
}

/* -- History -------------------------------------------------------------- */

/* What the client gave is in the first row, for all recipients. One of schema 1
 * has a sender of its own, or in any case words. */
static void
add_client(uint64_t id, uint32_t number, struct row_event *event)
{
	struct row_key key = row_key_number(id, 0);
	struct row_event first;
	struct bytes value;

	if (event->what != EVENT_ACCEPTED || number == 0 ||
	    event->protocol != 0 || event->detail[0] != '\0' ||
	    store_get(store, STORE_EVENT, &key, &value) == -1 ||
	    row_event_decode(&first, value.data, value.length) == -1)
		return;
	event->sender = first.sender;
	event->host = first.host;
	event->peer = first.peer;
	event->tls_version = first.tls_version;
	event->tls_cipher = first.tls_cipher;
	event->helo = first.helo;
	event->user = first.user;
	event->protocol = first.protocol;
	event->size = first.size;
	event->config = first.config;
}

static bool
give_event(uint64_t id, uint32_t number, struct row_event *event,
    bool (*each)(uint64_t id, const struct row_event *, void *), void *context)
{
	add_client(id, number, event);
	return each(id, event, context);
}

static int
walk_events(uint64_t id, uint32_t *place, unsigned int most,
    bool (*each)(uint64_t id, const struct row_event *, void *), void *context)
{
	struct row_key from = row_key_number(id, *place);
	struct bytes key, value;
	int found = store_seek(store, STORE_EVENT, &from, &key, &value);

	for (; found == 0;
	     found = store_next(store, STORE_EVENT, &key, &value)) {
		struct row_event event;
		uint64_t of;

		if (row_key_number_read(key.data, key.length, &of, place) == -1)
			continue;
		if (of != id)
			return 0;
		if (most-- == 0)
			return 1;
		if (row_event_decode(&event, value.data, value.length) == -1)
			log_error("event-damaged id=%s number=%u",
			    id_format(id).text, *place);
		else if (!give_event(id, *place, &event, each, context))
			return 1;
	}
	return errno == ENOENT ? 0 : -1;
}

int
query_events(uint64_t id, uint32_t *place, unsigned int most,
    bool (*each)(uint64_t id, const struct row_event *, void *), void *context)
{
	int result;

	if (store_read_begin(store) == -1)
		return -1;
	result = walk_events(id, place, most, each, context);
	store_read_end(store);
	return result;
}

static int
walk_ids(const char *address, uint64_t before, uint64_t *ids, unsigned int most)
{
	struct row_key end = row_key_address(address, before);
	struct bytes key, value;
	unsigned int count = 0;
	int found = store_seek_below(store, STORE_ADDRESS, &end, &key, &value);

	for (; count < most && found == 0 &&
	       row_key_address_begins(key.data, key.length, address);
	     found = store_back(store, STORE_ADDRESS, &key, &value))
		/* A damaged key hides nothing before it. */
		count += row_key_address_matches(
		    key.data, key.length, address, &ids[count]);
	return found == 0 || errno == ENOENT ? (int)count : -1;
}

int
query_ids(
    const char *address, uint64_t before, uint64_t *ids, unsigned int most)
{
	int result;

	if (store_read_begin(store) == -1)
		return -1;
	result = walk_ids(address, before, ids, most);
	store_read_end(store);
	return result;
}

/* -- Acts ----------------------------------------------------------------- */

int
query_act(enum ctl_verb verb, uint64_t id, uint32_t number, uint32_t uid,
    void (*done)(int result, void *context), void *context)
{
	return commit_verb(verb, id, number, uid, done, context);
}

void
query_forget(void *context)
{
	commit_forget_context(context);
}
