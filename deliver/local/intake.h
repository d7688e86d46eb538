/*
 * What the queue asks for, gathered into a batch.
 *
 * A letter is one message (DELIVER); a copy is one of its recipients
 * (DELIVER_TO). A copy can be delivered as soon as it is known, so a batch is
 * just the copies that have come so far; a letter whose copies are not all
 * there yet stays over for the next batch. No I/O, and no allocation: a batch
 * is bounded, and so are the descriptors that it holds.
 */
#ifndef DELIVER_LOCAL_INTAKE_H
#define DELIVER_LOCAL_INTAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/limits.h"
#include "deliver/local/result.h"

/* So many files share the cost of a journal commit; more would only make the
 * first one's report late. */
#define INTAKE_COPIES 128
#define INTAKE_LETTERS (INTAKE_COPIES + 1)

struct message;

struct letter {
	uint64_t id;
	uint64_t size;
	int fd; /* -1: this place is free */
	uint32_t handle;
	uint32_t expected; /* copies that have not come yet */
	char sender[LIMIT_PATH + 1];
	char mailbox[LIMIT_NAME + 1];
};

struct copy {
	struct letter *letter;
	uint32_t number;
	char address[LIMIT_PATH + 1];
	bool placed; /* the result is known */
	struct result result;
};

struct intake {
	struct letter letters[INTAKE_LETTERS];
	struct letter *current; /* its copies are arriving; NULL: none */
	struct copy copies[INTAKE_COPIES];
	unsigned int letter_count;
	unsigned int copy_count;
};

void intake_begin(struct intake *);
/* Takes the descriptor. -1 if the queue broke the protocol. */
int intake_take(struct intake *, struct message *)
    __attribute__((warn_unused_result));
bool intake_has_room(const struct intake *);
/* The batch was reported: forgets it, but for a letter still arriving. */
void intake_release(struct intake *);

#endif
