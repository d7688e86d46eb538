/*
 * Runs a part of a test as a user that is not root, in a scratch folder that
 * stands for that user's home, the way that a worker runs.
 */
#ifndef TESTS_AS_USER_H
#define TESTS_AS_USER_H

#include "deliver/local/owner.h"

struct scratch {
	struct owner owner;
};

/* cmocka's setup and teardown; the state is the scratch. */
int scratch_make(void **state);
int scratch_remove(void **state);

/* Forks, becomes the owner, calls, and returns what the call returned: a
 * small number of its own. A crash is -1. */
int scratch_as_owner(struct scratch *, int (*call)(struct scratch *));

/* PATH below the home, in one of a few static buffers. */
const char *scratch_path(const struct scratch *, const char *below);

/* How many files a folder below the home has, or -1. */
int scratch_count(const struct scratch *, const char *below);

#endif
