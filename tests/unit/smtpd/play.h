/*
 * A session on a stage: its effects are written down, its client and router
 * are played by the test.
 */
#ifndef TESTS_UNIT_SMTPD_PLAY_H
#define TESTS_UNIT_SMTPD_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "smtpd/session.h"

#define PLAY_ID 77

struct play {
	struct session *session;
	/* Everything that the session did, as "220 mx.test ESMTP postern|",
	 * "open a@b.example|", "rcpt 0 c@d.example|", "content 12|", "end 3|",
	 * "close|". */
	char script[16384];
	size_t script_length;
	/* What the client has said and the session has not taken. */
	uint8_t input[131072];
	size_t input_length;
	uint8_t content[16384];
	size_t content_length;

	bool fail_open, fail_begin, fail_add, fail_send;
	unsigned int replies, last_code;
	unsigned int opens, ends, begun, sent, closes, refused;
	enum session_end last_end;
	uint32_t asked, answered; /* in this transaction, at the router */
	bool router_has_content;
};

/* Limits of 1000 octets and so many recipients; connected, not greeted. */
void play_connect(struct play *, unsigned int recipients);
/* Greeted, and 3 recipients. */
void play_begin(struct play *);
/* Frees the session and checks that everything that began has ended. */
void play_end(struct play *);
/* What the client says. */
void play_say(struct play *, const char *);
void play_say_octets(struct play *, const void *, size_t);
/* What the router says to the oldest question. */
void play_verdict(struct play *, unsigned int code);
void play_outcome(struct play *, unsigned int code);
/* A whole message: true if the router got it and the client its 250. */
bool play_message(struct play *);
/* The script since the last call. */
const char *play_script(struct play *);

#endif
