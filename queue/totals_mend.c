#include "queue/totals_mend.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/log.h"
#include "common/mail.h"
#include "queue/recount.h"
#include "queue/store.h"

static int
count_messages(struct row_totals *totals, struct store *store)
{
	struct row_key start = { .length = 1 };
	struct bytes key, value;
	int found = store_seek(store, STORE_MESSAGE, &start, &key, &value);

	for (; found == 0;
	     found = store_next(store, STORE_MESSAGE, &key, &value)) {
		struct row_message row;

		totals->messages++;
		if (row_message_decode(&row, value.data, value.length) == 0)
			totals->bytes += row.size;
	}
	return errno == ENOENT ? 0 : -1;
}

int
totals_mend(struct row_totals *totals, struct store *store)
{
	uint64_t counts[RECIPIENT_STATES];

	memset(totals, 0, sizeof(*totals));
	if (count_messages(totals, store) == -1 ||
	    recount_recipients(store, NULL, counts) == -1)
		return -1;
	totals->waiting = counts[RECIPIENT_WAITING];
	totals->held = counts[RECIPIENT_HELD];
	totals->failed = counts[RECIPIENT_FAILED];
	log_error("totals-mended messages=%" PRIu64 " bytes=%" PRIu64
		  " waiting=%" PRIu64 " held=%" PRIu64 " failed=%" PRIu64,
	    totals->messages, totals->bytes, totals->waiting, totals->held,
	    totals->failed);
	return 0;
}
