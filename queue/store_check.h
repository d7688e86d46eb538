/*
 * The proof that a store is whole: each row can be read, and says the same as
 * every other row that knows of it. Changes nothing; works on any open store.
 * Memory does not grow with the store, but for two bits a page.
 *
 * First it is proved that LMDB's pages are each in one place, and that none in
 * use counts as free. The rows are looked at in one transaction, since their counts must agree. The
 * content, which is most of the octets, is read in many short ones: what was
 * delivered in between is not missed.
 */
#ifndef QUEUE_STORE_CHECK_H
#define QUEUE_STORE_CHECK_H

#include <stdint.h>

#include "queue/store.h"

struct store_fault {
	enum store_table table;
	uint64_t id;	  /* 0: it is about no message */
	int64_t number;	  /* of a recipient, an event, a chunk; -1: none */
	const char *name; /* a destination, an address; "": none */
	const char *what;
};

struct store_check {
	struct store *store;
	uint64_t now; /* in seconds */
	/* Each fault, inside a transaction of `store`. */
	void (*fault)(const struct store_fault *, void *context);
	void *context;
	/* What was found. */
	uint64_t faults;
	struct row_totals totals;
	uint64_t octets; /* of content that was read */
};

/* -1 with errno if it could not be looked at; what is found damaged is a fault
 * and no failure. */
int store_check_pages(struct store_check *) __attribute__((warn_unused_result));
int store_check_rows(struct store_check *) __attribute__((warn_unused_result));
int store_check_content(struct store_check *)
    __attribute__((warn_unused_result));

#endif
