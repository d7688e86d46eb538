/*
 * The command lines of a session, from octets to the verbs: where a line ends,
 * which ones are thrown away, and which ones must wait for the router.
 */
#ifndef SMTPD_SESSION_LINE_H
#define SMTPD_SESSION_LINE_H

#include <stddef.h>
#include <stdint.h>

struct session;

/* Takes one line, or what is to be thrown away of one; returns how many
 * octets. 0: not yet. */
size_t session_take_line(struct session *, const uint8_t *, size_t length);

#endif
