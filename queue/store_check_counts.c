/*
 * Do the destinations count as many recipients as there are? A count for each
 * would be memory that grows with the store. So both sides are summed up by
 * bucket and compared; only if they differ are the recipients of a destination
 * counted one by one.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <xxhash.h>

#include "common/mail.h"
#include "queue/store_check_private.h"

/* Each costs a walk over all recipients. */
#define RECOUNTS_MOST 100

static uint64_t *
bucket_of(struct check *c, const char *destination)
{
	return &c->buckets[XXH3_64bits(destination, strlen(destination)) %
			   CHECK_BUCKETS];
}

static uint64_t
weight(const char *destination, unsigned int state)
{
	return XXH3_64bits_withSeed(
	    destination, strlen(destination), state + UINT64_C(1));
}

void
check_count(struct check *c, const char *destination, unsigned int state)
{
	*bucket_of(c, destination) += weight(destination, state);
}

void
check_claim(struct check *c, const char *destination, unsigned int state,
    uint64_t count)
{
	*bucket_of(c, destination) -= weight(destination, state) * count;
}

static void
recount(struct check *c, const char *name, uint64_t *counts)
{
	struct row_key start = row_key_number(0, 0);
	struct bytes key, value;
	int found = store_seek(c->store, STORE_RECIPIENT, &start, &key, &value);

	for (; found == 0;
	     found = store_next(c->store, STORE_RECIPIENT, &key, &value)) {
		struct row_recipient row;

		if (row_recipient_decode(&row, value.data, value.length) == 0 &&
		    row.state != RECIPIENT_DELIVERED &&
		    strcmp(row.destination, name) == 0)
			counts[row.state]++;
	}
}

static void
compare(struct check *c, const char *name, const struct row_destination *row)
{
	const uint64_t claims[RECIPIENT_STATES] = {
		[RECIPIENT_WAITING] = row->waiting,
		[RECIPIENT_HELD] = row->held,
		[RECIPIENT_FAILED] = row->failed,
	};
	uint64_t counts[RECIPIENT_STATES] = { 0 };

	recount(c, name, counts);
	for (unsigned int i = 0; i < RECIPIENT_STATES; i++)
		if (counts[i] != claims[i])
			check_fault(c, STORE_DESTINATION, 0, -1, name,
			    "it should have %" PRIu64 " %s recipients and has "
			    "%" PRIu64,
			    claims[i], recipient_state_name(i), counts[i]);
}

static void
look_again(struct check *c, struct bytes key, struct bytes value)
{
	char name[LIMIT_DESTINATION + 1];
	struct row_destination row;

	if (key.length > LIMIT_DESTINATION ||
	    row_destination_decode(&row, value.data, value.length) == -1)
		return;
	memcpy(name, key.data, key.length);
	name[key.length] = '\0';
	if (*bucket_of(c, name) == 0)
		return;
	if (c->recounts++ < RECOUNTS_MOST)
		compare(c, name, &row);
	else if (c->recounts == RECOUNTS_MOST + 1)
		check_fault(c, STORE_DESTINATION, 0, -1, name,
		    "there are more whose recipients are not as many as they "
		    "should be");
}

void
check_counts(struct check *c)
{
	struct row_key start = { .length = 1 };
	struct bytes key, value;
	bool all_agree = true;
	int found;

	for (size_t i = 0; i < CHECK_BUCKETS; i++)
		all_agree = all_agree && c->buckets[i] == 0;
	if (all_agree)
		return;
	found = store_seek(c->store, STORE_DESTINATION, &start, &key, &value);
	for (; found == 0;
	     found = store_next(c->store, STORE_DESTINATION, &key, &value))
		look_again(c, key, value);
}

static void
compare_total(
    struct check *c, const char *what, uint64_t claimed, uint64_t counted)
{
	if (claimed != counted)
		check_fault(c, STORE_META, 0, -1, "totals",
		    "there should be %" PRIu64 " %s and there are %" PRIu64,
		    claimed, what, counted);
}

void
check_totals(struct check *c)
{
	const struct row_totals *found = &c->asked->totals;
	struct row_key key = row_key_text("totals");
	struct row_totals row = { .messages = 0 };
	struct bytes value;

	/* They are written when the first message comes. */
	if (store_get(c->store, STORE_META, &key, &value) == 0 &&
	    row_totals_decode(&row, value.data, value.length) == -1) {
		check_fault(
		    c, STORE_META, 0, -1, "totals", "the row is damaged");
		return;
	}
	compare_total(c, "messages", row.messages, found->messages);
	compare_total(c, "octets", row.bytes, found->bytes);
	compare_total(c, "waiting recipients", row.waiting, found->waiting);
	compare_total(c, "held recipients", row.held, found->held);
	compare_total(c, "failed recipients", row.failed, found->failed);
}
