/*
 * router: decides about every recipient, holds a transaction until it is
 * whole, and gives it to the queue.
 *
 * link_smtpd.c     what strangers' sessions ask    transaction.c  one message
 * expand.c, mailbox.c   recipient to routes        rules.c        who may what
 * table.c, aliases.c, users.c   the look-ups       link_queue.c   the way out
 */
#include <errno.h>
#include <stdbool.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/child.h"
#include "common/log.h"
#include "router/cage.h"
#include "router/expand.h"
#include "router/link_queue.h"
#include "router/link_resolver.h"
#include "router/link_smtpd.h"

/* How often a router that is to end looks whether it may. */
#define DRAIN_POLL_US 20000L

static struct {
	struct child child;
	struct event_base *base;
	struct expander expander;
	struct link_smtpd *smtpd;
	struct link_queue *queue;
	struct event *poll, *deadline;
} router;

static bool
is_idle(void)
{
	return link_smtpd_count(router.smtpd) == 0 &&
	       link_queue_outstanding(router.queue) == 0;
}

static void
on_poll(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
	if (is_idle())
		event_base_loopbreak(router.base);
}

static void
on_deadline(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
	log_warn("drain-timeout links=%u outstanding=%u",
	    link_smtpd_count(router.smtpd),
	    link_queue_outstanding(router.queue));
	event_base_loopbreak(router.base);
}

static void
on_drain(uint32_t seconds)
{
	static const struct timeval interval = { 0, DRAIN_POLL_US };
	const struct timeval limit = { (time_t)seconds, 0 };

	event_add(router.poll, &interval);
	event_add(router.deadline, &limit);
	on_poll(-1, 0, NULL);
}

static void
on_peer(const struct child_peer *peer)
{
	if (peer->program == PROGRAM_SMTPD)
		link_smtpd_add(router.smtpd, peer);
	else if (peer->program == PROGRAM_QUEUE)
		link_queue_add(router.queue, peer);
	else if (peer->program == PROGRAM_RESOLVER)
		link_resolver_add(router.base, peer);
	else {
		log_warn("link-refused peer=%s", program_name(peer->program));
		close(peer->fd);
	}
}

static void
set_up(void)
{
	struct expander *e = &router.expander;

	e->config = router.child.config;
	e->tables = tables_new(e->config);
	if (e->tables != NULL)
		e->users = users_new(e->tables);
	if (e->users != NULL)
		router.queue =
		    link_queue_new(router.base, e, link_smtpd_outcome);
	if (router.queue != NULL)
		router.smtpd = link_smtpd_new(router.base, e, router.queue);
	router.poll = event_new(router.base, -1, EV_PERSIST, on_poll, NULL);
	router.deadline = event_new(router.base, -1, 0, on_deadline, NULL);
	if (router.smtpd == NULL || router.poll == NULL ||
	    router.deadline == NULL)
		log_fatal(EX_OSERR, "set-up");
}

static void
tear_down(void)
{
	link_smtpd_free(&router.smtpd);
	link_queue_free(&router.queue);
	link_resolver_close();
	users_free(&router.expander.users);
	tables_free(&router.expander.tables);
	event_free(router.poll);
	event_free(router.deadline);
	config_free(&router.child.config);
}

int
main(void)
{
	static const struct child_handler handler = {
		.peer = on_peer,
		.drain = on_drain,
	};

	child_begin(&router.child, PROGRAM_ROUTER);
	router.base = event_base_new();
	if (router.base == NULL)
		log_fatal(EX_OSERR, "event loop");
	users_prepare();
	cage_enter(router.child.config);
	set_up();
	child_run(&router.child, router.base, &handler);
	if (event_base_dispatch(router.base) == -1)
		log_error("event loop failed");
	tear_down();
	return 0;
}
