/* The proof that every row of a store agrees with every other, and with what
 * the lifecycle has in memory. */
#include <inttypes.h>

#include "common/id.h"
#include "queue/store_check.h"
#include "tests/unit/queue/test.h"

static void
on_fault(const struct store_fault *f, void *context)
{
	(void)context;
	print_error("%s %s/%" PRId64 " %s: %s\n", store_table_name(f->table),
	    id_format(f->id).text, f->number, f->name, f->what);
}

unsigned int
house_faults(struct house *h, void (*fault)(const struct store_fault *, void *),
    void *context, struct row_totals *totals)
{
	struct store_check c = {
		.store = h->store,
		.now = house_now / 1000,
		.fault = fault,
		.context = context,
	};

	assert_int_equal(store_check_pages(&c), 0);
	assert_int_equal(store_check_rows(&c), 0);
	assert_int_equal(store_check_content(&c), 0);
	*totals = c.totals;
	return (unsigned int)c.faults;
}

void
house_is_sound(struct house *h)
{
	struct row_totals totals;

	assert_int_equal(house_faults(h, on_fault, NULL, &totals), 0);
	assert_memory_equal(&totals, &h->lifecycle.totals, sizeof(totals));
}
