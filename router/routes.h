/*
 * The expanded recipients of a message, in the order in which they were
 * found, each only once.
 *
 * Two routes are the same if one delivery serves both: the same relay and
 * address, or the same user of the same mailbox with the same local part
 * (bob@example.org and bob@example.net are one Maildir; bob+list is not bob,
 * since the detail may mean something to whoever delivers).
 */
#ifndef ROUTER_ROUTES_H
#define ROUTER_ROUTES_H

#include <stdbool.h>
#include <stdint.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "common/mail.h"

struct route {
	STAILQ_ENTRY(route) next;
	RB_ENTRY(route) node;
	enum route_kind kind;
	const char *name;     /* the mailbox or relay; "" for MX */
	const char *user;     /* the login of a mailbox's owner; "" */
	const char *address;  /* final */
	const char *original; /* as the client gave it */
	const char *via;      /* from the one to the other, see via.h */
	unsigned int rule;    /* the line of the rule that took it; 0 */
	const char *identity; /* of the address, for comparing */
	uint8_t notify;	      /* DSN_NOTIFY_* */
	bool expanded;	      /* of an alias, for a report only */
	char *orcpt;	      /* NULL: none */
	char text[];	      /* all of the above */
};

RB_HEAD(route_tree, route);
STAILQ_HEAD(route_list, route);

struct routes {
	struct route_list list;
	struct route_tree tree;
	unsigned int count;
};

void routes_init(struct routes *);
/* Copies a route up to its rule, with its texts. 0 also if it is there already.
 * -1 with errno. */
int routes_add(struct routes *, const struct route *)
    __attribute__((warn_unused_result));
/* Gives all routes what the client said with one RCPT about reports. They are
 * what became of its address: each is reported on as that. If they are several
 * none reports success (RFC 3461 5.2.7.3 c), and whoever asked for that has one
 * route more, which says that the address was expanded. -1 with errno. */
int routes_set_dsn(struct routes *, uint8_t notify, const char *orcpt)
    __attribute__((warn_unused_result));
/* Moves all routes of the second to the end of the first. One that is there
 * already gets the wishes of both for reports. */
void routes_move(struct routes *to, struct routes *from);
void routes_clear(struct routes *);

#endif
