#include "deliver/spawn/cage.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/sandbox.h"

#define PATHS_MOST 256
#define NAME_SIZE 258 /* a slash, a file name, a NUL */

/* Where no mailbox is. */
static const char *const out_of_reach[] = { ".", "..", "bin", "boot", "dev",
	"etc", "lib", "lib32", "lib64", "libx32", "lost+found", "proc", "root",
	"run", "sbin", "sys", "usr" };

#define OUT_OF_REACH (sizeof(out_of_reach) / sizeof(out_of_reach[0]))

static char names[PATHS_MOST][NAME_SIZE];
/* The accounts first; the last one stays NULL. */
static struct sandbox_path paths[PATHS_MOST + 2] = { { "/etc", false } };

static bool
is_out_of_reach(const char *name)
{
	for (size_t i = 0; i < OUT_OF_REACH; i++)
		if (strcmp(name, out_of_reach[i]) == 0)
			return true;
	return false;
}

/* A file in / is none of ours, and some are links to what the system starts
 * with: /vmlinuz, /initrd.img. */
static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

const struct sandbox_path *
cage_paths(void)
{
	DIR *root = opendir("/");
	struct dirent *entry;
	size_t count = 0;

	if (root == NULL)
		return NULL;
	errno = 0;
	while (count < PATHS_MOST && (entry = readdir(root)) != NULL) {
		if (is_out_of_reach(entry->d_name))
			continue;
		snprintf(names[count], NAME_SIZE, "/%s", entry->d_name);
		if (is_folder(names[count])) {
			paths[count + 1] =
			    (struct sandbox_path){ names[count], true };
			count++;
		}
		errno = 0;
	}
	closedir(root);
	return errno == 0 ? paths : NULL;
}
