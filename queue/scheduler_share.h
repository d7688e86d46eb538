/*
 * How many deliveries a destination may have at once: its own window, and its
 * share of all.
 *
 * A host that hangs keeps its delivery for many minutes, and nobody knows
 * beforehand which one will. So remote places are kept back for those who are
 * likelier to let go of them: a quarter of all for destinations that answered
 * lately, another half for them and for those that were not tried yet; those
 * that failed as a whole the last time have no more than the last quarter.
 * Of what each of the first two may have, an eighth of all is for fresh mail.
 * However many hosts are dead, mail for a sound one goes at once, and mail for
 * a new one waits at most for other new ones: whoever hangs among these counts
 * as failed as soon as it has timed out. Local mail has places of its own.
 * The memory for the contents of large messages is parted in the same way; half
 * of it is for destinations that have none of it yet.
 */
#ifndef QUEUE_SCHEDULER_SHARE_H
#define QUEUE_SCHEDULER_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/mail.h"

struct destination;

/* What is known of a destination. A local one is sound unless it failed. */
enum share_standing {
	SHARE_SOUND,	/* answered lately */
	SHARE_UNTRIED,	/* nothing, or the administrator wants a try */
	SHARE_DOUBTFUL, /* it failed as a whole the last time */
	SHARE_STANDINGS
};

void share_begin(void);
bool share_is_local(const struct destination *);
enum share_standing share_standing(const struct destination *);
/* Has it mail that has just come? Of much that came at once that is seen by what
 * was handed out last. */
bool share_is_fresh(const struct destination *);
/* The window: grows with each delivery that succeeds, halves if the host is
 * down; a host that was down is asked with one delivery first. */
unsigned int share_window(struct destination *);
/* It answered, and maybe took the mail. */
void share_answered(struct destination *, bool delivered);
/* It failed as a whole for this message. Is it down? A host that answers others
 * of the same time only takes fewer at a time, until as many have failed in a
 * row as it may have at once. */
bool share_failed(struct destination *, uint64_t id);
/* May it have one more, as far as all the others are concerned? */
bool share_is_left(struct destination *);
/* And is there memory for a content of this size? */
bool share_has_room_for(struct destination *, uint64_t size);
/* A delivery of so many octets begins and ends. */
void share_take(struct destination *, uint64_t size);
void share_give_back(struct destination *, uint64_t size);
unsigned int share_in_flight(enum route_kind);

#endif
