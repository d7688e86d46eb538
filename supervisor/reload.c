#include "supervisor/reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>

#include "common/log.h"
#include "supervisor/drain.h"
#include "supervisor/generation.h"
#include "supervisor/notify.h"
#include "supervisor/process.h"

#define PENDING_SECONDS 15
/* Sets of processes at the same time. Each has up to LIMIT_WORKERS + 4
 * processes, and three links to the queue. */
#define GENERATIONS 4

static struct {
	struct generation *pending; /* NULL: none */
	struct event *timer;
	bool again;
	reload_ended *ended;
} state;

bool
reload_is_pending(void)
{
	return state.pending != NULL;
}

void
reload_on_end(reload_ended *ended)
{
	state.ended = ended;
}

static void
tell(int code, const char *text)
{
	if (state.ended != NULL)
		state.ended(code, text);
}

static void
finish(struct house *house, int code, const char *text)
{
	bool again = state.again;

	state.pending = NULL;
	state.again = false;
	if (state.timer != NULL)
		event_free(state.timer);
	state.timer = NULL;
	notify_ready();
	tell(code, text);
	if (again)
		reload_begin(house);
}

static void
refuse(struct house *house, int code, const char *text)
{
	char *copy = strdup(text), *rest = copy, *line;

	while (rest != NULL && (line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			log_error(
			    "reload-refused error=\"%s\"", log_text(line));
	free(copy);
	finish(house, code, text);
}

/* The programs that go on have these open. */
static bool
is_possible(const struct config *old, const struct config *new, FILE *errors)
{
	if (strcmp(old->run, new->run) == 0 &&
	    strcmp(old->spool, new->spool) == 0)
		return true;
	fprintf(errors,
	    "%s: a new run or spool directory needs a restart, not a reload\n",
	    new->path);
	return false;
}

/* Someone who reloads every minute does not get to have them all at once:
 * the one that has drained longest ends. */
static bool
is_room(struct house *house, FILE *errors)
{
	struct generation *g, *oldest = NULL;
	unsigned int count = 0;

	TAILQ_FOREACH (g, &house->generations, next) {
		count++;
		if (oldest == NULL && g->draining)
			oldest = g;
	}
	if (count < GENERATIONS)
		return true;
	if (oldest == NULL) {
		fprintf(errors, "too many reloads at the same time\n");
		return false;
	}
	generation_kill(oldest, house, "too many reloads");
	return true;
}

static struct generation *
make_generation(struct house *house, FILE *errors)
{
	struct settings *s = settings_load(house->config_path, errors);

	if (s == NULL)
		return NULL;
	if (is_possible(house->current->settings->config, s->config, errors) &&
	    is_room(house, errors))
		return generation_new(house, s, errors);
	settings_free(&s);
	return NULL;
}

static void
on_timeout(evutil_socket_t fd, short what, void *argument)
{
	struct house *house = argument;
	struct generation *late = state.pending;

	(void)fd;
	(void)what;
	if (late->joined) {
		/* Only those are missing that the old ones stand in for. */
		refuse(house, EX_TEMPFAIL,
		    "not everything is ready with the new configuration yet; "
		    "the old programs accept mail until it is (see the log)");
		return;
	}
	generation_kill(late, house, "its generation did not get ready");
	refuse(house, EX_UNAVAILABLE,
	    "the programs did not get ready with the new configuration; the "
	    "old one stays (see the log)");
	drain_step(house);
}

static int
start(struct house *house, struct generation *g)
{
	static const struct timeval most = { PENDING_SECONDS, 0 };

	state.timer = evtimer_new(house->base, on_timeout, house);
	if (state.timer == NULL || evtimer_add(state.timer, &most) == -1)
		return -1;
	state.pending = g;
	generation_start(g, house);
	return 0;
}

void
reload_begin(struct house *house)
{
	char *text = NULL;
	size_t size;
	FILE *errors;
	struct generation *g;

	if (reload_is_pending()) {
		state.again = true;
		return;
	}
	errors = open_memstream(&text, &size);
	if (errors == NULL) {
		refuse(house, EX_OSERR, strerror(errno));
		return;
	}
	log_info("reload path=\"%s\"", log_text(house->config_path));
	notify_reloading();
	g = make_generation(house, errors);
	fclose(errors);
	if (g == NULL)
		refuse(house, EX_CONFIG, text);
	else if (start(house, g) == -1) {
		generation_kill(g, house, "no timer");
		refuse(house, EX_OSERR, "no memory");
		drain_step(house);
	}
	free(text);
}

static void
drain_others(struct house *house)
{
	struct generation *g, *later;

	TAILQ_FOREACH_SAFE (g, &house->generations, next, later)
		if (g != house->current && g->joined && !g->draining)
			drain_generation(g, house);
}

void
reload_check(struct house *house)
{
	if (state.pending != NULL && !state.pending->joined &&
	    generation_may_join(state.pending, house))
		generation_join(state.pending, house);
	if (!generation_is_ready(house->current, house))
		return;
	drain_others(house);
	if (state.pending != house->current)
		return;
	log_info("reload-done generation=%u", state.pending->number);
	finish(house, EX_OK, "");
}

void
reload_forget(void)
{
	if (state.pending == NULL)
		return;
	event_free(state.timer);
	state.timer = NULL;
	state.pending = NULL;
	tell(EX_TEMPFAIL, "postern is shutting down");
}
