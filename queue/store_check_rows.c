#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <bsd/string.h>

#include "common/mail.h"
#include "queue/destination_name.h"
#include "queue/pause.h"
#include "queue/store_check_private.h"

/* So many of a message's events are searched for an address. */
#define EVENTS_SEARCHED 128

#define READABLE(decode, row, value) \
	(decode((row), (value).data, (value).length) == 0)

static const char *
name_of_key(struct bytes key, char *name)
{
	size_t length =
	    key.length < LIMIT_DESTINATION ? key.length : LIMIT_DESTINATION;

	memcpy(name, key.data, length);
	name[length] = '\0';
	return name;
}

/* -- Messages ------------------------------------------------------------- */

static uint32_t
recipients_of(struct check *c, uint64_t id)
{
	struct row_key from = row_key_number(id, 0);
	struct bytes key, value;
	uint32_t count = 0, number;
	uint64_t of;
	int found = store_seek(c->store, STORE_RECIPIENT, &from, &key, &value);

	for (; found == 0 &&
	       row_key_number_read(key.data, key.length, &of, &number) == 0 &&
	       of == id;
	     found = store_next(c->store, STORE_RECIPIENT, &key, &value))
		count++;
	return count;
}

void
check_message(struct check *c, struct bytes key, struct bytes value)
{
	struct row_message row;
	struct row_key event;
	uint64_t id;
	uint32_t open;

	if (row_key_id_read(key.data, key.length, &id) == -1) {
		check_fault_key(c, STORE_MESSAGE, key);
		return;
	}
	c->asked->totals.messages++;
	if (!READABLE(row_message_decode, &row, value)) {
		check_fault(c, STORE_MESSAGE, id, -1, "", "the row is damaged");
		return;
	}
	c->asked->totals.bytes += row.size;
	open = recipients_of(c, id);
	if (open != row.open)
		check_fault(c, STORE_MESSAGE, id, -1, "",
		    "it should have %" PRIu32 " recipients and has %" PRIu32,
		    row.open, open);
	else if (open == 0)
		check_fault(c, STORE_MESSAGE, id, -1, "",
		    "it has no recipients and is still here");
	/* The history is not forgotten before the message is gone. */
	event = row_key_number(id, 0);
	if (!check_exists(c, STORE_EVENT, &event))
		check_fault(c, STORE_MESSAGE, id, -1, "",
		    "its history has no beginning");
}

/* Is there such a message, and how many recipients did it come with? 1 if its
 * row cannot be read. Recipients and chunks come in order: it is looked for
 * once. */
static int
find_message(struct check *c, uint64_t id)
{
	struct row_key key = row_key_id(id);
	struct row_message row;
	struct bytes value;

	if (c->last == id)
		return c->last_found;
	c->last = id;
	c->last_found = -1;
	c->last_recipients = UINT32_MAX;
	if (store_get(c->store, STORE_MESSAGE, &key, &value) == -1)
		return -1;
	c->last_found = 1;
	if (READABLE(row_message_decode, &row, value)) {
		c->last_found = 0;
		c->last_recipients = row.recipients;
	}
	return c->last_found;
}

void
check_content_key(struct check *c, struct bytes key, struct bytes value)
{
	uint64_t id;
	uint32_t chunk;

	(void)value;
	if (row_key_number_read(key.data, key.length, &id, &chunk) == -1)
		check_fault_key(c, STORE_CONTENT, key);
	else if (find_message(c, id) == -1)
		check_fault(c, STORE_CONTENT, id, chunk, "",
		    "its message is not there");
}

/* -- Recipients ----------------------------------------------------------- */

static void
check_recipient_row(struct check *c, uint64_t id, uint32_t number,
    const struct row_recipient *row)
{
	struct row_place place = { row->due, id, number };
	struct row_key due = row_key_due(row->destination, &place);
	struct row_key destination = row_key_text(row->destination);
	bool waits = row->state == RECIPIENT_WAITING;

	check_is_told(c, id, number, row);
	if (waits && !check_exists(c, STORE_DUE, &due))
		check_fault(c, STORE_RECIPIENT, id, number, row->destination,
		    "it waits and is not in the due index: it is never tried");
	if (!waits && check_exists(c, STORE_DUE, &due))
		check_fault(c, STORE_RECIPIENT, id, number, row->destination,
		    "it does not wait and is in the due index");
	/* A destination does not count what has arrived there. */
	if (row->state == RECIPIENT_DELIVERED)
		return;
	if (check_exists(c, STORE_DESTINATION, &destination))
		check_count(c, row->destination, row->state);
	else
		check_fault(c, STORE_RECIPIENT, id, number, row->destination,
		    "its destination has no row");
	c->asked->totals.waiting += waits;
	c->asked->totals.held += row->state == RECIPIENT_HELD;
	c->asked->totals.failed += row->state == RECIPIENT_FAILED;
}

