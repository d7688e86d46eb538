#include "deliver/local/place.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "common/config.h"
#include "common/login.h"
#include "common/sandbox.h"

/* Looking a path up needs no right to read what is in it. */
#define LOOK_UP (O_PATH | O_DIRECTORY | O_CLOEXEC)

/* The administrator's part of a path, where links are theirs, and the
 * owner's part below it, where they are not followed. */
struct parts {
	char base[PATH_MAX];
	char below[PATH_MAX];
};

struct walk {
	const struct owner *owner;
	struct result *why;
	char at[PATH_MAX]; /* for the words of an error */
};

/* -- Words ----------------------------------------------------------------- */

static int
refuse(struct walk *w, const char *reason)
{
	result_set(w->why, REPORT_DEFERRED, REPORT_SCOPE_DESTINATION,
	    "4.3.0 Mailbox %s: %s", w->at, reason);
	return -1;
}

static int
refuse_error(struct walk *w, int error)
{
	char what[PATH_MAX + 16];

	snprintf(what, sizeof(what), "Mailbox %s", w->at);
	result_set_error(w->why, REPORT_SCOPE_DESTINATION, error, what);
	return -1;
}

/* -- Paths ----------------------------------------------------------------- */

static int
split_home(struct parts *p, const struct owner *owner, const char *below)
{
	if (!login_has_home(owner->home))
		return -1;
	strlcpy(p->base, owner->home, sizeof(p->base));
	return strlcpy(p->below, below, sizeof(p->below)) < sizeof(p->below)
		   ? 0
		   : -1;
}

static int
split_absolute(struct parts *p, const char *path)
{
	const char *last = strrchr(path, '/');
	size_t length;

	if (last == NULL || path[0] != '/')
		return -1;
	length = last == path ? 1 : (size_t)(last - path);
	if (length >= sizeof(p->base))
		return -1;
	memcpy(p->base, path, length);
	p->base[length] = '\0';
	strlcpy(p->below, last + 1, sizeof(p->below));
	return 0;
}

static int
split(struct parts *p, const struct owner *owner, const char *path)
{
	if (strncmp(path, "~/", 2) == 0)
		return split_home(p, owner, path + 2);
	return split_absolute(p, path);
}

/* -- Walking --------------------------------------------------------------- */

static int
sync_directory(int directory)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result;

	if (fd == -1)
		return -1;
	result = fsync(fd);
	close(fd);
	return result;
}

/* Whoever can write to a directory chooses where its mail goes. */
static int
check_directory(struct walk *w, int fd, bool is_home)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return refuse_error(w, errno);
	if (st.st_uid != w->owner->uid && !(is_home && st.st_uid == 0))
		return refuse(w, "belongs to somebody else");
	if ((st.st_mode & S_IWOTH) != 0)
		return refuse(w, "anybody can write to it");
	return 0;
}

/* A directory was not there. Another worker may make it at the same time. */
static int
make_directory(struct walk *w, int parent, const char *name)
{
	if (mkdirat(parent, name, 0700) == -1 && errno != EEXIST)
		return refuse_error(w, errno);
	if (sync_directory(parent) == -1)
		return refuse_error(w, errno);
	return 0;
}

static bool
is_link(int parent, const char *name)
{
	struct stat st;

	return fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISLNK(st.st_mode);
}

static int
open_directory(struct walk *w, int parent, const char *name, int flags)
{
	int fd;

	flags |= O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	fd = openat(parent, name, flags);
	if (fd == -1 && errno == ENOENT) {
		if (make_directory(w, parent, name) == -1)
			return -1;
		fd = openat(parent, name, flags);
	}
	if (fd == -1 && errno == ENOTDIR && is_link(parent, name))
		return refuse(w, "is a symbolic link");
	if (fd == -1)
		return refuse_error(w, errno);
	if (check_directory(w, fd, false) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
open_base(struct walk *w, const char *path, bool is_home)
{
	int fd = open(path, LOOK_UP);

	if (fd == -1)
		return refuse_error(w, errno);
	if (is_home && check_directory(w, fd, true) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
step(struct walk *w, int parent, const char *name, int flags)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return refuse(w, "the configured path has dots in it");
	strlcat(w->at, "/", sizeof(w->at));
	strlcat(w->at, name, sizeof(w->at));
	return open_directory(w, parent, name, flags);
}

/* Returns the Maildir itself, to look up in. */
static int
walk_to(struct walk *w, struct parts *p, bool in_home)
{
	char *rest = p->below, *name;
	int fd, next;

	strlcpy(w->at, p->base, sizeof(w->at));
	fd = open_base(w, p->base, in_home);
	while (fd != -1 && (name = strsep(&rest, "/")) != NULL) {
		if (*name == '\0')
			continue;
		next = step(w, fd, name, O_PATH);
		close(fd);
		fd = next;
	}
	return fd;
}

static int
open_parts(struct place *place, struct walk *w, int maildir)
{
	static const char *const names[] = { "tmp", "new", "cur" };
	size_t length = strlen(w->at);
	int fds[3];

	for (int i = 0; i < 3; i++) {
		w->at[length] = '\0';
		fds[i] = step(w, maildir, names[i], i == 1 ? 0 : O_PATH);
		if (fds[i] == -1) {
			while (i-- > 0)
				close(fds[i]);
			return -1;
		}
	}
	place->tmp = fds[0];
	place->new = fds[1];
	close(fds[2]);
	return 0;
}

int
place_open(struct place *place, const struct owner *owner, const char *path,
    struct result *why)
{
	struct walk w = { .owner = owner, .why = why };
	struct parts p;
	int maildir, result;

	place->tmp = place->new = -1;
	if (split(&p, owner, path) == -1) {
		strlcpy(w.at, path, sizeof(w.at));
		return refuse(&w,
		    "the user has no home directory, or one of the system's");
	}
	maildir = walk_to(&w, &p, path[0] == '~');
	if (maildir == -1)
		return -1;
	result = open_parts(place, &w, maildir);
	close(maildir);
	return result;
}

void
place_close(struct place *place)
{
	if (place->tmp != -1)
		close(place->tmp);
	if (place->new != -1)
		close(place->new);
	place->tmp = place->new = -1;
}

/* -- For the sandbox ------------------------------------------------------- */

static bool
is_reachable(const char *path, int flags)
{
	int fd = open(path, LOOK_UP | flags);

	if (fd == -1)
		return false;
	close(fd);
	return true;
}

/* NULL if nothing can be delivered there now. */
static char *
choose_root(const struct parts *p)
{
	char *path;

	if (asprintf(&path, "%s/%s", p->base, p->below) == -1)
		return NULL;
	if (is_reachable(path, O_NOFOLLOW))
		return path;
	free(path);
	return is_reachable(p->base, 0) ? strdup(p->base) : NULL;
}

const struct sandbox_path *
place_roots(const struct config *config, const struct owner *owner)
{
	struct sandbox_path *roots =
	    calloc(config->mailbox_count + 1, sizeof(*roots));
	unsigned int count = 0;
	struct parts p;

	if (roots == NULL)
		return NULL;
	for (unsigned int i = 0; i < config->mailbox_count; i++) {
		if (split(&p, owner, config->mailboxes[i].path) == -1)
			continue;
		roots[count].path = choose_root(&p);
		roots[count].writable = true;
		if (roots[count].path != NULL)
			count++;
	}
	return roots;
}
