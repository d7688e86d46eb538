/*
 * The folders of the system itself: programs, their state, their set-up.
 * Whoever can write there is root before long, so nobody has a home or a
 * mailbox there unless the configuration says so: one list for the router,
 * which takes no mail for such homes, and for spawn, which leaves them out of
 * its cage. Pure: paths are compared part by part, as they are written.
 */
#ifndef COMMON_SYSTEM_FOLDER_H
#define COMMON_SYSTEM_FOLDER_H

#include <stdbool.h>

/* Ends in NULL. */
extern const char *const system_folders[];

/* Is this path that folder, or below it? Both are absolute, without "..". */
bool system_folder_is_within(const char *path, const char *folder);

#endif
