#include "queue/destination_mend.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/log.h"
#include "queue/recount.h"
#include "queue/store.h"

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
	uint64_t counts[RECIPIENT_STATES];

	*row = (struct row_destination){ .reply = "" };
	if (recount_recipients(store, name, counts) == -1 ||
	    find_wake(row, store, name) == -1)
		return -1;
	row->waiting = counts[RECIPIENT_WAITING];
	row->held = counts[RECIPIENT_HELD];
	row->failed = counts[RECIPIENT_FAILED];
	log_error("destination-mended destination=%s waiting=%" PRIu64
		  " held=%" PRIu64 " failed=%" PRIu64,
	    log_text(name), row->waiting, row->held, row->failed);
	return 0;
}
