/*
 * The aliases that one expansion has met, to find loops and to do no work
 * twice.
 */
#ifndef ROUTER_VISITS_H
#define ROUTER_VISITS_H

#include <stdbool.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

struct visit {
	RB_ENTRY(visit) node;
	SLIST_ENTRY(visit) next;
	const char *mailbox; /* lent */
	bool open;	     /* being expanded: met again, it is a loop */
	int result;	     /* once it is not; the expander's */
	char key[];
};

RB_HEAD(visit_tree, visit);

SLIST_HEAD(visit_list, visit);

struct visits {
	struct visit_tree tree;
	struct visit_list list; /* the same */
	unsigned int count;
};

void visits_init(struct visits *);
void visits_clear(struct visits *);
/* NULL if it was not met. */
struct visit *visits_find(
    struct visits *, const char *mailbox, const char *key);
/* NULL with errno. */
struct visit *visits_add(struct visits *, const char *mailbox, const char *key)
    __attribute__((warn_unused_result));

#endif
