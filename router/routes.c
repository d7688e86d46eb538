#include "router/routes.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/dsn.h"

static int
compare(const struct route *a, const struct route *b)
{
	int order = (int)a->expanded - (int)b->expanded;

	if (order == 0)
		order = (int)a->kind - (int)b->kind;
	if (order == 0)
		order = strcmp(a->name, b->name);
	if (order == 0)
		order = strcmp(a->user, b->user);
	if (order == 0)
		order = strcmp(a->identity, b->identity);
	return order;
}

RB_PROTOTYPE(route_tree, route, node, compare)
RB_GENERATE(route_tree, route, node, compare)

void
routes_init(struct routes *routes)
{
	STAILQ_INIT(&routes->list);
	RB_INIT(&routes->tree);
	routes->count = 0;
}

static const char *
append(char **at, const char *text)
{
	char *copy = *at;
	size_t size = strlen(text) + 1;

	memcpy(copy, text, size);
	*at += size;
	return copy;
}

/* The local part of a mailbox's address, whatever its case and domain; all of
 * any other address, whose local part is not ours to interpret. Nothing is
 * delivered to what was expanded: each such address has its own report. */
static const char *
append_identity(char **at, const struct route *route)
{
	char *copy = *at, *domain;

	append(at, route->address);
	if (route->kind != ROUTE_MAILBOX || route->expanded)
		return copy;
	domain = strrchr(copy, '@');
	if (domain != NULL)
		*domain = '\0';
	for (char *p = copy; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

/* Takes the route, which may be there already. */
static void
insert(struct routes *routes, struct route *route)
{
	if (RB_INSERT(route_tree, &routes->tree, route) != NULL) {
		free(route);
		return;
	}
	STAILQ_INSERT_TAIL(&routes->list, route, next);
	routes->count++;
}

static struct route *
copy(const struct route *from)
{
	size_t size = strlen(from->name) + strlen(from->user) +
		      2 * strlen(from->address) + strlen(from->original) +
		      strlen(from->via) + 6;
	struct route *route = calloc(1, sizeof(*route) + size);
	char *at;

	if (route == NULL)
		return NULL;
	at = route->text;
	route->kind = from->kind;
	route->rule = from->rule;
	route->expanded = from->expanded;
	route->name = append(&at, from->name);
	route->user = append(&at, from->user);
	route->address = append(&at, from->address);
	route->original = append(&at, from->original);
	route->via = append(&at, from->via);
	route->identity = append_identity(&at, from);
	return route;
}

int
routes_add(struct routes *routes, const struct route *from)
{
	struct route *route = copy(from);

	if (route == NULL)
		return -1;
	insert(routes, route);
	return 0;
}

/* Under the place of the first behind it, since it has none of its own. */
static int
add_expanded(struct routes *routes)
{
	struct route expanded = *STAILQ_FIRST(&routes->list);
	struct route *route;

	expanded.address = expanded.original;
	expanded.via = "";
	expanded.expanded = true;
	route = copy(&expanded);
	if (route == NULL)
		return -1;
	route->notify = DSN_NOTIFY_SUCCESS;
	insert(routes, route);
	return 0;
}

/* What is left for those behind an alias. Who wanted to hear of nothing else
 * hears nothing. */
static uint8_t
without_success(uint8_t notify)
{
	if (notify == DSN_NOTIFY_SUCCESS)
		return DSN_NOTIFY_NEVER;
	return notify & (uint8_t)~DSN_NOTIFY_SUCCESS;
}

/* "postmaster" alone has no domain, and so no place of its own. */
static bool
can_expand(const struct routes *routes)
{
	return routes->count > 1 &&
	       strchr(STAILQ_FIRST(&routes->list)->original, '@') != NULL;
}

int
routes_set_dsn(struct routes *routes, uint8_t notify, const char *orcpt)
{
	bool expands = (notify & DSN_NOTIFY_SUCCESS) != 0 && can_expand(routes);
	struct route *route;

	if (expands && add_expanded(routes) == -1)
		return -1;
	STAILQ_FOREACH (route, &routes->list, next) {
		if (!route->expanded)
			route->notify =
			    expands ? without_success(notify) : notify;
		if (*orcpt == '\0')
			continue;
		route->orcpt = strdup(orcpt);
		if (route->orcpt == NULL)
			return -1;
	}
	return 0;
}

static void
route_free(struct route *route)
{
	free(route->orcpt);
	free(route);
}

void
routes_move(struct routes *to, struct routes *from)
{
	struct route *route, *there;

	while ((route = STAILQ_FIRST(&from->list)) != NULL) {
		STAILQ_REMOVE_HEAD(&from->list, next);
		there = RB_INSERT(route_tree, &to->tree, route);
		if (there != NULL) {
			there->notify =
			    dsn_notify_merge(there->notify, route->notify);
			route_free(route);
			continue;
		}
		STAILQ_INSERT_TAIL(&to->list, route, next);
		to->count++;
	}
	routes_init(from);
}

void
routes_clear(struct routes *routes)
{
	struct route *route;

	while ((route = STAILQ_FIRST(&routes->list)) != NULL) {
		STAILQ_REMOVE_HEAD(&routes->list, next);
		route_free(route);
	}
	routes_init(routes);
}
