/*
 * The cage that a program enters once it has everything that it needs.
 *
 * In this order: open files limited, chroot, groups, uid and gid, capabilities,
 * no_new_privs, not dumpable, Landlock, seccomp. Anything that fails ends the
 * program: it never runs outside its cage. A system call that is not allowed
 * fails with EPERM.
 */
#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* Groups of system calls beyond the base that every program needs: memory,
 * time, the event loop, and reading and writing descriptors that it has. */
enum sandbox_calls {
	SANDBOX_ACCEPT = 1 << 0,      /* accept on inherited sockets */
	SANDBOX_MEMFD = 1 << 1,	      /* make and seal content */
	SANDBOX_INET = 1 << 2,	      /* new TCP/UDP sockets outward */
	SANDBOX_FILES_READ = 1 << 3,  /* open for reading, stat */
	SANDBOX_FILES_WRITE = 1 << 4, /* create, rename, unlink, sync */
	SANDBOX_FORK = 1 << 5,	      /* fork, wait and kill; never exec */
	SANDBOX_SETUID = 1 << 6,      /* set uid, gid and groups */
	SANDBOX_THREADS = 1 << 7,     /* clone with CLONE_THREAD only */
	SANDBOX_CONFINE = 1 << 8,     /* enter a narrower sandbox later */
};

struct sandbox_path {
	const char *path; /* NULL ends the list; a missing path is skipped */
	bool writable;
};

struct sandbox {
	const char *user; /* a system user to become; NULL: stay */
	const char *root; /* chroot here; NULL: none */
	const struct sandbox_path *paths; /* all that Landlock leaves; NULL:
					   * nothing at all */
	unsigned int calls;		  /* set of enum sandbox_calls */
	uint64_t capabilities;		  /* kept, as 1 << CAP_x */
	uint64_t open_files; /* RLIMIT_NOFILE; the hard limit if lower */
};

/* Logs and exits (EX_OSERR, EX_NOUSER) if any part of it fails. */
void sandbox_enter(const struct sandbox *);

#endif
