#include "supervisor/links.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "supervisor/process.h"

/* Generations do not mix, but all that have joined work for the one queue. */
static bool
belong_together(const struct process *a, const struct process *b)
{
	if (!programs_are_linked(a->spec->program, b->spec->program))
		return false;
	if (a->spec->lasting)
		return b->generation->joined;
	if (b->spec->lasting)
		return a->generation->joined;
	return a->generation == b->generation;
}

static void
tell_of(struct process *to, const struct process *peer, int fd)
{
	struct message m = MESSAGE_INIT(MESSAGE_PEER, 0);

	m.peer.program = (uint16_t)peer->spec->program;
	m.peer.instance = peer->instance;
	m.peer.generation = peer->generation->number;
	process_tell(to, &m, fd);
}

int
links_join_two(struct process *a, struct process *b)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	tell_of(a, b, pair[0]);
	tell_of(b, a, pair[1]);
	close(pair[0]);
	close(pair[1]);
	return 0;
}

/* Half-linked it would be of no use: it dies, and is tried again later. */
static void
link_or_kill(struct process *p, struct process *other)
{
	if (p->channel == NULL || other->channel == NULL ||
	    links_join_two(p, other) == 0)
		return;
	log_error("link-failed program=%s peer=%s error=\"%s\"",
	    program_name(p->spec->program), program_name(other->spec->program),
	    strerror(errno));
	process_kill(p, "cannot be linked");
}

void
links_make(struct process *p)
{
	struct process *other;

	TAILQ_FOREACH (other, &p->house->processes, next)
		if (other != p && belong_together(p, other))
			link_or_kill(p, other);
}

bool
links_may_be(const struct process *p, const struct process *other)
{
	return belong_together(p, other) && p->channel != NULL &&
	       other->channel != NULL;
}

void
links_join(struct process *p)
{
	struct process *other;

	TAILQ_FOREACH (other, &p->house->processes, next)
		if (other->spec->lasting && belong_together(p, other))
			link_or_kill(p, other);
}
