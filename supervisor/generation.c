#include "supervisor/generation.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "supervisor/introduce.h"
#include "supervisor/links.h"
#include "supervisor/process.h"
#include "supervisor/quiet.h"

static void
generation_free(struct generation *g, struct house *house)
{
	struct process *p, *later;

	TAILQ_FOREACH_SAFE (p, &house->processes, next, later)
		if (p->generation == g)
			process_free(&p);
	listeners_close(&g->listeners);
	settings_free(&g->settings);
	free(g);
}

static bool
exists(const struct house *house, enum program program)
{
	struct process *p;

	TAILQ_FOREACH (p, &house->processes, next)
		if (p->spec->program == program)
			return true;
	return false;
}

static int
add_processes(struct generation *g, struct house *house)
{
	size_t count;
	const struct program_spec *specs = programs_list(&count);

	for (size_t i = 0; i < count; i++) {
		unsigned int workers =
		    programs_workers(&specs[i], g->settings->config);

		if (specs[i].lasting && exists(house, specs[i].program))
			continue;
		for (unsigned int w = 0; w < workers; w++)
			if (process_new(g, house, &specs[i], w) == NULL)
				return -1;
	}
	return 0;
}

static struct generation *
fill(struct generation *g, struct house *house, FILE *errors)
{
	struct listeners *held =
	    house->current != NULL ? &house->current->listeners : NULL;

	if (listeners_plan(&g->listeners, g->settings->config, errors) == -1 ||
	    listeners_open(&g->listeners, held, errors) == -1)
		return NULL;
	if (quiet_apply(house, &g->listeners) == -1) {
		fprintf(errors, "pause of listening: %s\n", strerror(errno));
		return NULL;
	}
	g->number = ++house->generation_numbers;
	if (add_processes(g, house) == 0)
		return g;
	fprintf(errors, "processes: %s\n", strerror(errno));
	return NULL;
}

struct generation *
generation_new(struct house *house, struct settings *take, FILE *errors)
{
	struct generation *g = calloc(1, sizeof(*g));

	if (g == NULL) {
		fprintf(errors, "%s\n", strerror(errno));
		settings_free(&take);
		return NULL;
	}
	g->settings = take;
	if (fill(g, house, errors) == NULL) {
		generation_free(g, house);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&house->generations, g, next);
	return g;
}

static void
start_new(struct generation *g, struct house *house, bool front)
{
	struct process *p;

	TAILQ_FOREACH (p, &house->processes, next)
		if (p->generation == g && p->instance == 0 &&
		    p->spec->front == front)
			process_start(p);
}

void
generation_start(struct generation *g, struct house *house)
{
	start_new(g, house, false);
}

static void
adopt_lasting(struct generation *g, struct house *house)
{
	struct process *p;

	TAILQ_FOREACH (p, &house->processes, next) {
		if (!p->spec->lasting || p->generation == g)
			continue;
		p->generation = g;
		introduce_config(p);
	}
}

void
generation_join(struct generation *g, struct house *house)
{
	struct process *p;

	house->current = g;
	/* Before its neighbours come with names that it does not know. */
	adopt_lasting(g, house);
	g->joined = true;
	TAILQ_FOREACH (p, &house->processes, next)
		if (p->generation == g && !p->spec->lasting)
			links_join(p);
	start_new(g, house, true);
}

static bool
is_ready(const struct process *p)
{
	return p->state == PROCESS_READY && p->channel != NULL;
}

bool
generation_is_ready(const struct generation *g, const struct house *house)
{
	struct process *p;

	TAILQ_FOREACH (p, &house->processes, next)
		if (p->generation == g && !is_ready(p))
			return false;
	return true;
}

bool
generation_may_join(const struct generation *g, const struct house *house)
{
	struct process *p;

	TAILQ_FOREACH (p, &house->processes, next)
		if (p->generation == g && !p->spec->front && !is_ready(p))
			return false;
	return true;
}

void
generation_kill(struct generation *g, struct house *house, const char *why)
{
	struct process *p, *later;

	g->draining = true;
	TAILQ_FOREACH_SAFE (p, &house->processes, next, later) {
		if (p->generation != g)
			continue;
		if (p->pid == 0)
			process_free(&p);
		else
			process_kill(p, why);
	}
}

static bool
has_processes(const struct generation *g, const struct house *house)
{
	struct process *p;

	TAILQ_FOREACH (p, &house->processes, next)
		if (p->generation == g)
			return true;
	return false;
}

void
generation_sweep(struct house *house)
{
	struct generation *g, *later;

	TAILQ_FOREACH_SAFE (g, &house->generations, next, later) {
		if (!g->draining || has_processes(g, house))
			continue;
		TAILQ_REMOVE(&house->generations, g, next);
		log_info("generation-gone generation=%u", g->number);
		if (g == house->current)
			house->current = NULL;
		generation_free(g, house);
	}
}
