/*
 * What became of one copy of a message, and why, in the words that the
 * administrator will read: an enhanced status code first (RFC 3463).
 */
#ifndef DELIVER_LOCAL_RESULT_H
#define DELIVER_LOCAL_RESULT_H

#include "common/mail.h"

#define RESULT_REPLY 1024

struct result {
	enum report_outcome outcome;
	enum report_scope scope;
	char reply[RESULT_REPLY];
};

void result_set(struct result *, enum report_outcome, enum report_scope,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Something of the host failed, which is never the message's fault: deferred,
 * with the code that fits the error. `what` says what was tried. */
void result_set_error(
    struct result *, enum report_scope, int error, const char *what);

#endif
