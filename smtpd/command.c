#include "smtpd/command.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "smtpd/parameter.h"

struct word {
	const char *name;
	enum command_verb verb;
};

static const struct word words[] = {
	{ "MAIL", COMMAND_MAIL },
	{ "RCPT", COMMAND_RCPT },
	{ "DATA", COMMAND_DATA },
	{ "EHLO", COMMAND_EHLO },
	{ "QUIT", COMMAND_QUIT },
	{ "RSET", COMMAND_RSET },
	{ "HELO", COMMAND_HELO },
	{ "NOOP", COMMAND_NOOP },
	{ "VRFY", COMMAND_VRFY },
	{ "HELP", COMMAND_HELP },
	{ "EXPN", COMMAND_ABSENT },
	{ "STARTTLS", COMMAND_ABSENT },
	{ "AUTH", COMMAND_ABSENT },
	{ "BDAT", COMMAND_ABSENT },
	{ "ETRN", COMMAND_ABSENT },
	{ "ATRN", COMMAND_ABSENT },
	{ "TURN", COMMAND_ABSENT },
	{ "SEND", COMMAND_ABSENT },
	{ "SOML", COMMAND_ABSENT },
	{ "SAML", COMMAND_ABSENT },
	{ "BURL", COMMAND_ABSENT },
	{ "XCLIENT", COMMAND_ABSENT },
	{ "XFORWARD", COMMAND_ABSENT },
	{ "GET", COMMAND_HTTP },
	{ "POST", COMMAND_HTTP },
	{ "PUT", COMMAND_HTTP },
	{ "HEAD", COMMAND_HTTP },
	{ "DELETE", COMMAND_HTTP },
	{ "CONNECT", COMMAND_HTTP },
	{ "OPTIONS", COMMAND_HTTP },
	{ "TRACE", COMMAND_HTTP },
	{ "PATCH", COMMAND_HTTP },
	{ "PRI", COMMAND_HTTP },
	{ "Host:", COMMAND_HTTP },
	{ "User-Agent:", COMMAND_HTTP },
	{ "Origin:", COMMAND_HTTP },
	{ "Content-Type:", COMMAND_HTTP },
	{ "Content-Length:", COMMAND_HTTP },
};

#define WORDS (sizeof(words) / sizeof(words[0]))

void
command_fail(struct command *c, unsigned int code, const char *text)
{
	c->error_code = code;
	c->error_text = text;
}

static bool
is_printable(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (line[i] < 0x20 || line[i] >= 0x7f)
			return false;
	return true;
}

static enum command_verb
find_verb(const char *line, size_t length)
{
	for (size_t i = 0; i < WORDS; i++)
		if (strncasecmp(line, words[i].name, length) == 0 &&
		    words[i].name[length] == '\0')
			return words[i].verb;
	return COMMAND_UNKNOWN;
}

static const char *
skip_spaces(const char *text)
{
	return text + strspn(text, " ");
}

/* "FROM:" or "TO:", the path, and its parameters. */
static void
parse_path(struct command *c, const char *text)
{
	bool mail = c->verb == COMMAND_MAIL;
	const char *keyword = mail ? "FROM:" : "TO:";
	const char *end;

	if (strncasecmp(text, keyword, strlen(keyword)) != 0) {
		command_fail(c, 501,
		    mail ? "5.5.4 Syntax: MAIL FROM:<address>"
			 : "5.5.4 Syntax: RCPT TO:<address>");
		return;
	}
	text = skip_spaces(text + strlen(keyword));
	if (address_parse_path(text,
		mail ? ADDRESS_REVERSE_PATH : ADDRESS_FORWARD_PATH, &c->path,
		&end) == -1 ||
	    (*end != '\0' && *end != ' ')) {
		command_fail(c, 501,
		    mail ? "5.1.7 Bad sender address syntax"
			 : "5.1.3 Bad recipient address syntax");
		return;
	}
	parameters_parse(c, skip_spaces(end));
}

static void
parse_name(struct command *c, const char *text)
{
	if (domain_is_valid(text) || address_literal_is_valid(text))
		c->argument = text;
	else
		command_fail(c, 501,
		    c->verb == COMMAND_EHLO ? "5.5.4 Syntax: EHLO hostname"
					    : "5.5.4 Syntax: HELO hostname");
}

static void
parse_arguments(struct command *c, const char *text)
{
	switch (c->verb) {
	case COMMAND_EHLO:
	case COMMAND_HELO:
		parse_name(c, text);
		break;
	case COMMAND_MAIL:
	case COMMAND_RCPT:
		parse_path(c, text);
		break;
	case COMMAND_DATA:
	case COMMAND_RSET:
	case COMMAND_QUIT:
		if (*text != '\0')
			command_fail(c, 501, "5.5.4 No argument is allowed");
		break;
	case COMMAND_VRFY:
		if (*text == '\0')
			command_fail(c, 501, "5.5.4 Syntax: VRFY address");
		c->argument = text;
		break;
	case COMMAND_NOOP:
	case COMMAND_HELP:
	case COMMAND_ABSENT:
	case COMMAND_HTTP:
	case COMMAND_UNKNOWN:
	case COMMAND_MALFORMED:
	case COMMAND_VERBS:
		break;
	}
}

void
command_parse(char *line, size_t length, struct command *c)
{
	size_t verb_length;

	c->error_code = 0;
	c->error_text = NULL;
	c->argument = "";
	c->size = 0;
	c->body = SMTP_BODY_7BIT;
	c->ret = DSN_RET_NONE;
	c->envid[0] = '\0';
	c->notify = 0;
	c->orcpt[0] = '\0';
	if (!is_printable(line, length)) {
		c->verb = COMMAND_MALFORMED;
		return;
	}
	while (length > 0 && line[length - 1] == ' ')
		length--;
	line[length] = '\0';
	verb_length = strcspn(line, " ");
	c->verb = find_verb(line, verb_length);
	parse_arguments(c, skip_spaces(line + verb_length));
}
