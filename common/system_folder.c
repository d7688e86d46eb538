#include "common/system_folder.h"

#include <stddef.h>
#include <string.h>

/* Those of the File Hierarchy Standard and of the larger distributions. What
 * is unknown is the administrator's: it may hold mailboxes. Not here are /tmp,
 * which is anybody's anyway, /var/mail and /var/www. */
const char *const system_folders[] = {
	"/bin",
	"/boot",
	"/dev",
	"/etc",
	"/gnu",
	"/lib",
	"/lib32",
	"/lib64",
	"/libexec",
	"/libo32",
	"/libx32",
	"/lost+found",
	"/nix",
	"/opt",
	"/ostree",
	"/proc",
	"/root",
	"/run",
	"/sbin",
	"/snap",
	"/sys",
	"/sysroot",
	"/usr",
	"/var/account",
	"/var/adm",
	"/var/backups",
	"/var/cache",
	"/var/crash",
	"/var/db",
	"/var/empty",
	"/var/games",
	"/var/kerberos",
	"/var/lib",
	"/var/local",
	"/var/lock",
	"/var/log",
	"/var/lost+found",
	"/var/nis",
	"/var/opt",
	"/var/preserve",
	"/var/run",
	"/var/snap",
	"/var/spool",
	"/var/tmp",
	"/var/yp",
	NULL,
};

/* The next part of a path and its length; 0 at the end. */
static size_t
take_part(const char **path, const char **part)
{
	size_t length;

	do {
		*part = *path + strspn(*path, "/");
		length = strcspn(*part, "/");
		*path = *part + length;
	} while (length == 1 && **part == '.');
	return length;
}

bool
system_folder_is_within(const char *path, const char *folder)
{
	const char *want, *have;
	size_t length;

	while ((length = take_part(&folder, &want)) > 0)
		if (take_part(&path, &have) != length ||
		    memcmp(have, want, length) != 0)
			return false;
	return true;
}
