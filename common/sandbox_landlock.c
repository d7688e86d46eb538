/*
 * Landlock by system call: libc has no wrappers, and Debian's header is older
 * than the kernels that it will meet, so the numbers of the later ABIs are
 * written out here.
 */
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "common/sandbox.h"
#include "common/sandbox_parts.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2

enum {
	FS_EXECUTE = 1 << 0,
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_DIR = 1 << 4,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_CHAR = 1 << 6,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_MAKE_SOCK = 1 << 9,
	FS_MAKE_FIFO = 1 << 10,
	FS_MAKE_BLOCK = 1 << 11,
	FS_MAKE_SYM = 1 << 12,
	FS_REFER = 1 << 13,	/* ABI 2 */
	FS_TRUNCATE = 1 << 14,	/* ABI 3 */
	FS_IOCTL_DEV = 1 << 15, /* ABI 5 */
};
#define FS_ABI_1 (FS_REFER - 1)

enum { NET_BIND_TCP = 1 << 0, NET_CONNECT_TCP = 1 << 1 };     /* ABI 4 */
enum { SCOPE_ABSTRACT_UNIX = 1 << 0, SCOPE_SIGNAL = 1 << 1 }; /* ABI 6 */

#define FS_READ (FS_READ_FILE | FS_READ_DIR)
#define FS_WRITE                                                        \
	(FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | \
	    FS_MAKE_REG | FS_REFER | FS_TRUNCATE)
/* The rights that a file, not a directory, can have. */
#define FS_OF_FILE (FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)

struct ruleset {
	uint64_t handled_fs;
	uint64_t handled_net;
	uint64_t scoped;
};

struct path_beneath {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

struct net_port {
	uint64_t allowed;
	uint64_t port;
};

/* Everything that this kernel can forbid. */
static struct ruleset
choose_rules(long abi, unsigned int calls)
{
	struct ruleset r = { .handled_fs = FS_ABI_1 };

	if (abi >= 2)
		r.handled_fs |= FS_REFER;
	if (abi >= 3)
		r.handled_fs |= FS_TRUNCATE;
	if (abi >= 4)
		r.handled_net =
		    NET_BIND_TCP |
		    ((calls & SANDBOX_INET) != 0 ? 0 : NET_CONNECT_TCP);
	if (abi >= 5)
		r.handled_fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		r.scoped = SCOPE_ABSTRACT_UNIX |
			   ((calls & SANDBOX_FORK) != 0 ? 0 : SCOPE_SIGNAL);
	return r;
}

/* Older kernels refuse a struct that is longer than they know only if the
 * rest is not zero; but the first ABI knew no more than the file rights. */
static size_t
ruleset_size(long abi)
{
	if (abi < 4)
		return offsetof(struct ruleset, handled_net);
	if (abi < 6)
		return offsetof(struct ruleset, scoped);
	return sizeof(struct ruleset);
}

static void
allow_path(int rules, const struct sandbox_path *p, uint64_t handled)
{
	struct path_beneath beneath = { .allowed = FS_READ };
	struct stat st;

	beneath.parent_fd = open(p->path, O_PATH | O_CLOEXEC);
	if (beneath.parent_fd == -1 && errno == ENOENT)
		/* cppcheck-suppress memleak; it was not opened */
		return;
	if (beneath.parent_fd == -1 || fstat(beneath.parent_fd, &st) == -1)
		log_fatal(EX_OSERR, "open \"%s\"", log_text(p->path));
	if (p->writable)
		beneath.allowed |= FS_WRITE;
	if (!S_ISDIR(st.st_mode))
		beneath.allowed &= FS_OF_FILE;
	beneath.allowed &= handled;
	if (syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &beneath,
		0) == -1)
		log_fatal(EX_OSERR, "landlock \"%s\"", log_text(p->path));
	close(beneath.parent_fd);
}

/* A client may choose its own address, never a port of its own. */
static void
allow_ephemeral_port(int rules)
{
	struct net_port any = { .allowed = NET_BIND_TCP, .port = 0 };

	if (syscall(SYS_landlock_add_rule, rules, RULE_NET_PORT, &any, 0) == -1)
		log_fatal(EX_OSERR, "landlock port");
}

void
sandbox_landlock(const struct sandbox *s)
{
	long abi = syscall(
	    SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	struct ruleset r;
	int rules;

	/* The first ABI forbids every move between directories, which is how
	 * a Maildir works. */
	if (abi < 2) {
		log_warn("landlock-missing effect=\"seccomp, uid and chroot "
			 "hold alone\"");
		return;
	}
	r = choose_rules(abi, s->calls);
	rules =
	    (int)syscall(SYS_landlock_create_ruleset, &r, ruleset_size(abi), 0);
	if (rules == -1)
		log_fatal(EX_OSERR, "landlock");
	for (const struct sandbox_path *p = s->paths;
	     p != NULL && p->path != NULL; p++)
		allow_path(rules, p, r.handled_fs);
	if (abi >= 4 && (s->calls & SANDBOX_INET) != 0)
		allow_ephemeral_port(rules);
	if (syscall(SYS_landlock_restrict_self, rules, 0) == -1)
		log_fatal(EX_OSERR, "landlock");
	close(rules);
}
