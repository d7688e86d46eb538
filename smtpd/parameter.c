#include "smtpd/parameter.h"

#include <string.h>
#include <strings.h>

#include "smtpd/parameter_dsn.h"

/* RFC 1870: 1*20DIGIT. A number beyond 64 bits is more than any limit. */
static int
parse_size(const char *text, size_t length, uint64_t *size)
{
	uint64_t value = 0;

	if (length == 0 || length > 20)
		return -1;
	for (size_t i = 0; i < length; i++) {
		uint64_t digit = (uint64_t)(text[i] - '0');

		if (text[i] < '0' || text[i] > '9')
			return -1;
		if (value > (UINT64_MAX - digit) / 10)
			value = UINT64_MAX;
		else
			value = value * 10 + digit;
	}
	*size = value;
	return 0;
}

static bool
is_keyword(const struct parameter *p, const char *keyword)
{
	return strlen(keyword) == p->keyword_length &&
	       strncasecmp(keyword, p->keyword, p->keyword_length) == 0;
}

bool
parameter_is_value(const struct parameter *p, const char *value)
{
	return p->value != NULL && strlen(value) == p->value_length &&
	       strncasecmp(value, p->value, p->value_length) == 0;
}

/* RFC 5321 4.1.2: esmtp-keyword, and an esmtp-value without "=". */
static bool
parameter_is_valid(const struct parameter *p)
{
	for (size_t i = 0; i < p->keyword_length; i++) {
		char c = p->keyword[i];
		bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			     (c >= 'a' && c <= 'z');

		if (!alnum && (c != '-' || i == 0))
			return false;
	}
	if (p->keyword_length == 0)
		return false;
	return p->value == NULL ||
	       (p->value_length > 0 &&
		   memchr(p->value, '=', p->value_length) == NULL);
}

/* Takes the parameter at `text`; returns what follows it. */
static const char *
next_parameter(const char *text, struct parameter *p)
{
	size_t length = strcspn(text, " ");
	const char *equals = memchr(text, '=', length);

	p->keyword = text;
	p->keyword_length = equals != NULL ? (size_t)(equals - text) : length;
	p->value = equals != NULL ? equals + 1 : NULL;
	p->value_length = equals != NULL ? length - p->keyword_length - 1 : 0;
	text += length;
	return text + strspn(text, " ");
}

static void
take_size(struct command *c, const struct parameter *p)
{
	if (p->value == NULL ||
	    parse_size(p->value, p->value_length, &c->size) == -1)
		command_fail(c, 501, "5.5.4 SIZE needs a number");
}

static void
take_body(struct command *c, const struct parameter *p)
{
	if (parameter_is_value(p, "8BITMIME"))
		c->body = SMTP_BODY_8BITMIME;
	else if (parameter_is_value(p, "7BIT"))
		c->body = SMTP_BODY_7BIT;
	else if (parameter_is_value(p, "BINARYMIME"))
		command_fail(c, 504, "5.5.4 BODY=BINARYMIME is not offered");
	else
		command_fail(c, 501, "5.5.4 BODY is 7BIT or 8BITMIME");
}

static const struct rule {
	enum command_verb verb;
	const char *keyword;
	void (*take)(struct command *, const struct parameter *);
	const char *twice;
} rules[] = {
	{ COMMAND_MAIL, "SIZE", take_size, "5.5.4 SIZE is given twice" },
	{ COMMAND_MAIL, "BODY", take_body, "5.5.4 BODY is given twice" },
	{ COMMAND_MAIL, "RET", parameter_take_ret, "5.5.4 RET is given twice" },
	{ COMMAND_MAIL, "ENVID", parameter_take_envid,
	    "5.5.4 ENVID is given twice" },
	{ COMMAND_RCPT, "NOTIFY", parameter_take_notify,
	    "5.5.4 NOTIFY is given twice" },
	{ COMMAND_RCPT, "ORCPT", parameter_take_orcpt,
	    "5.5.4 ORCPT is given twice" },
};

#define RULES (sizeof(rules) / sizeof(rules[0]))

/* `seen` has a bit for each rule. */
static void
take(struct command *c, const struct parameter *p, unsigned int *seen)
{
	for (size_t i = 0; i < RULES; i++) {
		if (rules[i].verb != c->verb ||
		    !is_keyword(p, rules[i].keyword))
			continue;
		if ((*seen & 1u << i) != 0)
			command_fail(c, 501, rules[i].twice);
		else
			rules[i].take(c, p);
		*seen |= 1u << i;
		return;
	}
	command_fail(c, 555, "5.5.4 Unknown parameter");
}

void
parameters_parse(struct command *c, const char *text)
{
	struct parameter p;
	unsigned int seen = 0;

	while (*text != '\0' && c->error_code == 0) {
		text = next_parameter(text, &p);
		if (!parameter_is_valid(&p))
			command_fail(c, 501, "5.5.4 Malformed parameter");
		else
			take(c, &p, &seen);
	}
}
