/*
 * What a recipient's last reply is in the words of RFC 3464. Pure.
 */
#ifndef QUEUE_DSN_STATUS_H
#define QUEUE_DSN_STATUS_H

#include <stdbool.h>

/* RFC 3464 2.3.3, in the order of the names. */
enum dsn_action {
	DSN_FAILED,
	DSN_DELAYED,
	DSN_DELIVERED,
	DSN_RELAYED,
	DSN_EXPANDED
};

#define DSN_STATUS_SIZE 12 /* "5.123.123" and its NUL, generously */

const char *dsn_action_name(enum dsn_action);
/* The enhanced code in the reply if it says what was done; else what is
 * nearest. `status` has DSN_STATUS_SIZE octets. */
void dsn_status_of(enum dsn_action, const char *reply, char *status);
/* Does it say "try again", so that whoever fails with it was tried for too
 * long? */
bool dsn_status_is_given_up(const char *reply);
/* Does it begin with the code of an SMTP reply? */
bool dsn_status_is_smtp(const char *reply);

#endif
