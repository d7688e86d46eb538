/*
 * What the sender of a message is to be told, and whether at all (RFC 3461).
 * Pure.
 *
 * A message that somebody is to be told about has a row in the report index,
 * with the time of the telling. The report is a message of its own, and the
 * transaction that accepts it settles what it tells: so a crash at any moment
 * neither loses nor doubles it.
 */
#ifndef QUEUE_TELL_H
#define QUEUE_TELL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/limits.h"

struct row_message;
struct row_recipient;

/* Seconds from an event to the report: what fails together is told together.
 * While others are in flight, so many seconds more. */
#define TELL_GATHER 2
#define TELL_IN_FLIGHT 60
/* Recipients in one report: with the longest replies some hundred KiB. There
 * is another report for those that remain. */
#define TELL_RECIPIENTS 100

/* What the HELO of our own messages says in the store, which no client can
 * say: local ones have none. */
#define TELL_HELO_REPORT "(report)"
#define TELL_HELO_NOTICE "(notice)"

enum tell_what { TELL_NOTHING, TELL_FAILURE, TELL_DELAY, TELL_SUCCESS };

struct telling_recipient {
	uint32_t number;
	enum tell_what what;
};

/* One report. `time` and `id` are those of the row in the index. */
struct telling {
	uint64_t time;
	uint64_t id;
	bool is_notice; /* to the administrator, since the sender cannot be
			 * told */
	char to[LIMIT_PATH + 1];
	unsigned int count;
	struct telling_recipient recipients[TELL_RECIPIENTS];
};

/* Is it a notice of ours, about which nobody is told? */
bool tell_is_notice(const struct row_message *);
/* Does the sender want to know that it was delivered, and is it for us to say?
 * A host with DSN says so itself. */
bool tell_success(
    const struct row_message *, const struct row_recipient *, bool relayed);
/* `warn_after` in seconds, 0: no warnings; `now` in milliseconds. */
enum tell_what tell_what(const struct row_message *,
    const struct row_recipient *, unsigned int warn_after, uint64_t now);

#endif
