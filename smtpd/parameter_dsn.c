#include "smtpd/parameter_dsn.h"

#include <string.h>
#include <strings.h>

#include "common/dsn.h"

void
parameter_take_ret(struct command *c, const struct parameter *p)
{
	if (parameter_is_value(p, "FULL"))
		c->ret = DSN_RET_FULL;
	else if (parameter_is_value(p, "HDRS"))
		c->ret = DSN_RET_HDRS;
	else
		command_fail(c, 501, "5.5.4 RET is FULL or HDRS");
}

/* The value as a text in `to`, of `size` octets. */
static bool
copy_value(const struct parameter *p, char *to, size_t size)
{
	if (p->value == NULL || p->value_length >= size)
		return false;
	memcpy(to, p->value, p->value_length);
	to[p->value_length] = '\0';
	return true;
}

void
parameter_take_envid(struct command *c, const struct parameter *p)
{
	if (!copy_value(p, c->envid, sizeof(c->envid)) ||
	    !dsn_envid_is_valid(c->envid))
		command_fail(
		    c, 501, "5.5.4 ENVID needs at most 100 octets of xtext");
}

void
parameter_take_orcpt(struct command *c, const struct parameter *p)
{
	if (!copy_value(p, c->orcpt, sizeof(c->orcpt)) ||
	    !dsn_orcpt_is_valid(c->orcpt))
		command_fail(c, 501,
		    "5.5.4 ORCPT needs a type, \";\" and xtext, at most 500 "
		    "octets");
}

/* 0 if there is no such keyword. */
static unsigned int
notify_bit(const char *word, size_t length)
{
	static const struct {
		const char *word;
		unsigned int bit;
	} words[] = {
		{ "NEVER", DSN_NOTIFY_NEVER },
		{ "SUCCESS", DSN_NOTIFY_SUCCESS },
		{ "FAILURE", DSN_NOTIFY_FAILURE },
		{ "DELAY", DSN_NOTIFY_DELAY },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].word) == length &&
		    strncasecmp(words[i].word, word, length) == 0)
			return words[i].bit;
	return 0;
}

/* A list with commas; 0 if it is none. */
static unsigned int
read_notify(const char *list, size_t length)
{
	const char *end = list + length;
	unsigned int notify = 0;

	for (;;) {
		const char *comma = memchr(list, ',', (size_t)(end - list));
		const char *stop = comma != NULL ? comma : end;
		unsigned int bit = notify_bit(list, (size_t)(stop - list));

		if (bit == 0)
			return 0;
		notify |= bit;
		if (comma == NULL)
			break;
		list = comma + 1;
	}
	return dsn_notify_is_valid(notify) ? notify : 0;
}

void
parameter_take_notify(struct command *c, const struct parameter *p)
{
	if (p->value != NULL)
		c->notify = read_notify(p->value, p->value_length);
	if (c->notify == 0)
		command_fail(c, 501,
		    "5.5.4 NOTIFY is NEVER, or some of SUCCESS,FAILURE,DELAY");
}
