#include "queue/store_migrate.h"

#include <errno.h>
#include <inttypes.h>

#include "common/log.h"
#include "queue/store.h"

int
store_migrate(struct store *store, uint32_t from)
{
	(void)store;
	if (from == 0 || from > STORE_SCHEMA) {
		errno = from == 0 ? EUCLEAN : ENOTSUP;
		return -1;
	}
	/* 1 to 2: messages and recipients got fields at their end. Nothing is
	 * to be moved: store_row.c reads format 1 as well, without them. */
	log_info("store-migrated from=%" PRIu32 " to=%d", from, STORE_SCHEMA);
	return 0;
}
