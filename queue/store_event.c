#include "queue/store_event.h"

#include <errno.h>
#include <string.h>

#include "common/id.h"
#include "common/mail.h"
#include "queue/store.h"

static int
put_event(struct store *store, uint64_t id, uint32_t number,
    const struct row_event *event)
{
	struct row_key key = row_key_number(id, number);
	uint8_t value[ROW_VALUE_SIZE];
	size_t length = row_event_encode(event, value);

	if (length == 0) {
		errno = EMSGSIZE;
		return -1;
	}
	return store_put(store, STORE_EVENT, &key, value, length);
}

/* The last event of a message. ENOENT if it has none. */
static int
find_last(
    struct store *store, uint64_t id, uint32_t *number, struct bytes *value)
{
	struct row_key after = row_key_number(id + 1, 0);
	struct bytes key;
	uint64_t of = 0; /* no message's */
	int found = store_seek_below(store, STORE_EVENT, &after, &key, value);

	/* A damaged key is nobody's, and hides nothing. */
	while (found == 0 &&
	       row_key_number_read(key.data, key.length, &of, number) == -1)
		found = store_back(store, STORE_EVENT, &key, value);
	if (found == -1 || of == id)
		return found;
	errno = ENOENT;
	return -1;
}

/* May it be left out among very many? What began or ended a recipient, and
 * what its sender was told, may not: there are few of them. */
static bool
is_dispensable(enum event_kind what)
{
	switch (what) {
	case EVENT_DEFERRED:
	case EVENT_HELD:
	case EVENT_RELEASED:
	case EVENT_RETRIED:
	case EVENT_TRIED:
		return true;
	case EVENT_ACCEPTED:
	case EVENT_DELIVERED:
	case EVENT_FAILED:
	case EVENT_REMOVED:
	case EVENT_BOUNCED:
	case EVENT_WARNED:
	case EVENT_EXPIRED:
	case EVENT_REDIRECTED:
	case EVENT_KINDS:
		break;
	}
	return false;
}

/* Has the message more events than it may have? One that has just gone has
 * its last ones. */
static bool
is_full(struct store *store, uint64_t id, uint32_t count)
{
	struct row_key key = row_key_id(id);
	struct row_message message;
	struct bytes value;
	uint32_t recipients = 1;

	if (count < LIMIT_EVENTS ||
	    store_get(store, STORE_MESSAGE, &key, &value) == -1)
		return false;
	if (row_message_decode(&message, value.data, value.length) == 0)
		recipients = message.recipients;
	return count >= LIMIT_EVENTS + recipients * LIMIT_EVENTS_A_RECIPIENT;
}

/* Puts the event in the place of the last one: 1 if it did. */
static int
replace_last(struct store *store, uint64_t id, uint32_t number,
    struct bytes value, const struct row_event *event)
{
	struct row_event last, next = *event;

	if (!is_dispensable((enum event_kind)event->what) ||
	    row_event_decode(&last, value.data, value.length) == -1 ||
	    !is_dispensable((enum event_kind)last.what) ||
	    !is_full(store, id, number + 1))
		return 0;
	next.dropped = last.dropped + 1;
	return put_event(store, id, number, &next) == -1 ? -1 : 1;
}

int
store_event_add(struct store *store, uint64_t id, const struct row_event *event)
{
	struct bytes value;
	uint32_t number;
	int replaced;

	if (find_last(store, id, &number, &value) == -1)
		return errno == ENOENT ? put_event(store, id, 0, event) : -1;
	replaced = replace_last(store, id, number, value, event);
	if (replaced != 0)
		return replaced == 1 ? 0 : -1;
	return put_event(store, id, number + 1, event);
}

static int
index_address(struct store *store, const char *address, uint64_t id)
{
	struct row_key key;

	if (address == NULL || address[0] == '\0')
		return 0;
	key = row_key_address(address, id);
	return store_put(store, STORE_ADDRESS, &key, "", 0);
}

int
store_event_accepted(struct store *store, uint64_t id, uint32_t number,
    const struct row_event *event)
{
	if (put_event(store, id, number, event) == -1 ||
	    index_address(store, event->address, id) == -1)
		return -1;
	if (number == 0 && index_address(store, event->sender, id) == -1)
		return -1;
	if (strcmp(event->original, event->address) == 0)
		return 0;
	return index_address(store, event->original, id);
}

int
store_event_restore(struct store *store, uint64_t id, uint32_t number,
    const struct row_event *event)
{
	if (event->what == EVENT_ACCEPTED)
		return store_event_accepted(store, id, number, event);
	return put_event(store, id, number, event);
}

/* The id of the next event row that has one, and not below this place. */
static int
next_id(struct store *store, int found, uint64_t from, struct bytes key,
    struct bytes value, uint64_t *id)
{
	uint32_t number;

