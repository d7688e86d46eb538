/* The statements `accept` and `reject`. */
#include "common/config_statement.h"

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/config_value.h"

#define REJECT_DEFAULT "550 5.7.1 Not accepted here"
/* A reply line of RFC 5321 4.5.3.1.5, with its code and CRLF. */
#define REJECT_TEXT_MOST 500

typedef const struct config_token *token;

void
build_rule_start(struct config_build *b, token at)
{
	rule_config_clear(&b->rule); /* one that an error cut off */
	b->rule.line = at->line;
	b->place = (struct rule_place){ .token = *at };
}

/* Each of from, sender and to is a condition once a rule. */
static bool
condition_once(struct config_build *b, token at, bool *has)
{
	if (*has) {
		build_error(b, at,
		    "this rule has a `%s` already; write another rule",
		    at->text);
		return false;
	}
	*has = true;
	return true;
}

void
build_from_any(struct config_build *b, token at)
{
	(void)condition_once(b, at, &b->place.has_from);
}

void
build_from_local(struct config_build *b, token at)
{
	if (condition_once(b, at, &b->place.has_from))
		b->rule.from_local = true;
}

void
build_from_authenticated(struct config_build *b, token at)
{
	if (condition_once(b, at, &b->place.has_from))
		b->rule.from_authenticated = true;
}

void
build_from_address(struct config_build *b, token at)
{
	(void)condition_once(b, at, &b->place.has_from);
}

void
build_from_network(struct config_build *b, token text)
{
	struct network network, *from;

	if (!build_network(b, text, &network))
		return;
	if (b->network_count == LIMIT_CONFIG_ITEMS) {
		build_error(b, text, "at most %d networks in all rules",
		    LIMIT_CONFIG_ITEMS);
		return;
	}
	from = build_room(
	    b, text, b->rule.from, b->rule.from_count, sizeof(network));
	if (from == NULL)
		return;
	b->rule.from = from;
	b->network_count++;
	b->rule.from[b->rule.from_count++] = network;
}

static char *
use_table(struct config_build *b, token table)
{
	build_use(b, THING_TABLE, table);
	return build_copy(b, table->text);
}

void
build_sender(struct config_build *b, token at, token address)
{
	if (condition_once(b, at, &b->place.has_sender))
		b->rule.sender =
		    build_address(b, address, ADDRESS_REVERSE_PATH);
}

void
build_sender_domain(struct config_build *b, token at, token domain)
{
	if (condition_once(b, at, &b->place.has_sender))
		b->rule.sender_domain = build_domain(b, domain);
}

void
build_sender_domain_table(struct config_build *b, token at, token table)
{
	if (condition_once(b, at, &b->place.has_sender))
		b->rule.sender_domain_table = use_table(b, table);
}

void
build_to_any(struct config_build *b, token at)
{
	(void)condition_once(b, at, &b->place.has_to);
}

void
build_to(struct config_build *b, token at, token address)
{
	if (condition_once(b, at, &b->place.has_to))
		b->rule.to = build_address(b, address, ADDRESS_FORWARD_PATH);
}

void
build_to_domain(struct config_build *b, token at, token domain)
{
	if (condition_once(b, at, &b->place.has_to))
		b->rule.to_domain = build_domain(b, domain);
}

void
build_to_domain_table(struct config_build *b, token at, token table)
{
	if (condition_once(b, at, &b->place.has_to))
		b->rule.to_domain_table = use_table(b, table);
}

void
build_rule_mailbox(struct config_build *b, token name)
{
	b->rule.action = RULE_MAILBOX;
	b->rule.mailbox = build_copy(b, name->text);
	build_use(b, THING_MAILBOX, name);
}

void
build_rule_relay(struct config_build *b, token name)
{
	b->rule.action = RULE_RELAY;
	if (name == NULL)
		return;
	b->rule.relay = build_copy(b, name->text);
	build_use(b, THING_RELAY, name);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A dot and one to three digits; NULL if it is not. */
static const char *
skip_subject(const char *text)
{
	unsigned int digits = 0;

	if (*text++ != '.')
		return NULL;
	while (is_digit(*text) && digits < 4) {
		text++;
		digits++;
	}
	return digits >= 1 && digits <= 3 ? text : NULL;
}

/* Does it begin with an enhanced status code (RFC 3463) of that class? */
static bool
has_enhanced_code(const char *text, char class)
{
	const char *after;

	if (*text != class || (after = skip_subject(text + 1)) == NULL ||
	    (after = skip_subject(after)) == NULL)
		return false;
	return *after == ' ' && after[1] != '\0';
}

/* 421 ends a session (RFC 5321 3.8), which no rule does. */
static bool
is_reply_code(const char *text)
{
	return strncmp(text, "421", 3) != 0 &&
	       (text[0] == '4' || text[0] == '5') && text[1] >= '0' &&
	       text[1] <= '5' && is_digit(text[2]) && text[3] == ' ';
}

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

void
build_rule_reject(struct config_build *b, token reply)
{
	const char *text = reply != NULL ? reply->text : REJECT_DEFAULT;

	b->rule.action = RULE_REJECT;
	if (!is_reply_code(text) || !has_enhanced_code(text + 4, text[0])) {
		build_error(b, reply != NULL ? reply : &b->place.token,
		    "expected a reply such as \"550 5.7.1 Go away\": a code "
		    "4xx or 5xx but 421, its enhanced code 4.x.y or 5.x.y, and "
		    "text");
		return;
	}
	if (!is_ascii(text) || strlen(text) > REJECT_TEXT_MOST) {
		build_error(b, reply != NULL ? reply : &b->place.token,
		    "a reply is plain ASCII of at most %d characters",
		    REJECT_TEXT_MOST);
		return;
	}
	b->rule.reject_code =
	    (uint16_t)((text[0] - '0') * 100 + (text[1] - '0') * 10 +
		       (text[2] - '0'));
	b->rule.reject_reply = build_copy(b, text + 4);
}

void
build_rule_end(struct config_build *b)
{
	struct config *c = b->config;
	token at = &b->place.token;
	struct rule_config *rules =
	    build_room(b, at, c->rules, c->rule_count, sizeof(*rules));
	struct rule_place *places;

	if (rules == NULL)
		return;
	c->rules = rules;
	places = build_room(b, at, b->places, c->rule_count, sizeof(*places));
	if (places == NULL)
		return;
	b->places = places;
	places[c->rule_count] = b->place;
	rules[c->rule_count++] = b->rule;
	b->rule = (struct rule_config){ 0 };
}
