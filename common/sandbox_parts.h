/*
 * The parts of sandbox_enter(), each in a file of its own. Internal to the
 * sandbox; programs include sandbox.h. All of them exit on failure.
 */
#ifndef COMMON_SANDBOX_PARTS_H
#define COMMON_SANDBOX_PARTS_H

struct sandbox;

/* chroot, groups, uid, gid, capabilities. */
void sandbox_identity(const struct sandbox *);
/* Files and ports out of reach, also for root. Needs no_new_privs. */
void sandbox_landlock(const struct sandbox *);
/* The allow-list of system calls. Needs no_new_privs. */
void sandbox_calls(unsigned int calls);

#endif