	while (found == 0 &&
	       (row_key_number_read(key.data, key.length, id, &number) == -1 ||
		   *id < from))
		found = store_next(store, STORE_EVENT, &key, &value);
	return found;
}

/* The id of the first event row that is not below this place. A row that a
 * disk has put out of order leads neither back nor beyond those behind it. */
static int
seek_id(struct store *store, uint64_t from, uint64_t *id)
{
	struct row_key start = row_key_number(from, 0);
	struct bytes key, value;
	uint64_t ahead = 0;
	int found = store_seek(store, STORE_EVENT, &start, &key, &value);

	if (next_id(store, found, from, key, value, id) == -1)
		return -1;
	for (;;) {
		found = store_next(store, STORE_EVENT, &key, &value);
		found = next_id(store, found, from, key, value, &ahead);
		if (found == -1)
			return errno == ENOENT ? 0 : -1;
		if (ahead >= *id)
			return 0;
		*id = ahead;
	}
}

/* 1: nothing has happened to it since `before`, and it is gone. A row that
 * does not decode is as old as its message. */
static int
is_forgotten(struct store *store, uint64_t id, uint64_t before)
{
	struct row_key key = row_key_id(id);
	struct row_event event;
	struct bytes value;
	uint32_t number;

	if (store_get(store, STORE_MESSAGE, &key, &value) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	/* One that no search finds again stays. */
	if (find_last(store, id, &number, &value) == -1)
		return errno == ENOENT ? 0 : -1;
	if (row_event_decode(&event, value.data, value.length) == -1)
		return 1;
	return event.time < before ? 1 : 0;
}

int
store_event_purge_seek(struct store *store, struct store_event_purge *purge,
    uint64_t before, unsigned int most)
{
	for (unsigned int i = 0; i < most; i++) {
		uint64_t id = 0;
		int forgotten;

		if (seek_id(store, purge->after + 1, &id) == -1) {
			if (errno != ENOENT)
				return -1;
			purge->after = 0;
			return 0;
		}
		if (id_time(id) >= before) {
			purge->after = 0;
			return 0;
		}
		forgotten = is_forgotten(store, id, before);
		if (forgotten != 0)
			return forgotten;
		purge->after = id;
	}
	return 0;
}

static int
unindex_address(struct store *store, const char *address, uint64_t id)
{
	struct row_key key = row_key_address(address, id);

	if (address[0] == '\0' || store_delete(store, STORE_ADDRESS, &key) == 0)
		return 0;
	return errno == ENOENT ? 0 : -1;
}

static int
unindex_event(struct store *store, uint64_t id, struct bytes value)
{
	uint8_t copy[ROW_VALUE_SIZE];
	struct row_event event;

	if (value.length > sizeof(copy))
		return 0;
	memcpy(copy, value.data, value.length);
	if (row_event_decode(&event, copy, value.length) == -1 ||
	    event.what != EVENT_ACCEPTED)
		return 0;
	if (unindex_address(store, event.sender, id) == -1 ||
	    unindex_address(store, event.original, id) == -1)
		return -1;
	return unindex_address(store, event.address, id);
}

/* Deletes the events of one message, at most `left` of them. 1 if none is
 * left behind. */
static int
forget(struct store *store, uint64_t id, unsigned int *left)
{
	struct row_key from = row_key_number(id, 0);
	struct bytes key, value;
	int found = store_seek(store, STORE_EVENT, &from, &key, &value);

	for (; found == 0;
	     found = store_next(store, STORE_EVENT, &key, &value)) {
		uint64_t of;
		uint32_t number;

		if (row_key_number_read(key.data, key.length, &of, &number) ==
		    -1)
			continue;
		if (of != id)
			return 1;
		if (*left == 0)
			return 0;
		--*left;
		if (unindex_event(store, id, value) == -1 ||
		    store_delete_here(store, STORE_EVENT) == -1)
			return -1;
	}
	return errno == ENOENT ? 1 : -1;
}

int
store_event_purge(struct store *store, struct store_event_purge *purge,
    uint64_t before, unsigned int most)
{
	int forgotten = 0;

	while (most > 0) {
		int found = store_event_purge_seek(store, purge, before, most);
		unsigned int left = most;
		uint64_t id = 0;

		if (found == -1)
			return -1;
		if (found == 0)
			return forgotten;
		if (seek_id(store, purge->after + 1, &id) == -1)
			return -1;
		found = forget(store, id, &left);
		if (found == -1)
			return -1;
		forgotten += found;
		/* Nor does one stop us that is seen and cannot be found. */
		if (left == most)
			purge->after = id;
		most = left;
	}
	return forgotten;
}
