/*
 * SMTP replies as they go over the wire (RFC 5321 4.2). Pure.
 */
#ifndef SMTPD_REPLY_H
#define SMTPD_REPLY_H

#include <stddef.h>

#include "common/limits.h"

/* Room for every reply: the text, and for each line its code, its enhanced
 * code and CRLF, when all lines are a few octets. */
#define REPLY_SIZE ((size_t)8 * LIMIT_REPLY)
/* RFC 5321 4.5.3.1.5: 512 with the code and CRLF. */
#define REPLY_LINE 512

/* Writes `text`, whose lines are separated by CRLF, as one reply. The text
 * may come from another program: octets that are not printable ASCII become
 * "?", what is too long is cut. If the first line begins with an enhanced
 * code (RFC 2034), all lines do. Returns the length; no NUL is written. */
size_t reply_format(char *to, size_t size, unsigned int code, const char *text);

#endif
