#include "supervisor/quiet.h"

#include "common/log.h"
#include "supervisor/process.h"

static void
tell_all(struct house *house)
{
	struct message m;
	struct process *p;

	TAILQ_FOREACH (p, &house->processes, next) {
		if (p->spec->program != PROGRAM_SMTPD &&
		    p->spec->program != PROGRAM_QUEUE)
			continue;
		m = (struct message)MESSAGE_INIT(MESSAGE_LISTENING, 0);
		m.listening.on = !house->is_quiet;
		process_tell(p, &m, -1);
	}
}

static int
open_all(struct house *house)
{
	struct generation *g;
	int result = 0;

	TAILQ_FOREACH (g, &house->generations, next)
		if (!g->draining && listeners_listen(&g->listeners) == -1)
			result = -1;
	return result;
}

/* What is not ours to close any more, since its generation drains, its smtpds
 * have closed or are about to. */
static int
close_all(struct house *house)
{
	struct generation *g;
	int result = 0;

	TAILQ_FOREACH (g, &house->generations, next)
		if (!g->draining && listeners_refuse(&g->listeners) == -1)
			result = -1;
	return result;
}

int
quiet_set(struct house *house, bool quiet)
{
	bool change = house->is_quiet != quiet;
	int result;

	house->is_quiet = quiet;
	/* Nobody shall wait for clients on a socket that has none: smtpd hears
	 * of it before they close, and after they are open. */
	if (quiet)
		tell_all(house);
	result = quiet ? close_all(house) : open_all(house);
	if (!quiet)
		tell_all(house);
	log_info("listening act=%s change=%d result=%d",
	    quiet ? "pause" : "resume", (int)change, result);
	return result == -1 ? -1 : change;
}

int
quiet_apply(const struct house *house, struct listeners *listeners)
{
	return house->is_quiet ? listeners_refuse(listeners) : 0;
}
