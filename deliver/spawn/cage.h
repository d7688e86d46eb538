/*
 * What spawn and its workers may reach of the file system. The uid is no bound
 * for spawn: root may write what root owns, with no capability at all. So all
 * of the system's own folders (common/system_folder.h) are out of its reach,
 * wherever links have put them, and /etc, where the accounts are, can only be
 * read. A mailbox below one of them that the configuration names is meant, and
 * its folder is within reach. Each worker narrows this to its mailbox.
 */
#ifndef DELIVER_SPAWN_CAGE_H
#define DELIVER_SPAWN_CAGE_H

struct config;
struct sandbox_path;

/* The list for sandbox_enter(); it lives as long as the program. NULL with
 * errno if it could not be made. Folders that are made later in / or in
 * another folder that holds some of the system's, such as /var, are out of
 * reach until the next start. */
const struct sandbox_path *cage_paths(const struct config *);

#endif
