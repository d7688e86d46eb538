#include "queue/destination_mend.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/log.h"
#include "common/mail.h"
#include "queue/store.h"

static void
count(struct row_destination *row, uint8_t state)
{
	switch ((enum recipient_state)state) {
	case RECIPIENT_WAITING:
		row->waiting++;
		break;
	case RECIPIENT_HELD:
		row->held++;
		break;
	case RECIPIENT_FAILED:
		row->failed++;
		break;
	case RECIPIENT_DELIVERED:
	case RECIPIENT_STATES:
		break;
	}
}

static int
count_recipients(
    struct row_destination *row, struct store *store, const char *name)
{
	struct row_key start = row_key_number(0, 0);
	struct bytes key, value;
	int found = store_seek(store, STORE_RECIPIENT, &start, &key, &value);

	for (; found == 0;
	     found = store_next(store, STORE_RECIPIENT, &key, &value)) {
		struct row_recipient recipient;

		if (row_recipient_decode(
			&recipient, value.data, value.length) == 0 &&
		    strcmp(recipient.destination, name) == 0)
			count(row, recipient.state);
	}
	return errno == ENOENT ? 0 : -1;
}

static int
find_wake(struct row_destination *row, struct store *store, const char *name)
{
	struct row_key start = row_key_wake(0, "");
	struct bytes key, value;
	char other[LIMIT_DESTINATION + 1];
	uint64_t time;
	int found = store_seek(store, STORE_WAKE, &start, &key, &value);

	for (; found == 0;
	     found = store_next(store, STORE_WAKE, &key, &value)) {
		if (row_key_wake_read(key.data, key.length, &time, other) ==
			-1 ||
		    strcmp(other, name) != 0)
			continue;
		row->wake = time;
		return 0;
	}
	return errno == ENOENT ? 0 : -1;
}

int
destination_mend(
    struct row_destination *row, struct store *store, const char *name)
{
	*row = (struct row_destination){ .reply = "" };
	if (count_recipients(row, store, name) == -1 ||
	    find_wake(row, store, name) == -1)
		return -1;
	log_error("destination-mended destination=%s waiting=%" PRIu64
		  " held=%" PRIu64 " failed=%" PRIu64,
	    log_text(name), row->waiting, row->held, row->failed);
	return 0;
}
