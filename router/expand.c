#include "router/expand.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "common/id.h"
#include "common/log.h"
#include "router/mailbox.h"
#include "router/walk.h"

static enum step
refuse_by_rule(struct walk *w, const struct rule_config *rule,
    const struct address *to, const struct origin *from)
{
	const char *text = rule->reject_reply;

	if (text == NULL)
		text = rule->reject_code < 500 ? "4.7.1 Refused by policy"
					       : "5.7.1 Refused by policy";
	reply_set(&w->out->reply, rule->reject_code, "%s", text);
	if (from->depth > 0)
		log_warn("alias-refused id=%s file=\"%s\" line=%u key=\"%s\" "
			 "to=\"%s\" rule=%u",
		    id_format(w->id).text, log_text(from->place), from->line,
		    log_text(from->key), log_text(to->text), rule->line);
	return reply_is_temporary(&w->out->reply) ? STEP_DEFERRED
						  : STEP_REFUSED;
}

static enum step
follow_rule(struct walk *w, const struct rule_config *rule,
    const struct address *to, const struct origin *from)
{
	switch (rule->action) {
	case RULE_MAILBOX:
		return mailbox_resolve(w, rule->mailbox, to, from);
	case RULE_RELAY:
		if (rule->relay != NULL)
			return walk_add_route(
			    w, ROUTE_RELAY, rule->relay, "", to, from);
		return walk_add_route(w, ROUTE_MX, "", "", to, from);
	case RULE_REJECT:
		break;
	}
	return refuse_by_rule(w, rule, to, from);
}

/* No alias led there. */
static const struct origin given = { 0, NULL, "", "", 0, false, NULL, NULL };

/* What the client itself sends to. `otherwise`, if any, is the rule of an
 * address that is ours whatever the others say of it, short of rejecting it. */
static enum step
resolve_given(struct walk *w, const struct address *to,
    const struct rule_config *otherwise)
{
	const struct expander *e = w->expander;
	const struct rule_config *rule;

	switch (rules_match(e->config, e->tables, w->facts, to, &rule)) {
	case RULES_ERROR:
		w->out->rule = rule->line;
		return walk_defer_lookup(w);
	case RULES_NONE:
	case RULES_MATCHED:
		break;
	}
	if (otherwise != NULL && (rule == NULL || rule->action == RULE_RELAY))
		rule = otherwise;
	if (rule == NULL) {
		reply_set(&w->out->reply, 550, "5.7.1 Relaying denied");
		return STEP_REFUSED;
	}
	w->out->rule = rule->line;
	return follow_rule(w, rule, to, &given);
}

/* The first rule, if any, that gives mail to a mailbox; and a domain of it. */
static const struct rule_config *
first_mailbox_rule(const struct expander *e, const char **domain)
{
	const struct config *config = e->config;
	const struct table_config *table;
	const struct rule_config *rule;

	*domain = config->hostname;
	for (unsigned int i = 0; i < config->rule_count; i++) {
		rule = &config->rules[i];
		if (rule->action != RULE_MAILBOX)
			continue;
		if (rule->to_domain != NULL)
			*domain = rule->to_domain;
		else if (rule->to_domain_table != NULL) {
			table = config_table(config, rule->to_domain_table);
			if (table != NULL && table->kind == TABLE_LIST &&
			    table->values[0] != NULL)
				*domain = table->values[0];
		}
		return rule;
	}
	return NULL;
}

/* "postmaster" without a domain. */
static enum step
resolve_given_postmaster(struct walk *w)
{
	const struct rule_config *rule;
	struct address to;
	const char *domain;

	rule = first_mailbox_rule(w->expander, &domain);
	if (address_make("postmaster", domain, &to) == -1)
		return walk_defer_lookup(w);
	if (rule == NULL)
		return mailbox_resolve_postmaster(w, NULL, &to);
	return resolve_given(w, &to, rule);
}

/* What an alias names, or this host reports to: the rules for this host itself,
 * then those for whoever has logged in, and if none speaks of it, its MX. */
static enum step
resolve_named(
    struct walk *w, const struct address *to, const struct origin *from)
{
	const struct sockaddr_in loopback = {
		.sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	const struct expander *e = w->expander;
	struct rule_facts facts = {
		.local = true,
		.forwarded = true,
		.client = (const struct sockaddr *)&loopback,
		.sender = w->facts->sender,
	};
	const struct rule_config *rule;

	for (int pass = 0; pass < 2; pass++) {
		facts.authenticated = pass == 1;
		switch (rules_match(e->config, e->tables, &facts, to, &rule)) {
		case RULES_ERROR:
			return walk_defer_lookup(w);
		case RULES_MATCHED:
			if (from->depth == 0)
				w->out->rule = rule->line;
			return follow_rule(w, rule, to, from);
		case RULES_NONE:
			break;
		}
	}
	return walk_add_route(w, ROUTE_MX, "", "", to, from);
}

void
expand_recipient(const struct expander *expander, uint64_t id,
    const struct rule_facts *facts, const struct address *to,
    struct expansion *out)
{
	struct walk w = {
		.resolver = resolve_named,
		.expander = expander,
		.facts = facts,
		.original = to->text,
		.id = id,
		.out = out,
	};
	enum step step;

	out->rule = 0;
	routes_init(&out->routes);
	routes_init(&w.strays);
	visits_init(&w.visits);
	if (to->domain[0] == '\0')
		step = resolve_given_postmaster(&w);
	else if (facts->report)
		step = resolve_named(&w, to, &given);
	else
		step = resolve_given(&w, to, NULL);
	if (step == STEP_ROUTED) {
		routes_move(&out->routes, &w.strays);
		reply_set(&out->reply, 250, "2.1.5 Ok");
	} else
		routes_clear(&out->routes);
	routes_clear(&w.strays);
	visits_clear(&w.visits);
}
