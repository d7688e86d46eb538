#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "deliver/local/maildir.h"
#include "deliver/local/place.h"

#define STALE_SECONDS ((time_t)36 * 3600)
/* Nobody leaves so many; the next worker looks again. */
#define FILES_MOST 1000

static bool
is_stale(int directory, const char *name, time_t now)
{
	struct stat st;

	return fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && st.st_mtime < now - STALE_SECONDS &&
	       st.st_ctime < now - STALE_SECONDS;
}

void
maildir_tidy(const struct place *place, time_t now)
{
	int fd = openat(place->tmp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	DIR *directory;

	if (fd == -1)
		return;
	directory = fdopendir(fd);
	if (directory == NULL) {
		close(fd);
		return;
	}
	for (int seen = 0;
	     seen < FILES_MOST && (entry = readdir(directory)) != NULL; seen++)
		if (is_stale(fd, entry->d_name, now))
			(void)unlinkat(fd, entry->d_name, 0);
	closedir(directory);
}
