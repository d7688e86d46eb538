/*
 * What RFC 3461 lets a client say about reports, as it travels and lies in the
 * store: the sets as in mail.h, ENVID and ORCPT as they were given, "" if they
 * were not. Whoever receives them asks here whether they are what they say:
 * they go out again in a command line. Pure.
 */
#ifndef COMMON_DSN_H
#define COMMON_DSN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "SUCCESS,FAILURE,DELAY" and its NUL. */
#define DSN_NOTIFY_TEXT 24

/* xtext whose meaning is printable US-ASCII (RFC 3461 4.2 and 4.4). */
bool dsn_xtext_is_valid(const char *, size_t length);

/* Also true of what was not given. */
bool dsn_ret_is_valid(unsigned int);
bool dsn_notify_is_valid(unsigned int);
bool dsn_told_is_valid(unsigned int);
bool dsn_envid_is_valid(const char *);
/* A type, ";" and xtext. */
bool dsn_orcpt_is_valid(const char *);

/* The set as NOTIFY has it; "" for none. Returns `text`, which has
 * DSN_NOTIFY_TEXT octets. */
const char *dsn_notify_text(char *text, unsigned int notify);

/* The set of DSN_NOTIFY_* that a recipient wants, without "never". RFC 3461 4.1:
 * what was not given is failure and delay. */
unsigned int dsn_notify_wishes(uint8_t notify);
/* What either of two recipients wants, as one. */
uint8_t dsn_notify_merge(uint8_t, uint8_t);

#endif
