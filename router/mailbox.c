#include "router/mailbox.h"

#include <ctype.h>
#include <string.h>

#include <bsd/string.h>

#include "common/id.h"
#include "common/log.h"
#include "common/login.h"
#include "router/aliases.h"

/* A local part as it is looked up: in lower case; and without its detail. */
struct lookup_name {
	char whole[LIMIT_LOCAL_PART + 1];
	char base[LIMIT_LOCAL_PART + 1];
};

static void
make_lookup_name(struct lookup_name *name, const struct address *to)
{
	char *detail;

	for (size_t i = 0; i < sizeof(name->whole); i++)
		name->whole[i] = (char)tolower((unsigned char)to->local[i]);
	strlcpy(name->base, name->whole, sizeof(name->base));
	detail = strchr(name->base, '+');
	if (detail != NULL && detail != name->base)
		*detail = '\0';
}

/* -- Users ----------------------------------------------------------------- */

static enum user_result
find_user(const struct expander *e, const struct mailbox_config *mailbox,
    const struct lookup_name *name, char login[LIMIT_USER + 1])
{
	enum user_result result;

	/* A table may have a user whose name has a plus sign. */
	if (mailbox->users == MAILBOX_USERS_TABLE &&
	    strcmp(name->whole, name->base) != 0) {
		result = users_find(e->users, mailbox, name->whole, login);
		if (result != USER_NONE)
			return result;
	}
	return users_find(e->users, mailbox, name->base, login);
}

static enum step
refuse_unknown(struct walk *w, const struct mailbox_config *mailbox,
    const struct lookup_name *name, const struct address *to,
    const struct origin *from)
{
	reply_set(&w->out->reply, 550, "5.1.1 No such user here");
	if (from->depth == 0 || w->last_resort)
		return STEP_REFUSED;
	log_warn("alias-stray id=%s file=\"%s\" line=%u key=\"%s\" to=\"%s\" "
		 "error=\"no such user\"",
	    id_format(w->id).text, log_text(from->place), from->line,
	    log_text(from->key), log_text(to->text));
	/* The queue would take such a route for a breach of the protocol. */
	if (!login_name_is_valid(name->base))
		return walk_defer_fault(
		    w, from, "it names what cannot be a login name");
	/* Any login would be delivered to, also one that the table leaves out
	 * on purpose. */
	if (mailbox->users == MAILBOX_USERS_TABLE)
		return walk_defer_fault(
		    w, from, "it names no user of the mailbox's table");
	if (walk_add_stray(w, mailbox->name, name->base, to, from) == -1)
		return walk_defer(w, "4.3.1 Out of memory");
	return STEP_REFUSED;
}

static enum step
resolve_user(struct walk *w, const struct mailbox_config *mailbox,
    const struct lookup_name *name, const struct address *to,
    const struct origin *from)
{
	char login[LIMIT_USER + 1];

	switch (find_user(w->expander, mailbox, name, login)) {
	case USER_FOUND:
		return walk_add_route(
		    w, ROUTE_MAILBOX, mailbox->name, login, to, from);
	case USER_NONE:
		return refuse_unknown(w, mailbox, name, to, from);
	case USER_ERROR:
		break;
	}
	return walk_defer_lookup(w);
}

/* -- Aliases --------------------------------------------------------------- */

static enum step
expand_item(struct walk *w, const char **value, const char *domain,
    struct origin *here, bool *end)
{
	struct alias_item item;

	switch (alias_next(value, domain, &item)) {
	case ALIAS_END:
		*end = true;
		return STEP_REFUSED;
	case ALIAS_UNSUPPORTED:
		return walk_defer_fault(w, here,
		    "commands, files and :include: are not supported yet");
	case ALIAS_INVALID:
		return walk_defer_fault(w, here, "not an address");
	case ALIAS_ADDRESS:
		break;
	}
	if (w->out->routes.count + w->strays.count >= LIMIT_EXPANSION)
		return walk_defer_fault(w, here, "it expands to too many");
	here->verbatim = item.verbatim;
	return walk_resolve(w, &item.address, here);
}

/* Every item; routed if one of them is. */
static enum step
expand_items(
    struct walk *w, const char *value, const char *domain, struct origin *here)
{
	enum step result = STEP_REFUSED;
	unsigned int items = 0;

	for (bool end = false; !end; items++) {
		enum step step = expand_item(w, &value, domain, here, &end);

		if (step == STEP_DEFERRED)
			return step;
		if (step == STEP_ROUTED)
			result = step;
	}
	return items == 1 ? walk_defer_fault(w, here, "it leads nowhere")
			  : result;
}

