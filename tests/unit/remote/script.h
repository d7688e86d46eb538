/*
 * A session played against a script. Each line of it is one of:
 *
 *	"> 250 ok"	the server says this line
 *	"< MAIL ..."	the client has said this line
 *	"<"		the client has said nothing more
 *	"= NAME"	the last effect: content, done, ended KIND
 *	"# 0 failed message 550 no"	the next report
 *	"#"		no more reports
 *	"sent"		the content has left
 *	"rest"		the same message, for those who are not settled
 *	"begin"		another message is given to the session
 *	"relay"		first of all: the configuration chose the host
 *	"quit", "drop", "drop REASON", "timeout"
 *
 * The message is given as soon as the session is greeted.
 */
#ifndef TESTS_UNIT_REMOTE_SCRIPT_H
#define TESTS_UNIT_REMOTE_SCRIPT_H

#include "deliver/remote/session.h"

#define HOSTNAME "client.test"

struct play {
	struct session *session;
	struct transaction *transaction;
	enum session_effect effect;
	char said[65536]; /* by the client, not yet expected */
	char reports[65536];
};

/* A message of 1000 octets from s@src.test to r0@dst.test, r1@... */
void play_open(struct play *, unsigned int recipients, enum smtp_body);
void play_close(struct play *);
void play_say(struct play *, const char *line);
/* Octets as they are. */
void play_feed(struct play *, const char *data, size_t length);
void play_begin(struct play *);
void play_drop(struct play *, const char *reason);
void play_time_out(struct play *);

/* Plays the lines up to NULL on an open play. */
void script_run(struct play *, const char *const *lines);
/* The same from the first greeting to the end. */
void script(unsigned int recipients, enum smtp_body, const char *const *lines);

const char *end_kind_name(enum session_end_kind);

#endif
