/*
 * The part of a report that people read: what happened to which message, for
 * whom, what the other side said, and what there is to do. Pure, but for the
 * stream.
 */
#ifndef QUEUE_DSN_WORDS_H
#define QUEUE_DSN_WORDS_H

#include <stdbool.h>
#include <stdio.h>

struct dsn_report;

/* What comes back of the message, and why no more. */
enum dsn_returned {
	DSN_RETURN_NOTHING, /* it cannot be read */
	DSN_RETURN_HEADER,  /* which is enough, or was asked for */
	DSN_RETURN_LARGE,   /* its header, since it is too large */
	DSN_RETURN_UNSOUND, /* its header, since the rest cannot be sent so */
	DSN_RETURN_ALL,
};

const char *dsn_words_subject(const struct dsn_report *);
/* Are there addresses or replies for which it needs UTF-8? */
bool dsn_words_are_utf8(const struct dsn_report *);
void dsn_words_put(FILE *, const struct dsn_report *, enum dsn_returned);

#endif
