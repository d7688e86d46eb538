#include "queue/store_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue/store_check_private.h"
#include "queue/store_content.h"

/* One transaction of the content check: little enough that the queue's free
 * pages do not wait for long. */
#define SLICE_OCTETS (UINT64_C(16) * 1024 * 1024)
#define SLICE_MESSAGES 256

/* -- Saying so ------------------------------------------------------------ */

static void
report(struct store_check *c, const struct store_fault *fault)
{
	c->faults++;
	c->fault(fault, c->context);
}

void
check_fault(struct check *c, enum store_table table, uint64_t id,
    int64_t number, const char *name, const char *format, ...)
{
	char what[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	report(c->asked, &(struct store_fault){ .table = table,
			     .id = id,
			     .number = number,
			     .name = name,
			     .what = what });
}

void
check_fault_key(struct check *c, enum store_table table, struct bytes key)
{
	char hex[65] = "";

	for (size_t i = 0; i < key.length && i < sizeof(hex) / 2; i++)
		snprintf(hex + 2 * i, 3, "%02x", key.data[i]);
	check_fault(c, table, 0, -1, hex, "the key is damaged");
}

/* -- Walking -------------------------------------------------------------- */

static int
compare(struct bytes a, struct bytes b)
{
	size_t length = a.length < b.length ? a.length : b.length;
	int order = memcmp(a.data, b.data, length);

	if (order != 0)
		return order;
	return a.length < b.length ? -1 : a.length > b.length;
}

/* An octet that changed in a key hides it from whoever looks for it. */
static void
check_order(struct check *c, enum store_table table, uint8_t *last,
    size_t *last_length, struct bytes key)
{
	if (key.length > ROW_KEY_SIZE) {
		check_fault_key(c, table, key);
		return;
	}
	if (*last_length > 0 &&
	    compare((struct bytes){ last, *last_length }, key) >= 0)
		check_fault(c, table, 0, -1, "",
		    "a row is out of order: others of this table cannot be "
		    "found");
	memcpy(last, key.data, key.length);
	*last_length = key.length;
}

static void
check_end(struct check *c, enum store_table table, uint64_t walked)
{
	uint64_t rows;

	if (errno != ENOENT)
		check_fault(c, table, 0, -1, "",
		    "the table cannot be read to its end: %s", strerror(errno));
	else if (store_rows(c->store, table, &rows) == 0 && rows != walked)
		check_fault(c, table, 0, -1, "",
		    "the table should have %" PRIu64 " rows and has %" PRIu64,
		    rows, walked);
}

void
check_walk(struct check *c, enum store_table table, check_look *look)
{
	struct row_key start = { .length = 1 };
	uint8_t last[ROW_KEY_SIZE];
	size_t last_length = 0;
	struct bytes key, value;
	uint64_t walked = 0;
	int found = store_seek(c->store, table, &start, &key, &value);

	for (; found == 0; found = store_next(c->store, table, &key, &value)) {
		walked++;
		check_order(c, table, last, &last_length, key);
		look(c, key, value);
	}
	check_end(c, table, walked);
}

bool
check_exists(struct check *c, enum store_table table, const struct row_key *key)
{
	struct bytes value;

	return store_get(c->store, table, key, &value) == 0;
}

/* -- The rows ------------------------------------------------------------- */

/* What reports, recipients and messages add up to is needed for the later
 * ones. */
static const struct {
	enum store_table table;
	check_look *look;
} looks[] = {
	{ STORE_REPORT, check_report },
	{ STORE_RECIPIENT, check_recipient },
	{ STORE_MESSAGE, check_message },
	{ STORE_CONTENT, check_content_key },
	{ STORE_DUE, check_due },
	{ STORE_DESTINATION, check_destination },
	{ STORE_WAKE, check_wake },
	{ STORE_EVENT, check_event },
	{ STORE_ADDRESS, check_address },
	{ STORE_META, check_meta },
};

/* Who adds a table adds what is to be true of it, and says in tool/dump.c
 * whether it follows from others. */
_Static_assert(sizeof(looks) / sizeof(looks[0]) == STORE_TABLES,
    "a table that nobody checks");

static int
check_all(struct check *c)
{
	if (store_read_begin(c->store) == -1)
		return -1;
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		check_walk(c, looks[i].table, looks[i].look);
	check_counts(c);
	check_totals(c);
	store_read_end(c->store);
	return 0;
}

int
store_check_rows(struct store_check *asked)
{
	struct check c = {
		.asked = asked, .store = asked->store, .last_found = -1
	};
	int result = -1;

	memset(&asked->totals, 0, sizeof(asked->totals));
	c.buckets = calloc(CHECK_BUCKETS, sizeof(*c.buckets));
	if (c.buckets != NULL && check_reports_begin(&c) == 0)
		result = check_all(&c);
	check_reports_end(&c);
	free(c.buckets);
	return result;
}

/* -- The content ---------------------------------------------------------- */

static void
check_content_of(struct check *c, uint64_t id, struct bytes value)
{
	struct row_message row;
	const char *what;
	uint64_t digest;

	/* A damaged row has been told of. */
	if (row_message_decode(&row, value.data, value.length) == -1)
		return;
	c->asked->octets += row.size;
	if (store_content_check(c->store, id, &row, &digest, &what) == -1)
		check_fault(c, STORE_CONTENT, id, -1, "", "%s", what);
}

/* Where a slice ends is behind the last message of it, unless that lies out of
 * order: then, before the next one. A slice comes forward, whatever a disk has
 * made of the keys. */
static void
note_end(uint64_t begun, uint64_t id, uint64_t *after)
{
	if (id <= *after && id > begun + 1)
		*after = id - 1;
}

/* The messages behind this one, as many as one slice has. 1: there are more. */
static int
check_slice(struct check *c, uint64_t *after)
{
	struct row_key from = row_key_id(*after + 1);
	uint64_t end = c->asked->octets + SLICE_OCTETS, begun = *after, id;
	unsigned int looked = 0;
	struct bytes key, value;
	int found = store_seek(c->store, STORE_MESSAGE, &from, &key, &value);

	for (; found == 0;
	     found = store_next(c->store, STORE_MESSAGE, &key, &value)) {
		if (row_key_id_read(key.data, key.length, &id) == -1)
			continue;
		if (*after > begun &&
		    (looked >= SLICE_MESSAGES || c->asked->octets >= end)) {
			note_end(begun, id, after);
			return 1;
		}
		looked++;
		check_content_of(c, id, value);
		if (id > begun)
			*after = id;
	}
	return errno == ENOENT ? 0 : -1;
}

int
store_check_content(struct store_check *asked)
{
	struct check c = { .asked = asked, .store = asked->store };
	uint64_t after = 0;
	int more = 1;

	asked->octets = 0;
	while (more == 1 && after < UINT64_MAX) {
		if (store_read_begin(c.store) == -1)
			return -1;
		more = check_slice(&c, &after);
		store_read_end(c.store);
	}
	return more == -1 ? -1 : 0;
}
