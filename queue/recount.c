#include "queue/recount.h"

#include <errno.h>
#include <string.h>

#include "queue/store.h"

int
recount_recipients(struct store *store, const char *destination,
    uint64_t counts[RECIPIENT_STATES])
{
	struct row_key start = row_key_number(0, 0);
	struct bytes key, value;
	int found = store_seek(store, STORE_RECIPIENT, &start, &key, &value);

	memset(counts, 0, RECIPIENT_STATES * sizeof(*counts));
	for (; found == 0;
	     found = store_next(store, STORE_RECIPIENT, &key, &value)) {
		struct row_recipient row;

		if (row_recipient_decode(&row, value.data, value.length) == 0 &&
		    (destination == NULL ||
			strcmp(row.destination, destination) == 0))
			counts[row.state]++;
	}
	return errno == ENOENT ? 0 : -1;
}
