/*
 * The router's sandbox: it may read the folders of its tables, and /etc for
 * the names of the system's users, and nothing else.
 *
 * Folders, not files: whoever changes a file puts a new one in its place
 * (editors, passwd(1)), and the permission is for what it was given for.
 */
#ifndef ROUTER_CAGE_H
#define ROUTER_CAGE_H

#include "common/config.h"

/* Logs and exits if it fails. */
void cage_enter(const struct config *);

#endif
