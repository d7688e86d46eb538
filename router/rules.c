#include "router/rules.h"

#include <string.h>
#include <strings.h>

enum condition { HOLDS, FAILS, UNKNOWN };

/* What an alias forwards reaches every mailbox, whoever its rule is for: the
 * domain is ours, and relaying it would bring it back to us. */
static bool
from_holds(const struct rule_config *rule, const struct rule_facts *facts)
{
	if (facts->forwarded && rule->action == RULE_MAILBOX)
		return true;
	if (rule->from_local && !facts->local)
		return false;
	if (rule->from_authenticated && !facts->authenticated)
		return false;
	if (rule->from_count == 0)
		return true;
	for (unsigned int i = 0; i < rule->from_count; i++)
		if (facts->client != NULL &&
		    network_contains(&rule->from[i], facts->client))
			return true;
	return false;
}

/* The three ways to name an address in a rule; NULL is "any". The case of a
 * local part is ignored: to refuse "bob@" and take "BOB@" would be no rule. */
static enum condition
address_holds(const struct tables *tables, const struct address *address,
    const char *whole, const char *domain, const char *domain_table)
{
	struct table_value value;
	struct table *table;

	if (whole != NULL && strcasecmp(whole, address->text) != 0)
		return FAILS;
	if (domain != NULL && strcasecmp(domain, address->domain) != 0)
		return FAILS;
	if (domain_table == NULL)
		return HOLDS;
	if (address->domain[0] == '\0')
		return FAILS;
	table = tables_find(tables, domain_table);
	if (table == NULL)
		return UNKNOWN;
	switch (table_lookup(table, address->domain, &value)) {
	case TABLE_FOUND:
		return HOLDS;
	case TABLE_NONE:
		return FAILS;
	case TABLE_ERROR:
		break;
	}
	return UNKNOWN;
}

static enum condition
rule_holds(const struct tables *tables, const struct rule_config *rule,
    const struct rule_facts *facts, const struct address *recipient)
{
	enum condition sender, to;

	if (!from_holds(rule, facts))
		return FAILS;
	sender = address_holds(tables, facts->sender, rule->sender,
	    rule->sender_domain, rule->sender_domain_table);
	if (sender == FAILS)
		return FAILS;
	to = address_holds(tables, recipient, rule->to, rule->to_domain,
	    rule->to_domain_table);
	return to == HOLDS ? sender : to;
}

enum rules_result
rules_match(const struct config *config, const struct tables *tables,
    const struct rule_facts *facts, const struct address *recipient,
    const struct rule_config **rule)
{
	for (unsigned int i = 0; i < config->rule_count; i++) {
		*rule = &config->rules[i];
		switch (rule_holds(tables, *rule, facts, recipient)) {
		case HOLDS:
			return RULES_MATCHED;
		case UNKNOWN:
			return RULES_ERROR;
		case FAILS:
			break;
		}
	}
	*rule = NULL;
	return RULES_NONE;
}
