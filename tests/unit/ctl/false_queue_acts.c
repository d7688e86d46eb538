/*
 * What can be done to the mail of the queue that is made up.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>
#include <bsd/sys/queue.h>
#include <event2/event.h>

#include "queue/lifecycle.h"
#include "queue/pause.h"
#include "queue/redirector.h"

#include "tests/unit/ctl/false_queue_private.h"

struct noted {
	TAILQ_ENTRY(noted) next;
	void (*done)(int, void *);
	void *context;
	int result;
};
static TAILQ_HEAD(noted_list, noted) noted = TAILQ_HEAD_INITIALIZER(noted);
static struct event *commit;

/* One may be paused by name: all that is remembered here. */
static char paused_name[LIMIT_DESTINATION + 1];
static bool paused_all;

enum pause_kind
false_pause_kind(const char *destination)
{
	if (paused_all)
		return PAUSE_ALL;
	return strcmp(paused_name, destination) == 0 ? PAUSE_DESTINATION
						     : PAUSE_NONE;
}

enum lifecycle_step
lifecycle_step(enum recipient_state was, enum lifecycle_event event)
{
	return event == LIFECYCLE_REMOVE || event == LIFECYCLE_REDIRECTED ||
		       (event == LIFECYCLE_RELEASE) == (was == RECIPIENT_HELD)
		   ? LIFECYCLE_TO_WAITING
		   : LIFECYCLE_REFUSED;
}

static int
act(enum ctl_verb verb, size_t at)
{
	struct row_recipient *r = &false_rows[at];
	uint8_t was = r->state;

	if (verb == CTL_VERB_REMOVE)
		return false_gone[at] = true;
	if ((verb == CTL_VERB_RELEASE) != (was == RECIPIENT_HELD))
		return 0;
	r->state = verb == CTL_VERB_HOLD ? RECIPIENT_HELD : RECIPIENT_WAITING;
	return 1;
}

/* What was noted is done a little later, as after a commit. */
static void
on_commit(evutil_socket_t fd, short what, void *context)
{
	struct noted *n;

	(void)fd;
	(void)what;
	(void)context;
	while ((n = TAILQ_FIRST(&noted)) != NULL) {
		TAILQ_REMOVE(&noted, n, next);
		n->done(n->result, n->context);
		free(n);
	}
}

int
query_act(enum ctl_verb verb, uint64_t id, uint32_t number, uint32_t uid,
    void (*done)(int, void *), void *context)
{
	static const struct timeval later = { 0, 1000 };
	struct noted *n = calloc(1, sizeof(*n));
	size_t at = id == ID(0) ? number : id - ID(0);

	(void)uid;
	if (n == NULL)
		_exit(1);
	n->done = done;
	n->context = context;
	if (verb == CTL_VERB_BOUNCE && false_late < 1000)
		false_late++;
	n->result = at < SPECIAL ? act(verb, at) : 1;
	TAILQ_INSERT_TAIL(&noted, n, next);
	evtimer_add(commit, &later);
	return 0;
}

void
query_forget(void *context)
{
	struct noted *n, *next;

	for (n = TAILQ_FIRST(&noted); n != NULL; n = next) {
		next = TAILQ_NEXT(n, next);
		if (n->context != context)
			continue;
		TAILQ_REMOVE(&noted, n, next);
		free(n);
	}
}

int
query_pause(const char *destination, bool paused, void (*done)(int, void *),
    void *context)
{
	static const struct timeval later = { 0, 1000 };
	struct noted *n;
	bool all = destination[0] == '\0';
	bool was = all ? paused_all : strcmp(paused_name, destination) == 0;

	if (strcmp(destination, "mx:full.test") == 0)
		return 1;
	if (strcmp(destination, "mx:broken.test") == 0) {
		errno = ENOMEM;
		return -1;
	}
	n = calloc(1, sizeof(*n));
	if (n == NULL)
		_exit(1);
	n->done = done;
	n->context = context;
	n->result = was != paused;
	if (all)
		paused_all = paused;
	else
		strlcpy(paused_name, paused ? destination : "",
		    sizeof(paused_name));
	TAILQ_INSERT_TAIL(&noted, n, next);
	evtimer_add(commit, &later);
	return 0;
}

bool
pause_is_set(const char *destination)
{
	return destination[0] == '\0' ? paused_all
				      : strcmp(paused_name, destination) == 0;
}

bool
query_paused(unsigned int *named)
{
	*named = paused_name[0] != '\0';
	return paused_all;
}

/* Each redirection becomes a message of its own, but what goes to nobody. */
struct asked {
	TAILQ_ENTRY(asked) next;
	void (*done)(const struct redirector_answer *, void *);
	void *context;
	uint64_t id;
	unsigned int count;
	bool refused;
};

static TAILQ_HEAD(, asked) asked = TAILQ_HEAD_INITIALIZER(asked);
static struct event *router_answer;

static void
on_router_answer(evutil_socket_t fd, short what, void *context)
{
	struct asked *a;

	(void)fd;
	(void)what;
	(void)context;
	while ((a = TAILQ_FIRST(&asked)) != NULL) {
		TAILQ_REMOVE(&asked, a, next);
		a->done(&(struct redirector_answer){ a->id,
			    a->refused ? 0 : a->id + 5000000,
			    a->refused ? 550 : 250,
			    a->refused ? "5.1.1 \033[2Jnobody" : "2.0.0 Ok",
			    a->count },
		    a->context);
		free(a);
	}
}

int
redirector_ask(uint64_t id, const uint32_t *numbers, unsigned int count,
    const char *to, uid_t uid,
    void (*done)(const struct redirector_answer *, void *), void *context)
{
	static const struct timeval later = { 0, 1000 };
	struct asked *a = calloc(1, sizeof(*a));

	(void)uid;
	/* A child's assert is no test's: it would not be seen. */
	if (a == NULL || count == 0 || numbers == NULL)
		_exit(1);
	if (strcmp(to, "busy@new.test") == 0) {
		free(a);
		errno = EBUSY;
		return -1;
	}
	*a = (struct asked){ .done = done,
		.context = context,
		.id = id,
		.count = count,
		.refused = strcmp(to, "nobody@new.test") == 0 };
	TAILQ_INSERT_TAIL(&asked, a, next);
	return evtimer_add(router_answer, &later);
}

void
redirector_forget(const void *context)
{
	struct asked *a, *next;

	for (a = TAILQ_FIRST(&asked); a != NULL; a = next) {
		next = TAILQ_NEXT(a, next);
		if (a->context != context)
			continue;
		TAILQ_REMOVE(&asked, a, next);
		free(a);
	}
}

void
false_acts_start(struct event_base *base)
{
	commit = evtimer_new(base, on_commit, NULL);
	router_answer = evtimer_new(base, on_router_answer, NULL);
}