static enum step
expand_alias(struct walk *w, const struct mailbox_config *mailbox,
    const char *key, const struct table_value *value, const char *domain,
    const struct origin *from)
{
	struct origin here = { from->depth + 1, mailbox->name, key,
		value->place, value->line, false, mailbox->aliases, from };
	struct visit *visit = visits_find(&w->visits, mailbox->name, key);
	enum step step;

	if (visit != NULL)
		return visit->open
			   ? walk_defer_fault(w, &here, "it is in a loop")
			   : (enum step)visit->result;
	if (here.depth > LIMIT_ALIAS_DEPTH)
		return walk_defer_fault(w, &here, "nested too deep");
	if (w->visits.count >= LIMIT_EXPANSION)
		return walk_defer_fault(w, &here, "it expands to too many");
	visit = visits_add(&w->visits, mailbox->name, key);
	if (visit == NULL)
		return walk_defer(w, "4.3.1 Out of memory");
	step = expand_items(w, value->text, domain, &here);
	visit->open = false;
	visit->result = (int)step;
	return step;
}

static enum table_result
find_alias(const struct expander *e, const struct mailbox_config *mailbox,
    const struct lookup_name *name, const char **key, struct table_value *value)
{
	struct table *table = NULL;
	enum table_result result;

	if (mailbox->aliases == NULL)
		return TABLE_NONE;
	table = tables_find(e->tables, mailbox->aliases);
	if (table == NULL)
		return TABLE_ERROR;
	*key = name->whole;
	result = table_lookup(table, *key, value);
	if (result != TABLE_NONE || strcmp(name->whole, name->base) == 0)
		return result;
	*key = name->base;
	return table_lookup(table, *key, value);
}

/* "bob: bob, alice@example.net" means the user bob, not a loop. */
static bool
names_itself(const struct origin *from, const char *mailbox, const char *key)
{
	return from->mailbox != NULL && strcmp(from->mailbox, mailbox) == 0 &&
	       strcmp(from->key, key) == 0;
}

static enum step
resolve_name(struct walk *w, const struct mailbox_config *mailbox,
    const struct lookup_name *name, const struct address *to,
    const struct origin *from)
{
	struct table_value value;
	const char *key = NULL;

	if (from->verbatim)
		return resolve_user(w, mailbox, name, to, from);
	switch (find_alias(w->expander, mailbox, name, &key, &value)) {
	case TABLE_ERROR:
		return walk_defer_lookup(w);
	case TABLE_FOUND:
		if (!names_itself(from, mailbox->name, key))
			return expand_alias(
			    w, mailbox, key, &value, to->domain, from);
		break;
	case TABLE_NONE:
		break;
	}
	return resolve_user(w, mailbox, name, to, from);
}

/* -- postmaster ------------------------------------------------------------ */

static enum step
resolve_admin(struct walk *w)
{
	const struct config *config = w->expander->config;
	const struct origin from = { 1, NULL, "admin", config->path, 0, false,
		NULL, NULL };
	struct address admin;

	if (config->admin == NULL ||
	    address_parse(config->admin, 0, &admin) == -1)
		return STEP_REFUSED;
	return walk_resolve(w, &admin, &from);
}

static enum step
resolve_root(
    struct walk *w, const struct mailbox_config *mailbox, const char *domain)
{
	static const struct lookup_name root = { "root", "root" };
	static const struct origin from = { 1, NULL, "root", "", 0, false, NULL,
		NULL };
	struct table_value value;
	const char *key;

	if (mailbox == NULL)
		return STEP_REFUSED;
	switch (find_alias(w->expander, mailbox, &root, &key, &value)) {
	case TABLE_ERROR:
		return walk_defer_lookup(w);
	case TABLE_NONE:
		return STEP_REFUSED;
	case TABLE_FOUND:
		break;
	}
	return expand_alias(w, mailbox, key, &value, domain, &from);
}

/* RFC 5321 4.5.1: mail to postmaster is never refused for want of a user. */
enum step
mailbox_resolve_postmaster(struct walk *w, const struct mailbox_config *mailbox,
    const struct address *to)
{
	enum step step;

	w->last_resort = true;
	step = resolve_admin(w);
	if (step == STEP_REFUSED)
		step = resolve_root(w, mailbox, to->domain);
	w->last_resort = false;
	if (step != STEP_REFUSED)
		return step;
	log_error("postmaster-nowhere id=%s to=\"%s\" error=\"no alias, no "
		  "user and no admin: set one of them\"",
	    id_format(w->id).text, log_text(to->text));
	return walk_defer(w,
	    "4.3.5 The postmaster cannot be reached, please try "
	    "again later");
}

enum step
mailbox_resolve(struct walk *w, const char *mailbox_name,
    const struct address *to, const struct origin *from)
{
	const struct mailbox_config *mailbox =
	    config_mailbox(w->expander->config, mailbox_name);
	struct lookup_name name;
	enum step step;

	if (mailbox == NULL)
		return walk_defer_lookup(w);
	make_lookup_name(&name, to);
	step = resolve_name(w, mailbox, &name, to, from);
	if (step == STEP_REFUSED && !w->last_resort &&
	    strcmp(name.base, "postmaster") == 0)
		step = mailbox_resolve_postmaster(w, mailbox, to);
	return step;
}
