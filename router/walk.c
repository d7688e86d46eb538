#include "router/walk.h"

#include "common/id.h"
#include "common/log.h"

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

enum step
walk_add_route(struct walk *w, enum route_kind kind, const char *name,
    const char *user, const struct address *to)
{
	if (routes_add(
		&w->out->routes, kind, name, user, to->text, w->original) == -1)
		return walk_defer(w, "4.3.1 Out of memory");
	return STEP_ROUTED;
}
