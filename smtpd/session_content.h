/*
 * The content of a session's transaction, from 354 to the end of data.
 */
#ifndef SMTPD_SESSION_CONTENT_H
#define SMTPD_SESSION_CONTENT_H

#include <stddef.h>
#include <stdint.h>

struct session;

/* The answer to a DATA that may come now. */
void session_begin_content(struct session *);
/* Takes octets up to the end of data; returns how many. */
size_t session_take_content(struct session *, const uint8_t *, size_t length);
/* What speaks against the content already, if anything: for one that has had
 * its time before the end of data, and need not be tried again. */
void session_say_refusal(struct session *);

#endif
