#include "queue/lifecycle_rows.h"

#include <errno.h>
#include <string.h>

#include "queue/destination.h"
#include "queue/lifecycle.h"
#include "queue/store.h"
#include "queue/totals_mend.h"

static int
put_row(struct store *store, enum store_table table, const struct row_key *key,
    const uint8_t *value, size_t length)
{
	if (length > 0)
		return store_put(store, table, key, value, length);
	errno = EMSGSIZE;
	return -1;
}

struct destination *
rows_open_destination(struct lifecycle *l, const char *name)
{
	struct destination *d =
	    destination_open(l->destinations, l->store, name);

	if (d != NULL)
		destination_change(l->destinations, d);
	return d;
}

int
rows_load_recipient(
    struct lifecycle *l, uint64_t id, uint32_t number, struct recipient *r)
{
	struct row_key key = row_key_number(id, number);
	struct bytes value;

	if (store_get(l->store, STORE_RECIPIENT, &key, &value) == -1)
		return -1;
	if (value.length > sizeof(r->octets)) {
		errno = EBADMSG;
		return -1;
	}
	memcpy(r->octets, value.data, value.length);
	if (row_recipient_decode(&r->row, r->octets, value.length) == -1)
		return -1;
	r->id = id;
	r->number = number;
	r->destination = rows_open_destination(l, r->row.destination);
	return r->destination == NULL ? -1 : 0;
}

int
rows_save_recipient(struct lifecycle *l, const struct recipient *r)
{
	struct row_key key = row_key_number(r->id, r->number);
	uint8_t value[ROW_VALUE_SIZE];
	size_t length = row_recipient_encode(&r->row, value);

	return put_row(l->store, STORE_RECIPIENT, &key, value, length);
}

int
rows_have_recipients(struct lifecycle *l, uint64_t id)
{
	struct row_key from = row_key_number(id, 0);
	struct bytes key, value;
	uint64_t of;

	if (store_seek(l->store, STORE_RECIPIENT, &from, &key, &value) == -1)
		return errno == ENOENT ? 0 : -1;
	/* Also one whose number is damaged, or others behind that, are there:
	 * who deletes the message for want of recipients must be sure. */
	return key.length >= 8 && row_key_id_read(key.data, 8, &of) == 0 &&
	       of == id;
}

int
rows_load_message(
    struct lifecycle *l, uint64_t id, struct row_message *row, uint8_t *octets)
{
	struct row_key key = row_key_id(id);
	struct bytes value;

	if (store_get(l->store, STORE_MESSAGE, &key, &value) == -1)
		return -1;
	if (value.length > ROW_VALUE_SIZE) {
		errno = EBADMSG;
		return -1;
	}
	memcpy(octets, value.data, value.length);
	return row_message_decode(row, octets, value.length);
}

int
rows_save_message(
    struct lifecycle *l, uint64_t id, const struct row_message *row)
{
	struct row_key key = row_key_id(id);
	uint8_t value[ROW_VALUE_SIZE];
	size_t length = row_message_encode(row, value);

	return put_row(l->store, STORE_MESSAGE, &key, value, length);
}

int
rows_put_report(struct lifecycle *l, uint64_t time, uint64_t id)
{
	struct row_key key = row_key_report(time, id);

	l->reports_changed = true;
	return store_put(l->store, STORE_REPORT, &key, "", 0);
}

int
rows_delete_report(struct lifecycle *l, uint64_t time, uint64_t id)
{
	struct row_key key = row_key_report(time, id);

	if (store_delete(l->store, STORE_REPORT, &key) == -1)
		return errno == ENOENT ? 0 : -1;
	return 0;
}

/* -- How many there are -------------------------------------------------- */

static void
count(uint64_t *total, uint64_t *local, int by)
{
	/* A damaged count is not made absurd. */
	if (by > 0 || *total > 0)
		*total += (uint64_t)(int64_t)by;
	if (by > 0 || *local > 0)
		*local += (uint64_t)(int64_t)by;
}

void
rows_count(struct lifecycle *l, const struct recipient *r, int by)
{
	struct row_destination *d = &r->destination->row;

	switch ((enum recipient_state)r->row.state) {
	case RECIPIENT_WAITING:
		count(&l->totals.waiting, &d->waiting, by);
		break;
	case RECIPIENT_HELD:
		count(&l->totals.held, &d->held, by);
		break;
	case RECIPIENT_FAILED:
		count(&l->totals.failed, &d->failed, by);
		break;
	case RECIPIENT_DELIVERED: /* for seconds; nobody counts them */
	case RECIPIENT_STATES:
		break;
	}
}

int
lifecycle_begin(struct lifecycle *l)
{
	struct row_key key = row_key_text("totals");
	struct bytes value;
	uint64_t messages;

	memset(&l->totals, 0, sizeof(l->totals));
	if (store_get(l->store, STORE_META, &key, &value) == -1) {
		if (errno != ENOENT)
			return -1;
		/* They are written when the first message comes. */
		if (store_rows(l->store, STORE_MESSAGE, &messages) == -1)
			return -1;
		return messages == 0 ? 0 : totals_mend(&l->totals, l->store);
	}
	if (row_totals_decode(&l->totals, value.data, value.length) == 0)
		return 0;
	return totals_mend(&l->totals, l->store);
}

int
lifecycle_write_totals(struct lifecycle *l, const struct row_totals *before)
{
	struct row_key key = row_key_text("totals");
	uint8_t value[ROW_VALUE_SIZE];

	if (memcmp(before, &l->totals, sizeof(*before)) == 0)
		return 0;
	return store_put(l->store, STORE_META, &key, value,
	    row_totals_encode(&l->totals, value));
}
