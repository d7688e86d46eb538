/* The transitions themselves, as the table in lifecycle_table.c has them: no
 * other file changes a state. */
#include "queue/lifecycle_step.h"

#include <errno.h>
#include <inttypes.h>

#include "common/id.h"
#include "common/log.h"
#include "queue/destination.h"
#include "queue/lifecycle_rows.h"
#include "queue/store.h"
#include "queue/store_content.h"

static int
leave_state(struct lifecycle *l, struct recipient *r)
{
	struct row_place place = { r->row.due, r->id, r->number };
	struct row_key key = row_key_due(r->row.destination, &place);

	rows_count(l, r, -1);
	if (r->row.state != RECIPIENT_WAITING)
		return 0;
	if (store_delete(l->store, STORE_DUE, &key) == -1 && errno != ENOENT)
		return -1;
	return 0;
}

int
lifecycle_enter_state(
    struct lifecycle *l, struct recipient *r, enum recipient_state state)
{
	struct row_place place = { r->row.due, r->id, r->number };
	struct row_key key = row_key_due(r->row.destination, &place);

	r->row.state = (uint8_t)state;
	rows_count(l, r, 1);
	if (rows_save_recipient(l, r) == -1)
		return -1;
	if (state != RECIPIENT_WAITING)
		return 0;
	destination_added(r->destination, &place);
	return store_put(l->store, STORE_DUE, &key, "", 0);
}

static int
delete_message(struct lifecycle *l, uint64_t id, uint64_t size)
{
	struct row_key key = row_key_id(id);

	if (l->totals.messages > 0)
		l->totals.messages--;
	l->totals.bytes -= size < l->totals.bytes ? size : l->totals.bytes;
	if (store_delete(l->store, STORE_MESSAGE, &key) == -1 &&
	    errno != ENOENT)
		return -1;
	return store_content_delete(l->store, id);
}

/* Only now, with the last recipient, does the message go. What it says of
 * itself may be damaged: it goes if there are none, and not before. */
static int
close_recipient(
    struct lifecycle *l, struct recipient *r, struct lifecycle_result *result)
{
	struct row_key key = row_key_number(r->id, r->number);
	uint8_t octets[ROW_VALUE_SIZE];
	struct row_message message = { .open = 0 };
	int more;

	if (store_delete(l->store, STORE_RECIPIENT, &key) == -1)
		return -1;
	more = rows_have_recipients(l, r->id);
	if (more == -1)
		return -1;
	if (rows_load_message(l, r->id, &message, octets) == -1) {
		if (errno != ENOENT && errno != EBADMSG)
			return -1;
		log_error("message-damaged id=%s", id_format(r->id).text);
		if (more == 1)
			return 0;
		message.size = 0;
	}
	if (more == 1) {
		message.open -= message.open > 1;
		return rows_save_message(l, r->id, &message);
	}
	result->message_gone = true;
	return delete_message(l, r->id, message.size);
}

int
lifecycle_take_step(struct lifecycle *l, struct recipient *r,
    enum lifecycle_step step, uint64_t due, struct lifecycle_result *result)
{
	if (step == LIFECYCLE_REFUSED)
		return 0;
	if (leave_state(l, r) == -1)
		return -1;
	r->row.due = due;
	switch (step) {
	case LIFECYCLE_TO_WAITING:
		return lifecycle_enter_state(l, r, RECIPIENT_WAITING);
	case LIFECYCLE_TO_HELD:
		return lifecycle_enter_state(l, r, RECIPIENT_HELD);
	case LIFECYCLE_TO_FAILED:
		return lifecycle_enter_state(l, r, RECIPIENT_FAILED);
	case LIFECYCLE_TO_DELIVERED:
		return lifecycle_enter_state(l, r, RECIPIENT_DELIVERED);
	case LIFECYCLE_TO_GONE:
		return close_recipient(l, r, result);
	case LIFECYCLE_REFUSED:
		break;
	}
	return 0;
}

int
lifecycle_note_absent(
    uint64_t id, uint32_t number, struct lifecycle_result *result)
{
	if (errno != ENOENT && errno != EBADMSG)
		return -1;
	if (errno == EBADMSG)
		log_error("recipient-damaged id=%s number=%" PRIu32,
		    id_format(id).text, number);
	result->applied = false;
	return 0;
}
