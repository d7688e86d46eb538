#include "common/config_check.h"

#include <netinet/in.h>

#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/address.h"
#include "common/config_words.h"

static const char *const thing_names[] = {
	[THING_TABLE] = "table",
	[THING_MAILBOX] = "mailbox",
	[THING_RELAY] = "relay",
};

static void
check_name(struct config_build *b, const struct config_name *use)
{
	struct nearest_word nearest;

	nearest_word_start(&nearest, use->token.text);
	for (unsigned int i = 0; i < b->definition_count; i++) {
		const struct config_name *d = &b->definitions[i];

		if (d->thing != use->thing)
			continue;
		if (strcmp(d->token.text, use->token.text) == 0)
			return;
		nearest_word_try(&nearest, d->token.text);
	}
	build_error(b, &use->token, "no %s \"%s\" is defined%s%s%s",
	    thing_names[use->thing], use->token.text,
	    nearest.best != NULL ? "; did you mean \"" : "",
	    nearest.best != NULL ? nearest.best : "",
	    nearest.best != NULL ? "\"?" : "");
}

static bool
network_covers(const struct network *wide, const struct network *narrow)
{
	unsigned int octets = wide->prefix / 8, bits = wide->prefix % 8;

	if (wide->family != narrow->family || wide->prefix > narrow->prefix ||
	    memcmp(wide->address, narrow->address, octets) != 0)
		return false;
	return bits == 0 || (wide->address[octets] ^ narrow->address[octets]) >>
				    (8 - bits) ==
				0;
}

static bool
networks_cover(const struct rule_config *r, const struct network *n)
{
	static const struct network loopback[] = {
		{ AF_INET, { 127 }, 8 },
		{ AF_INET6, { [15] = 1 }, 128 },
	};

	for (unsigned int i = 0; i < r->from_count; i++)
		if (network_covers(&r->from[i], n))
			return true;
	return r->from_local && (network_covers(&loopback[0], n) ||
				    network_covers(&loopback[1], n));
}

static bool
from_is_everyone(const struct rule_config *r)
{
	return !r->from_local && !r->from_authenticated && r->from_count == 0;
}

static bool
from_covers(const struct rule_config *a, const struct rule_config *b)
{
	if (from_is_everyone(a))
		return true;
	if (b->from_local || b->from_authenticated)
		return (a->from_local && b->from_local) ||
		       (a->from_authenticated && b->from_authenticated);
	if (b->from_count == 0)
		return false;
	for (unsigned int i = 0; i < b->from_count; i++)
		if (!networks_cover(a, &b->from[i]))
			return false;
	return true;
}

/* As rules compare addresses: without regard to case. */
static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcasecmp(a, b) == 0;
}

/* The condition on an address: a whole one, its domain, or a table. */
struct condition {
	const char *address, *domain, *table;
};

static bool
condition_covers(struct condition a, struct condition b)
{
	const char *at = b.address != NULL ? strrchr(b.address, '@') : NULL;

	if (a.address == NULL && a.domain == NULL && a.table == NULL)
		return true;
	return same(a.address, b.address) || same(a.domain, b.domain) ||
	       (a.table != NULL && b.table != NULL &&
		   strcmp(a.table, b.table) == 0) ||
	       (at != NULL && same(a.domain, at + 1));
}

static bool
rule_covers(const struct rule_config *a, const struct rule_config *b)
{
	struct condition a_sender = { a->sender, a->sender_domain,
		a->sender_domain_table };
	struct condition b_sender = { b->sender, b->sender_domain,
		b->sender_domain_table };
	struct condition a_to = { a->to, a->to_domain, a->to_domain_table };
	struct condition b_to = { b->to, b->to_domain, b->to_domain_table };

	return from_covers(a, b) && condition_covers(a_sender, b_sender) &&
	       condition_covers(a_to, b_to);
}

/* Wider than any network that has one owner: 10.0.0.0/8, fc00::/7. */
static bool
is_half_the_world(const struct network *n)
{
	return n->prefix < (n->family == AF_INET ? 8 : 7);
}

static bool
from_is_open(const struct rule_config *r)
{
	if (from_is_everyone(r))
		return true;
	for (unsigned int i = 0; i < r->from_count; i++)
		if (is_half_the_world(&r->from[i]))
			return true;
	return false;
}

static bool
relay_rule_is_safe(struct config_build *b, unsigned int i)
{
	const struct rule_config *r = &b->config->rules[i];

	if (r->to != NULL || r->to_domain != NULL ||
	    r->to_domain_table != NULL || !from_is_open(r))
		return true;
	build_error(b, &b->places[i].token,
	    "this would be an open relay: anyone could send to anywhere "
	    "through this host%s; say from whom (from local, from address "
	    "NETWORK) or to which domain (to domain \"NAME\")",
	    r->sender != NULL || r->sender_domain != NULL ||
		    r->sender_domain_table != NULL
		? ", since a sender is easily forged"
		: "");
	return false;
}

static bool
mailbox_rule_is_safe(struct config_build *b, unsigned int i)
{
	const struct rule_place *place = &b->places[i];

	if (place->has_to)
		return true;
	build_error(b, &place->token,
	    "this would take the mail of every domain for local; say to "
	    "domain \"NAME\", or to any if that is meant");
	return false;
}

static bool
rule_is_safe(struct config_build *b, unsigned int i)
{
	switch (b->config->rules[i].action) {
	case RULE_MAILBOX:
		return mailbox_rule_is_safe(b, i);
	case RULE_RELAY:
		return relay_rule_is_safe(b, i);
	case RULE_REJECT:
		break;
	}
	return true;
}

/* A rule that is wrong itself hides no other and is not hidden. */
static void
check_rule(struct config_build *b, unsigned int i)
{
	const struct config *c = b->config;

	b->places[i].wrong = !rule_is_safe(b, i);
	if (b->places[i].wrong)
		return;
	for (unsigned int earlier = 0; earlier < i; earlier++)
		if (!b->places[earlier].wrong &&
		    rule_covers(&c->rules[earlier], &c->rules[i])) {
			build_error(b, &b->places[i].token,
			    "this rule is never reached: the one on line %u "
			    "decides about all that it matches",
			    c->rules[earlier].line);
			return;
		}
}

/* The host's own name, if it is a whole one. */
static void
default_hostname(struct config_build *b)
{
	char name[LIMIT_DOMAIN + 1] = "";

	if (gethostname(name, sizeof(name) - 1) == -1 ||
	    strchr(name, '.') == NULL || !domain_is_valid(name)) {
		source_error_whole(b->lexer.source,
		    "say what this host is called: hostname "
		    "\"mail.example.org\"");
		return;
	}
	for (char *c = name; *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + ('a' - 'A'));
	b->config->hostname = build_copy(b, name);
}

static void
check_whole(struct config_build *b)
{
	const struct config *c = b->config;
	bool accepts = false;

	if (c->hostname == NULL)
		default_hostname(b);
	if (c->listen_count == 0)
		source_error_whole(b->lexer.source,
		    "nothing is listened on, so no mail could come in; say: "
		    "listen on * port 25");
	for (unsigned int i = 0; i < c->rule_count; i++)
		accepts = accepts || c->rules[i].action != RULE_REJECT;
	if (!accepts)
		source_warn_whole(b->lexer.source,
		    "no rule accepts mail, so all of it will be refused");
}

void
config_check(struct config_build *b)
{
	for (unsigned int i = 0; i < b->use_count; i++)
		check_name(b, &b->uses[i]);
	for (unsigned int i = 0; i < b->config->rule_count; i++)
		check_rule(b, i);
	check_whole(b);
}
