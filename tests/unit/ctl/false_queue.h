/*
 * A queue that is made up, with the real control socket in front of it, in a
 * process of its own: what the tests of posternctl ask.
 *
 * Of its mail the first three recipients are of their own kind, then there are
 * very many that are alike.
 */
#ifndef TESTS_UNIT_CTL_FALSE_QUEUE_H
#define TESTS_UNIT_CTL_FALSE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "tests/unit/ctl/run.h"

#define MANY 100000
#define SPECIAL 3
#define ID(n) (UINT64_C(1000) + (n))

extern const char false_queue_content[]; /* of the first message */

/* cmocka's fixtures of a group. The second fails if it did not live through
 * everything. */
int false_queue_start(void **state);
int false_queue_stop(void **state);

/* A client that does not keep to the rules. */
int false_queue_dial(void);
/* One of "local:slow", of whose mail each step takes SLOW_US, SLOW_STEPS of
 * them. There may be two. */
#define SLOW_US 2000
#define SLOW_STEPS 20
int false_queue_dial_user(void);
void false_queue_ask_for_all(int fd);
/* Reads until the end of the answer; returns how many messages it had. */
size_t false_queue_read_answer(int fd);
/* Waits for it to be hung up on, and closes it. */
void false_queue_expect_closed(int fd);

/* Good until the next call. */
const char *id_text(size_t n);

#endif
