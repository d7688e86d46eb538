/*
 * The log: one line an event, `event key=value key="text"`, the message id
 * in every line that is about a message. Never a password, never content.
 *
 * Lines go to syslog over a socket that the supervisor opened (so that a
 * process without a file system can log), or to standard error. The format
 * string is ours; text that came from outside is passed through log_text().
 * Logging never blocks, if the descriptor does not, and never fails: a line
 * that cannot be written is counted, and the count is logged when one can be
 * again. A socket need not be non-blocking for that.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/program.h"

enum log_form {
	LOG_FORM_STDERR, /* "program[pid]: line\n" */
	LOG_FORM_SYSLOG, /* RFC 3164 datagrams, as /dev/log takes them */
};

/* Until the first call lines go to standard error. Takes the descriptor. */
void log_open(int fd_take, enum log_form, bool verbose);
/* Where lines go now, for a process that closes all else. */
int log_descriptor(void);
/* The name in each line; starts as the program's. */
void log_program(enum program);

/* Called once when the log socket has broken; the supervisor is asked for a
 * new one there. NULL for none. */
void log_on_lost(void (*lost)(uint32_t lines));

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Only with `-v`. */
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* `text` made printable for a quoted value, in one of a few static buffers:
 * good until the eighth call after this one. */
const char *log_text(const char *text);

/* Before the loop starts only: says why, with errno if it is not zero, and
 * exits with the code (sysexits(3)). */
void log_fatal(int code, const char *format, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

#endif