void
check_recipient(struct check *c, struct bytes key, struct bytes value)
{
	struct row_recipient row;
	uint64_t id;
	uint32_t number;

	if (row_key_number_read(key.data, key.length, &id, &number) == -1) {
		check_fault_key(c, STORE_RECIPIENT, key);
		return;
	}
	if (find_message(c, id) == -1)
		check_fault(c, STORE_RECIPIENT, id, number, "",
		    "its message is not there");
	else if (number >= c->last_recipients)
		check_fault(c, STORE_RECIPIENT, id, number, "",
		    "the message has only %" PRIu32 " recipients",
		    c->last_recipients);
	if (READABLE(row_recipient_decode, &row, value))
		check_recipient_row(c, id, number, &row);
	else
		check_fault(
		    c, STORE_RECIPIENT, id, number, "", "the row is damaged");
}

void
check_due(struct check *c, struct bytes key, struct bytes value)
{
	struct row_recipient row;
	struct row_key recipient;
	struct row_place place;
	const char *name;
	struct bytes found;

	(void)value;
	if (row_key_due_read(key.data, key.length, &name, &place) == -1) {
		check_fault_key(c, STORE_DUE, key);
		return;
	}
	recipient = row_key_number(place.id, place.number);
	if (store_get(c->store, STORE_RECIPIENT, &recipient, &found) == -1)
		check_fault(c, STORE_DUE, place.id, place.number, name,
		    "its recipient is not there");
	else if (READABLE(row_recipient_decode, &row, found) &&
		 (strcmp(row.destination, name) != 0 || row.due != place.time))
		check_fault(c, STORE_DUE, place.id, place.number, name,
		    "its recipient is due elsewhere or at another time");
}

/* -- Destinations --------------------------------------------------------- */

/* When; false: nothing is. */
static bool
first_due(struct check *c, const char *destination, uint64_t *time)
{
	static const struct row_place start = { 0, 0, 0 };
	struct row_key from = row_key_due(destination, &start);
	struct row_place place;
	struct bytes key, value;
	const char *name;

	if (store_seek(c->store, STORE_DUE, &from, &key, &value) == -1 ||
	    row_key_due_read(key.data, key.length, &name, &place) == -1 ||
	    strcmp(name, destination) != 0)
		return false;
	*time = place.time;
	return true;
}

/* A time that has passed is as good as any other. */
static void
check_wake_of(
    struct check *c, const char *name, const struct row_destination *row)
{
	struct row_key wake = row_key_wake(row->wake, name);
	uint64_t due = 0, wanted;
	bool is_due = first_due(c, name, &due);

	if (row->wake == 0) {
		if (is_due)
			check_fault(c, STORE_DESTINATION, 0, -1, name,
			    "it has mail that is due and is never woken");
		return;
	}
	if (!check_exists(c, STORE_WAKE, &wake))
		check_fault(c, STORE_DESTINATION, 0, -1, name,
		    "it is not in the wake index: it is never woken");
	if (!is_due) {
		check_fault(c, STORE_DESTINATION, 0, -1, name,
		    "it is woken and has no mail that is due");
		return;
	}
	wanted = due > row->backoff_until ? due : row->backoff_until;
	if (row->wake > wanted && row->wake > c->asked->now)
		check_fault(c, STORE_DESTINATION, 0, -1, name,
		    "it is woken %" PRIu64 " s too late", row->wake - wanted);
}

/* It must be as all that know it write it. */
static void
check_name(struct check *c, enum store_table table, const char *name)
{
	char as_written[LIMIT_DESTINATION + 1];

	if (destination_parse(name, as_written) == -1 ||
	    strcmp(as_written, name) != 0)
		check_fault(
		    c, table, 0, -1, name, "no mail can be for such a name");
}

/* The schema and the totals are looked at by themselves. */
void
check_meta(struct check *c, struct bytes key, struct bytes value)
{
	char name[LIMIT_DESTINATION + 1];

	(void)value;
	if (pause_read_key(key, name)) {
		if (name[0] != '\0')
			check_name(c, STORE_META, name);
		return;
	}
	name_of_key(key, name);
	if (strlen(name) != key.length ||
	    (strcmp(name, "schema") != 0 && strcmp(name, "totals") != 0))
		check_fault_key(c, STORE_META, key);
}

