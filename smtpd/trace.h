/*
 * The trace header that smtpd puts before each message (RFC 5321 4.4). Pure.
 */
#ifndef SMTPD_TRACE_H
#define SMTPD_TRACE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/limits.h"
#include "common/mail.h"

struct trace {
	const char *helo;
	const char *client_name; /* "" if not known */
	const char *client_address;
	const char *hostname;
	enum smtp_protocol protocol;
	uint64_t id;
	const char *recipient; /* the only one; NULL if there are more */
	time_t time;
};

/* Writes the folded Received field with its CRLF. What is not printable, or
 * could end a comment or the field, becomes "?". Returns the length; a NUL is
 * written too. */
size_t trace_format(char to[LIMIT_TRACE], const struct trace *);

#endif
