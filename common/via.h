/*
 * The aliases that lead from the address that a client gave to a recipient, as
 * one text that travels from the router to `trace`: a line for each, in the
 * order in which they were followed, its fields parted by tabs:
 *
 *	key TAB mailbox TAB table TAB file TAB line
 *
 * `key` is what was found, in the aliases of that mailbox; the file and its
 * line say where it is written. What is not an alias but leads on as one (the
 * administrator's address) has no mailbox and no table. If not all steps had
 * room in LIMIT_VIA octets, "..." is the last line. Pure.
 */
#ifndef COMMON_VIA_H
#define COMMON_VIA_H

#include <stdbool.h>
#include <stdint.h>

#include "common/limits.h"

struct via_step {
	char key[LIMIT_LOCAL_PART + 1];
	char mailbox[LIMIT_NAME + 1];
	char table[LIMIT_NAME + 1];
	char file[LIMIT_PATH + 1];
	uint32_t line;
};

/* Adds a step to the text, which has LIMIT_VIA + 1 octets; control characters
 * in it become "?". Once a step had no room, none is added any more. */
void via_add(char *text, const struct via_step *);

enum via_kind { VIA_END, VIA_STEP, VIA_MORE /* were left out */, VIA_INVALID };

/* Takes the next step, and moves the cursor behind it. */
enum via_kind via_next(const char **cursor, struct via_step *)
    __attribute__((warn_unused_result));
bool via_is_valid(const char *text);

#endif