void
check_destination(struct check *c, struct bytes key, struct bytes value)
{
	char name[LIMIT_DESTINATION + 1];
	struct row_destination row;

	if (key.length > LIMIT_DESTINATION ||
	    memchr(key.data, '\0', key.length) != NULL) {
		check_fault_key(c, STORE_DESTINATION, key);
		return;
	}
	name_of_key(key, name);
	check_name(c, STORE_DESTINATION, name);
	if (!READABLE(row_destination_decode, &row, value)) {
		check_fault(
		    c, STORE_DESTINATION, 0, -1, name, "the row is damaged");
		return;
	}
	check_claim(c, name, RECIPIENT_WAITING, row.waiting);
	check_claim(c, name, RECIPIENT_HELD, row.held);
	check_claim(c, name, RECIPIENT_FAILED, row.failed);
	if (row.waiting == 0 && row.held == 0 && row.failed == 0)
		check_fault(c, STORE_DESTINATION, 0, -1, name,
		    "it has no recipients and is still here");
	check_wake_of(c, name, &row);
}

void
check_wake(struct check *c, struct bytes key, struct bytes value)
{
	char name[LIMIT_DESTINATION + 1];
	struct row_destination row;
	struct row_key destination;
	struct bytes found;
	uint64_t time;

	(void)value;
	if (row_key_wake_read(key.data, key.length, &time, name) == -1) {
		check_fault_key(c, STORE_WAKE, key);
		return;
	}
	destination = row_key_text(name);
	if (store_get(c->store, STORE_DESTINATION, &destination, &found) == -1)
		check_fault(
		    c, STORE_WAKE, 0, -1, name, "its destination is not there");
	else if (READABLE(row_destination_decode, &row, found) &&
		 row.wake != time)
		check_fault(c, STORE_WAKE, 0, -1, name,
		    "its destination is woken at another time");
}

/* -- History -------------------------------------------------------------- */

static void
check_indexed(
    struct check *c, uint64_t id, uint32_t number, const char *address)
{
	struct row_key key = row_key_address(address, id);

	if (address[0] != '\0' && !check_exists(c, STORE_ADDRESS, &key))
		check_fault(c, STORE_EVENT, id, number, address,
		    "the address does not find it");
}

/* It is forgotten from its beginning on: there are no gaps behind that. */
static void
check_sequence(struct check *c, uint64_t id, uint32_t number)
{
	if (c->event_id == id && number != c->event_number + 1)
		check_fault(c, STORE_EVENT, id, number, "",
		    "events before it are missing");
	if (c->event_id != id)
		c->event_whole = number == 0;
	c->event_id = id;
	c->event_number = number;
}

void
check_event(struct check *c, struct bytes key, struct bytes value)
{
	struct row_event row;
	uint64_t id;
	uint32_t number;

	if (row_key_number_read(key.data, key.length, &id, &number) == -1) {
		check_fault_key(c, STORE_EVENT, key);
		return;
	}
	check_sequence(c, id, number);
	if (!READABLE(row_event_decode, &row, value)) {
		check_fault(
		    c, STORE_EVENT, id, number, "", "the row is damaged");
		return;
	}
	/* Of a history that is being forgotten the index goes first. */
	if (row.what != EVENT_ACCEPTED || !c->event_whole)
		return;
	check_indexed(c, id, number, row.address);
	if (number == 0)
		check_indexed(c, id, number, row.sender);
	if (strcmp(row.original, row.address) != 0)
		check_indexed(c, id, number, row.original);
}

/* Did the message come with this address? Of a long history only the
 * beginning is searched: no fault is found there. */
static bool
is_named(struct check *c, struct bytes address, uint64_t id)
{
	struct row_key from = row_key_number(id, 0);
	unsigned int most = EVENTS_SEARCHED;
	struct bytes key, value;
	int found = store_seek(c->store, STORE_EVENT, &from, &key, &value);

	for (; found == 0;
	     found = store_next(c->store, STORE_EVENT, &key, &value)) {
		struct row_event row;
		uint64_t of, matched;
		uint32_t number;

		if (row_key_number_read(key.data, key.length, &of, &number) ==
			-1 ||
		    of != id)
			return false;
		if (most-- == 0 || !READABLE(row_event_decode, &row, value))
			return true;
		if (row.what != EVENT_ACCEPTED)
			continue;
		if (row_key_address_matches(
			address.data, address.length, row.address, &matched) ||
		    row_key_address_matches(
			address.data, address.length, row.sender, &matched) ||
		    row_key_address_matches(
			address.data, address.length, row.original, &matched))
			return true;
	}
	return false;
}

void
check_address(struct check *c, struct bytes key, struct bytes value)
{
	char name[ROW_KEY_SIZE + 1];
	uint64_t id;

	(void)value;
	if (key.length < 10 || key.length > ROW_KEY_SIZE ||
	    memchr(key.data, '\0', key.length) != key.data + key.length - 9) {
		check_fault_key(c, STORE_ADDRESS, key);
		return;
	}
	strlcpy(name, (const char *)key.data, sizeof(name));
	if (row_key_id_read(key.data + key.length - 8, 8, &id) == -1)
		return;
	if (!is_named(c, key, id))
		check_fault(c, STORE_ADDRESS, id, -1, name,
		    "the message did not come with it");
}
