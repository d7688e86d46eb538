#include "router/walk.h"

#include <bsd/string.h>

#include "common/id.h"
#include "common/log.h"
#include "common/via.h"

enum step
walk_resolve(
    struct walk *w, const struct address *to, const struct origin *from)
{
	return w->resolver(w, to, from);
}

enum step
walk_defer(struct walk *w, const char *reply)
{
	reply_set(&w->out->reply, 451, "%s", reply);
	return STEP_DEFERRED;
}

enum step
walk_defer_lookup(struct walk *w)
{
	return walk_defer(w, "4.3.0 A look-up failed, please try again later");
}

enum step
walk_defer_fault(struct walk *w, const struct origin *at, const char *why)
{
	log_warn(
	    "alias-fault id=%s file=\"%s\" line=%u key=\"%s\" error=\"%s\"",
	    id_format(w->id).text, log_text(at->place), at->line,
	    log_text(at->key), why);
	return walk_defer(w, "4.3.5 The address is not set up correctly here, "
			     "please try again later");
}

/* The steps from the client down to here. The chain is as long as aliases may
 * be nested, at most. */
static void
make_via(const struct origin *at, char *via)
{
	struct via_step step;

	if (at->depth == 0)
		return;
	if (at->above != NULL)
		make_via(at->above, via);
	strlcpy(step.key, at->key, sizeof(step.key));
	strlcpy(step.mailbox, at->mailbox != NULL ? at->mailbox : "",
	    sizeof(step.mailbox));
	strlcpy(
	    step.table, at->table != NULL ? at->table : "", sizeof(step.table));
	strlcpy(step.file, at->place, sizeof(step.file));
	step.line = at->line;
	via_add(via, &step);
}

static int
add_route(struct walk *w, struct routes *routes, const struct route *from,
    const struct origin *at)
{
	struct route route = *from;
	char via[LIMIT_VIA + 1] = "";

	make_via(at, via);
	route.via = via;
	route.original = w->original;
	route.rule = w->out->rule;
	return routes_add(routes, &route);
}

enum step
walk_add_route(struct walk *w, enum route_kind kind, const char *name,
    const char *user, const struct address *to, const struct origin *at)
{
	const struct route route = {
		.kind = kind, .name = name, .user = user, .address = to->text
	};

	if (add_route(w, &w->out->routes, &route, at) == -1)
		return walk_defer(w, "4.3.1 Out of memory");
	return STEP_ROUTED;
}

int
walk_add_stray(struct walk *w, const char *mailbox, const char *user,
    const struct address *to, const struct origin *at)
{
	const struct route route = { .kind = ROUTE_MAILBOX,
		.name = mailbox,
		.user = user,
		.address = to->text };

	return add_route(w, &w->strays, &route, at);
}
