/*
 * The parameters of MAIL and RCPT (RFC 5321 4.1.2): SIZE, BODY, and those of
 * parameter_dsn.h. Pure.
 */
#ifndef SMTPD_PARAMETER_H
#define SMTPD_PARAMETER_H

#include <stdbool.h>
#include <stddef.h>

#include "smtpd/command.h"

/* Lent from the line; neither part ends in NUL. */
struct parameter {
	const char *keyword;
	size_t keyword_length;
	const char *value; /* NULL if there is none */
	size_t value_length;
};

/* In any case of letters. */
bool parameter_is_value(const struct parameter *, const char *value);

/* Reads all that follows the path, each parameter at most once. */
void parameters_parse(struct command *, const char *text);

#endif
