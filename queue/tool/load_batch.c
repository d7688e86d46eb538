/* Many messages in one transaction, as many as its pages may take memory. */
#include "queue/tool/load.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "queue/store.h"
#include "queue/tool/tool.h"

/* Of one transaction: its pages are in memory until it is committed. */
#define BATCH_OCTETS (UINT64_C(16) * 1024 * 1024)
#define BATCH_LINES 4000

int
load_bad_line(const struct load *l, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "postern-store: line %u: ", l->number);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return EX_DATAERR;
}

int
load_cannot_write(const struct load *l)
{
	if (errno != ENOSPC)
		return tool_fail(l->tool, "cannot write the store");
	tool_say("the store or its disk is full; what was loaded by now stays, "
		 "and is passed over when the load is done again");
	return EX_IOERR;
}

int
load_batch_begin(struct load *l)
{
	l->before = l->lifecycle.totals;
	l->octets = 0;
	l->lines = 0;
	store_look_for_room(l->lifecycle.store);
	return store_write_begin(l->lifecycle.store) == -1
		   ? load_cannot_write(l)
		   : EX_OK;
}

int
load_batch_commit(struct load *l)
{
	struct store *store = l->lifecycle.store;
	int code;

	if (destinations_flush(&l->destinations, store, (uint64_t)time(NULL)) ==
		-1 ||
	    lifecycle_write_totals(&l->lifecycle, &l->before) == -1) {
		code = load_cannot_write(l);
		store_write_abort(store);
		return code;
	}
	if (store_write_commit(store) == -1)
		return load_cannot_write(l);
	destinations_end(&l->destinations);
	destinations_begin(&l->destinations);
	return EX_OK;
}

int
load_batch_next(struct load *l)
{
	int code;

	if (l->octets < BATCH_OCTETS && l->lines < BATCH_LINES)
		return EX_OK;
	code = load_batch_commit(l);
	return code == EX_OK ? load_batch_begin(l) : code;
}
