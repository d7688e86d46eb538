/*
 * Every legal state of a recipient, and who makes each transition.
 *
 *                router: accepted and committed
 *                               |
 *                               v
 *      +------------------> WAITING ------------------+
 *      |  agent: deferred   |  ^  ^                    |
 *      +--------------------+  |  |                    |
 *                              |  |                    |
 *        administrator: hold   |  |  agent: failed,    |
 *        queue: damaged  |     |  |  or deferred for   |
 *                        |     |  |  too long;         |
 *                        |     |  |  administrator:    |
 *                        v     |  |  bounce       |    |
 *                      HELD ---+  |               v    |
 *                        |        +----------- FAILED  |
 *                        |   administrator:      |     |
 *                        |   retry               |     |
 *                        v                       v     v
 *                       GONE <-------------------+-----+
 *              agent: delivered; administrator: remove;
 *              queue: the sender of what failed is told, or
 *              a message to another address takes its place
 *
 * WAITING   has a row in the due index. "In flight" is not a state of its own:
 *           it is in memory only, so that a crash forgets it and the recipient
 *           is simply due.
 * HELD      nothing happens to it until it is released.
 * FAILED    undeliverable. It is kept and listed until a report about it is
 *           in this queue: both happen in one transaction. If nobody can be
 *           told it stays. What nobody wants to be told is gone at once.
 * DELIVERED as FAILED, for who asked to be told of success; not in the
 *           picture. It waits for nothing but the report. An alias of several
 *           begins here: its recipients are others.
 * GONE      it has no row. When the last recipient of a message is gone, the
 *           message and its content are too; its history stays.
 *
 * Who is redirected is gone in the transaction that accepts the message to the
 * other address: never while it is in flight, or while a report about its
 * message is under way.
 *
 * Reports come for recipients that the administrator has changed meanwhile,
 * in flight: what was delivered is gone whatever was asked, what was not stays
 * as he wished. A report about one that is gone changes nothing.
 */
#include "queue/lifecycle.h"

static const enum lifecycle_step steps[RECIPIENT_STATES][LIFECYCLE_EVENTS] = {
	[RECIPIENT_WAITING] = {
		[LIFECYCLE_DELIVERED] = LIFECYCLE_TO_GONE,
		[LIFECYCLE_DELIVERED_ASKED] = LIFECYCLE_TO_DELIVERED,
		[LIFECYCLE_DEFERRED] = LIFECYCLE_TO_WAITING,
		[LIFECYCLE_EXPIRED] = LIFECYCLE_TO_FAILED,
		[LIFECYCLE_FAILED] = LIFECYCLE_TO_FAILED,
		[LIFECYCLE_RETRY] = LIFECYCLE_TO_WAITING,
		[LIFECYCLE_HOLD] = LIFECYCLE_TO_HELD,
		[LIFECYCLE_RELEASE] = LIFECYCLE_REFUSED,
		[LIFECYCLE_REMOVE] = LIFECYCLE_TO_GONE,
		[LIFECYCLE_DAMAGED] = LIFECYCLE_TO_HELD,
		[LIFECYCLE_BOUNCE] = LIFECYCLE_TO_FAILED,
		[LIFECYCLE_TOLD] = LIFECYCLE_REFUSED,
		[LIFECYCLE_WARNED] = LIFECYCLE_TO_WAITING,
		[LIFECYCLE_REDIRECTED] = LIFECYCLE_TO_GONE,
	},
	[RECIPIENT_HELD] = {
		[LIFECYCLE_DELIVERED] = LIFECYCLE_TO_GONE,
		[LIFECYCLE_DELIVERED_ASKED] = LIFECYCLE_TO_DELIVERED,
		[LIFECYCLE_DEFERRED] = LIFECYCLE_TO_HELD,
		[LIFECYCLE_EXPIRED] = LIFECYCLE_TO_HELD,
		[LIFECYCLE_FAILED] = LIFECYCLE_TO_FAILED,
		[LIFECYCLE_RETRY] = LIFECYCLE_REFUSED,
		[LIFECYCLE_HOLD] = LIFECYCLE_REFUSED,
		[LIFECYCLE_RELEASE] = LIFECYCLE_TO_WAITING,
		[LIFECYCLE_REMOVE] = LIFECYCLE_TO_GONE,
		[LIFECYCLE_DAMAGED] = LIFECYCLE_REFUSED,
		[LIFECYCLE_BOUNCE] = LIFECYCLE_TO_FAILED,
		[LIFECYCLE_TOLD] = LIFECYCLE_REFUSED,
		[LIFECYCLE_WARNED] = LIFECYCLE_TO_HELD,
		[LIFECYCLE_REDIRECTED] = LIFECYCLE_TO_GONE,
	},
	[RECIPIENT_FAILED] = {
		[LIFECYCLE_DELIVERED] = LIFECYCLE_TO_GONE,
		[LIFECYCLE_DELIVERED_ASKED] = LIFECYCLE_TO_DELIVERED,
		[LIFECYCLE_DEFERRED] = LIFECYCLE_REFUSED,
		[LIFECYCLE_EXPIRED] = LIFECYCLE_REFUSED,
		[LIFECYCLE_FAILED] = LIFECYCLE_REFUSED,
		[LIFECYCLE_RETRY] = LIFECYCLE_TO_WAITING,
		[LIFECYCLE_HOLD] = LIFECYCLE_REFUSED,
		[LIFECYCLE_RELEASE] = LIFECYCLE_REFUSED,
		[LIFECYCLE_REMOVE] = LIFECYCLE_TO_GONE,
		[LIFECYCLE_DAMAGED] = LIFECYCLE_REFUSED,
		/* The report that could not be made is tried again. */
		[LIFECYCLE_BOUNCE] = LIFECYCLE_TO_FAILED,
		[LIFECYCLE_TOLD] = LIFECYCLE_TO_GONE,
		[LIFECYCLE_WARNED] = LIFECYCLE_REFUSED,
		[LIFECYCLE_REDIRECTED] = LIFECYCLE_TO_GONE,
	},
	[RECIPIENT_DELIVERED] = {
		[LIFECYCLE_DELIVERED] = LIFECYCLE_REFUSED,
		[LIFECYCLE_DELIVERED_ASKED] = LIFECYCLE_REFUSED,
		[LIFECYCLE_DEFERRED] = LIFECYCLE_REFUSED,
		[LIFECYCLE_EXPIRED] = LIFECYCLE_REFUSED,
		[LIFECYCLE_FAILED] = LIFECYCLE_REFUSED,
		[LIFECYCLE_RETRY] = LIFECYCLE_REFUSED,
		[LIFECYCLE_HOLD] = LIFECYCLE_REFUSED,
		[LIFECYCLE_RELEASE] = LIFECYCLE_REFUSED,
		[LIFECYCLE_REMOVE] = LIFECYCLE_TO_GONE,
		[LIFECYCLE_DAMAGED] = LIFECYCLE_REFUSED,
		[LIFECYCLE_BOUNCE] = LIFECYCLE_REFUSED,
		[LIFECYCLE_TOLD] = LIFECYCLE_TO_GONE,
		[LIFECYCLE_WARNED] = LIFECYCLE_REFUSED,
		[LIFECYCLE_REDIRECTED] = LIFECYCLE_REFUSED,
	},
};

enum lifecycle_step
lifecycle_step(enum recipient_state state, enum lifecycle_event event)
{
	return steps[state][event];
}
