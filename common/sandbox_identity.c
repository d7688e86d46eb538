#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include <linux/capability.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "common/sandbox.h"
#include "common/sandbox_parts.h"

#define WORDS _LINUX_CAPABILITY_U32S_3

static void
read_capabilities(struct __user_cap_data_struct data[WORDS])
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};

	memset(data, 0, WORDS * sizeof(data[0]));
	if (syscall(SYS_capget, &header, data) == -1)
		log_fatal(EX_OSERR, "capget");
}

static bool
has_capability(const struct __user_cap_data_struct data[WORDS], int capability)
{
	return (data[capability / 32].effective >> (capability % 32) & 1) != 0;
}

/* What exec could give back. Without CAP_SETPCAP it cannot be changed, but
 * then no_new_privs already keeps exec from giving anything. */
static void
drop_bounding_set(uint64_t keep)
{
	struct __user_cap_data_struct data[WORDS];

	read_capabilities(data);
	if (!has_capability(data, CAP_SETPCAP))
		return;
	for (int c = 0; c < 64; c++) {
		if ((keep >> c & 1) != 0)
			continue;
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) == -1) {
			if (errno == EINVAL) /* past the last one */
				break;
			log_fatal(EX_OSERR, "bounding set");
		}
	}
}

static void
keep_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[WORDS];

	for (unsigned int i = 0; i < WORDS; i++) {
		data[i].permitted = (uint32_t)(keep >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data) == -1)
		log_fatal(EX_OSERR, "capset");
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == -1)
		log_fatal(EX_OSERR, "ambient capabilities");
}

static const struct passwd *
find_user(const char *name)
{
	const struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (pw == NULL)
		log_fatal(EX_NOUSER, "no user \"%s\"; see `make users`", name);
	errno = 0;
	if (pw->pw_uid == 0 || pw->pw_gid == 0)
		log_fatal(EX_NOUSER, "user \"%s\" is root", name);
	return pw;
}

static void
become(uid_t uid, gid_t gid, bool keep)
{
	if (setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1)
		log_fatal(EX_OSERR, "groups");
	if (keep && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1)
		log_fatal(EX_OSERR, "keep capabilities");
	if (setresuid(uid, uid, uid) == -1)
		log_fatal(EX_OSERR, "uid");
	if (setresuid(0, 0, 0) != -1 || setresgid(0, 0, 0) != -1) {
		errno = 0;
		log_fatal(EX_OSERR, "root could be had back");
	}
	if (keep && prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == -1)
		log_fatal(EX_OSERR, "keep capabilities");
}

void
sandbox_identity(const struct sandbox *s)
{
	/* Looked up while there is still a /etc to look in. */
	const struct passwd *pw = s->user != NULL ? find_user(s->user) : NULL;

	if (s->root != NULL && (chroot(s->root) == -1 || chdir("/") == -1))
		log_fatal(EX_OSERR, "chroot \"%s\"", log_text(s->root));
	drop_bounding_set(s->capabilities);
	if (pw != NULL)
		become(pw->pw_uid, pw->pw_gid, s->capabilities != 0);
	keep_capabilities(s->capabilities);
}
