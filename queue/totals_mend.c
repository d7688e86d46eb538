#include "queue/totals_mend.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/log.h"
#include "common/mail.h"
#include "queue/store.h"

static void
count_message(struct row_totals *totals, struct bytes value)
{
	struct row_message row;

	totals->messages++;
	if (row_message_decode(&row, value.data, value.length) == 0)
		totals->bytes += row.size;
}

static void
count_recipient(struct row_totals *totals, struct bytes value)
{
	struct row_recipient row;

	if (row_recipient_decode(&row, value.data, value.length) == -1)
		return;
	totals->waiting += row.state == RECIPIENT_WAITING;
	totals->held += row.state == RECIPIENT_HELD;
	totals->failed += row.state == RECIPIENT_FAILED;
}

static int
count(struct row_totals *totals, struct store *store, enum store_table table,
    void (*each)(struct row_totals *, struct bytes value))
{
	struct row_key start = { .length = 1 };
	struct bytes key, value;
	int found = store_seek(store, table, &start, &key, &value);

	for (; found == 0; found = store_next(store, table, &key, &value))
		each(totals, value);
	return errno == ENOENT ? 0 : -1;
}

int
totals_mend(struct row_totals *totals, struct store *store)
{
	memset(totals, 0, sizeof(*totals));
	if (count(totals, store, STORE_MESSAGE, count_message) == -1 ||
	    count(totals, store, STORE_RECIPIENT, count_recipient) == -1)
		return -1;
	log_error("totals-mended messages=%" PRIu64 " bytes=%" PRIu64
		  " waiting=%" PRIu64 " held=%" PRIu64 " failed=%" PRIu64,
	    totals->messages, totals->bytes, totals->waiting, totals->held,
	    totals->failed);
	return 0;
}
