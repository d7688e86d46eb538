/*
 * What a report takes from the message that it is about: strangers wrote it.
 * Pure.
 */
#ifndef QUEUE_DSN_ORIGINAL_H
#define QUEUE_DSN_ORIGINAL_H

#include <stdbool.h>
#include <stddef.h>

/* A longer Message-ID is none: References must fit a line. */
#define DSN_MESSAGE_ID_SIZE 256
#define DSN_SUBJECT_SIZE 256
/* What stands before the host's name in the Message-ID of a report. */
#define DSN_MESSAGE_ID_END ".report@"

/* The length of the header, without the empty line; lines that are not whole
 * are left out. */
size_t dsn_original_header(const char *data, size_t length);
/* Its Message-ID, with the angle brackets; "" if it has none that is fit to be
 * repeated. `id` has DSN_MESSAGE_ID_SIZE octets. */
void dsn_original_message_id(const char *data, size_t length, char *id);
/* Is it one of this host's reports, by its Message-ID? */
bool dsn_original_is_report(
    const char *data, size_t length, const char *hostname);
/* Its subject, as one line; "" if it has none that a person can read as it is:
 * printable US-ASCII and no encoded words. A long one is cut. `subject` has
 * DSN_SUBJECT_SIZE octets. */
void dsn_original_subject(const char *data, size_t length, char *subject);
/* Does the header hold anything but US-ASCII, and is it UTF-8? */
bool dsn_original_is_utf8(const char *data, size_t length);
/* May it stand in another message as it is? No NUL, no bare CR or LF, no line
 * longer than RFC 5322 lets it be, a whole last line. Sets whether there are
 * 8-bit octets. */
bool dsn_original_is_sound(const char *data, size_t length, bool *is_8bit);

#endif
