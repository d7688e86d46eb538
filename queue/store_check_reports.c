/*
 * The report index: who failed, or wanted to hear of success, and is told?
 */
#include <stdlib.h>

#include "common/mail.h"
#include "queue/store_check_private.h"

/* The messages in the index are noted in so many bits, two for each, so that
 * memory does not grow with it. With 10,000 reports to be made one missing row
 * of 200,000 is not seen; usually there are some dozens. */
#define BITS (UINT64_C(1) << 23)

int
check_reports_begin(struct check *c)
{
	c->reports = calloc(BITS / 8, 1);
	return c->reports == NULL ? -1 : 0;
}

void
check_reports_end(struct check *c)
{
	free(c->reports);
	c->reports = NULL;
}

/* The octets of an id differ little among neighbours: spread them. */
static uint64_t
place_of(uint64_t id, unsigned int which)
{
	id *= which == 0 ? UINT64_C(0x9e3779b97f4a7c15)
			 : UINT64_C(0xc2b2ae3d27d4eb4f);
	return id >> 41;
}

static bool
is_noted(const struct check *c, uint64_t id)
{
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t at = place_of(id, i);

		if ((c->reports[at / 8] & 1u << at % 8) == 0)
			return false;
	}
	return true;
}

/* One may find nothing to tell, or its message gone. */
void
check_report(struct check *c, struct bytes key, struct bytes value)
{
	uint64_t time, id;

	(void)value;
	if (row_key_report_read(key.data, key.length, &time, &id) == -1) {
		check_fault_key(c, STORE_REPORT, key);
		return;
	}
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t at = place_of(id, i);

		c->reports[at / 8] |= (uint8_t)(1u << at % 8);
	}
}

void
check_is_told(struct check *c, uint64_t id, uint32_t number,
    const struct row_recipient *row)
{
	bool failed = row->state == RECIPIENT_FAILED;

	if (failed ? (row->told & DSN_TOLD_GIVEN_UP) != 0
		   : row->state != RECIPIENT_DELIVERED)
		return;
	if (!is_noted(c, id))
		check_fault(c, STORE_RECIPIENT, id, number, row->destination,
		    failed ? "it has failed and nobody will be told"
			   : "it is delivered and waits for a report that is "
			     "never made");
}
