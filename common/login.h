/*
 * Which logins can have mail at all: one answer for the router, which makes
 * routes, for the queue, which believes none, and for spawn, which looks
 * their owners up. If they differed, one would refuse as a breach what another
 * sent in good faith. Pure.
 */
#ifndef COMMON_LOGIN_H
#define COMMON_LOGIN_H

#include <stdbool.h>

/* Could this be a login name? It is a field of passwd(5) of at most
 * LIMIT_USER printable octets, and nothing that could be taken for a path or
 * an option. Whether there is such a user is another question. */
bool login_name_is_valid(const char *);

/* Does this home of passwd(5) say that there is one? System accounts name none,
 * a folder of the system (common/system_folder.h), or one of the places that by
 * custom mean none. Whether it is there, only spawn's worker sees. */
bool login_has_home(const char *home);

#endif
