#include "queue/totals.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/log.h"
#include "queue/recount.h"
#include "queue/store.h"

static int
count_messages(struct row_totals *totals, struct store *store)
{
	struct row_key start = row_key_id(0);
	struct bytes key, value;
	int found = store_seek(store, STORE_MESSAGE, &start, &key, &value);

	for (; found == 0;
	     found = store_next(store, STORE_MESSAGE, &key, &value)) {
		struct row_message message;

		totals->messages++;
		if (row_message_decode(&message, value.data, value.length) == 0)
			totals->bytes += message.size;
	}
	return errno == ENOENT ? 0 : -1;
}

/* Walks over all of the store, which no other start does. */
static int
mend(struct row_totals *totals, struct store *store)
{
	uint64_t counts[RECIPIENT_STATES];

	memset(totals, 0, sizeof(*totals));
	if (count_messages(totals, store) == -1 ||
	    recount_recipients(store, NULL, counts) == -1)
		return -1;
	totals->waiting = counts[RECIPIENT_WAITING];
	totals->held = counts[RECIPIENT_HELD];
	totals->failed = counts[RECIPIENT_FAILED];
	log_error("totals-mended messages=%" PRIu64 " waiting=%" PRIu64
		  " held=%" PRIu64 " failed=%" PRIu64,
	    totals->messages, totals->waiting, totals->held, totals->failed);
	return 0;
}

int
totals_read(struct row_totals *totals, struct store *store)
{
	struct row_key key = row_key_text("totals");
	struct bytes value;

	memset(totals, 0, sizeof(*totals));
	if (store_get(store, STORE_META, &key, &value) == -1)
		return errno == ENOENT ? 0 : -1;
	if (row_totals_decode(totals, value.data, value.length) == 0)
		return 0;
	return mend(totals, store);
}

int
totals_write(const struct row_totals *totals, struct store *store)
{
	struct row_key key = row_key_text("totals");
	uint8_t value[ROW_VALUE_SIZE];

	return store_put(
	    store, STORE_META, &key, value, row_totals_encode(totals, value));
}
