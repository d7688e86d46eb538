/*
 * Where a Maildir is: found, checked and if need be made, without ever
 * following a link that its owner could have laid.
 *
 * Opened anew for each batch, so that a Maildir that was moved or restored
 * meanwhile is used as it is now.
 */
#ifndef DELIVER_LOCAL_PLACE_H
#define DELIVER_LOCAL_PLACE_H

#include "deliver/local/owner.h"
#include "deliver/local/result.h"

struct config;
struct sandbox_path;

struct place {
	int tmp; /* to create files in */
	int new; /* to sync */
};

/* `path` is as in the configuration: "~/..." or absolute. -1, and `why` says
 * what is wrong. */
int place_open(struct place *, const struct owner *, const char *path,
    struct result *why) __attribute__((warn_unused_result));
void place_close(struct place *);

/* The least that this owner's deliveries must reach, for the sandbox: each
 * Maildir that is there, or what one would be made in. For the process's life;
 * NULL with errno. */
const struct sandbox_path *place_roots(const struct config *,
    const struct owner *) __attribute__((warn_unused_result));

#endif
