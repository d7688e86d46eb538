/*
 * One SMTP command line (RFC 5321 4.1) as a struct. Pure: octets in, struct
 * out.
 *
 * The syntax is strict, but for what harmless common clients do: letters of
 * either case, spaces at the end of the line, spaces between "FROM:" or "TO:"
 * and the path, more than one space between parameters. Not tolerated, since
 * nobody can be sure what they mean: a path without angle brackets, a tab or
 * another control character, 8-bit octets, a space before the verb.
 */
#ifndef SMTPD_COMMAND_H
#define SMTPD_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/limits.h"
#include "common/mail.h"

enum command_verb {
	COMMAND_EHLO,
	COMMAND_HELO,
	COMMAND_MAIL,
	COMMAND_RCPT,
	COMMAND_DATA,
	COMMAND_RSET,
	COMMAND_NOOP,
	COMMAND_VRFY,
	COMMAND_HELP,
	COMMAND_QUIT,
	COMMAND_ABSENT, /* in some RFC, but not offered here */
	COMMAND_HTTP,	/* a web browser was led astray */
	COMMAND_UNKNOWN,
	COMMAND_MALFORMED, /* octets that no command may have */
	COMMAND_VERBS
};

struct command {
	enum command_verb verb;
	/* The reply if the arguments are wrong; code 0 if they are good. */
	unsigned int error_code;
	const char *error_text;
	/* EHLO, HELO: the name. VRFY: what to verify. Lent from the line. */
	const char *argument;
	/* MAIL, RCPT. */
	struct address path;
	uint64_t size; /* SIZE, or 0; the greatest number if it overflowed */
	enum smtp_body body;
	enum dsn_ret ret; /* RFC 3461, here and below */
	char envid[LIMIT_ENVID + 1];
	unsigned int notify; /* DSN_NOTIFY_*; 0: not given */
	char orcpt[LIMIT_ORCPT + 1];
};

/* Reads a line of `length` octets without its CRLF; a NUL must follow it.
 * Trailing spaces are cut off in place. */
void command_parse(char *line, size_t length, struct command *);

/* For whoever parses a part of it: the reply if that is wrong; lent. */
void command_fail(struct command *, unsigned int code, const char *text);

#endif
