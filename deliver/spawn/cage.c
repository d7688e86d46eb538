#include "deliver/spawn/cage.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "common/system_folder.h"

/* Far beyond what / and /var hold; but a link can have put a folder of the
 * system among the homes, and then each home is a path of its own. */
#define PATHS_MOST 16384

enum kind {
	KIND_OPEN,   /* no folder of the system is in it */
	KIND_SYSTEM, /* is one, or is in one */
	KIND_MIXED,  /* some are in it, among others */
};

struct cage {
	struct sandbox_path *paths;
	size_t count, room;
	char **system; /* where the system's folders really are */
};

/* -- The system's folders -------------------------------------------------- */

/* One that is not there, or would be the whole root, counts as it is named. */
static char *
resolve_or_copy(const char *path)
{
	char *real = realpath(path, NULL);

	if (real != NULL && strcmp(real, "/") != 0)
		return real;
	free(real);
	return strdup(path);
}

static int
find_system(struct cage *c)
{
	size_t count = 0;

	while (system_folders[count] != NULL)
		count++;
	c->system = calloc(count + 1, sizeof(*c->system));
	if (c->system == NULL)
		return -1;
	for (size_t i = 0; i < count; i++) {
		char *real = resolve_or_copy(system_folders[i]);

		if (real == NULL)
			return -1;
		c->system[i] = real;
	}
	return 0;
}

/* Of a path without links. */
static enum kind
kind_of(const struct cage *c, const char *path)
{
	enum kind kind = KIND_OPEN;

	for (char **s = c->system; *s != NULL; s++) {
		if (system_folder_is_within(path, *s))
			return KIND_SYSTEM;
		if (system_folder_is_within(*s, path))
			kind = KIND_MIXED;
	}
	return kind;
}

static bool
is_folder(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* -- The list -------------------------------------------------------------- */

/* There is always room for the end. */
static int
make_room(struct cage *c)
{
	size_t room = c->room == 0 ? 64 : 2 * c->room;
	struct sandbox_path *paths;

	if (c->count + 1 < c->room)
		return 0;
	paths = reallocarray(c->paths, room, sizeof(*paths));
	if (paths == NULL)
		return -1;
	c->paths = paths;
	c->room = room;
	return 0;
}

static int
add_path(struct cage *c, const char *path, bool writable)
{
	char *copy;

	if (c->count == PATHS_MOST) {
		log_warn("cage-full unreachable=\"%s\"", log_text(path));
		return 0;
	}
	if (make_room(c) == -1 || (copy = strdup(path)) == NULL)
		return -1;
	c->paths[c->count + 1].path = NULL;
	c->paths[c->count].path = copy;
	c->paths[c->count].writable = writable;
	c->count++;
	return 0;
}

/* -- What there is --------------------------------------------------------- */

static int add_children(struct cage *, const char *folder);

/* Links lead to what is found under its own name, or is out of reach. A file
 * beside the system's folders is none of ours. */
static int
add_child(struct cage *c, const char *path)
{
	if (!is_folder(path))
		return 0;
	switch (kind_of(c, path)) {
	case KIND_OPEN:
		return add_path(c, path, true);
	case KIND_SYSTEM:
		break;
	case KIND_MIXED:
		return add_children(c, path);
	}
	return 0;
}

static int
add_entry(struct cage *c, const char *folder, const char *name)
{
	char *path;
	int result;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (asprintf(&path, "%s/%s", folder[1] == '\0' ? "" : folder, name) ==
	    -1)
		return -1;
	result = add_child(c, path);
	free(path);
	return result;
}

static int
add_children(struct cage *c, const char *folder)
{
	DIR *directory = opendir(folder);
	int result = 0, error;

	if (directory == NULL)
		return errno == ENOENT ? 0 : -1;
	while (result == 0) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(directory);
		if (entry == NULL) {
			result = errno == 0 ? 0 : -1;
			break;
		}
		result = add_entry(c, folder, entry->d_name);
	}
	error = errno;
	closedir(directory);
	errno = error;
	return result;
}

/* -- What the configuration names ------------------------------------------ */

/* Neither all of a folder of the system, nor what holds them. */
static bool
may_be_granted(const struct cage *c, const char *path)
{
	for (char **s = c->system; *s != NULL; s++)
		if (system_folder_is_within(*s, path))
			return false;
	return is_folder(path);
}

/* 1 if it was added. */
static int
grant(struct cage *c, const char *path)
{
	char *real = realpath(path, NULL);
	int result = 0;

	if (real != NULL && may_be_granted(c, real))
		result = add_path(c, real, true) == -1 ? -1 : 1;
	free(real);
	return result;
}

/* The folder that a Maildir is made in; or the Maildir alone, where that
 * folder is more than a mailbox's. */
static int
add_mailbox(struct cage *c, const struct mailbox_config *mailbox)
{
	size_t length = (size_t)(strrchr(mailbox->path, '/') - mailbox->path);
	char *base = strndup(mailbox->path, length == 0 ? 1 : length);
	int result;

	if (base == NULL)
		return -1;
	result = grant(c, base);
	/* A link is no Maildir. */
	if (result == 0 && is_folder(mailbox->path))
		result = grant(c, mailbox->path);
	if (result == 0 && kind_of(c, base) != KIND_OPEN)
		log_warn("mailbox-unreachable mailbox=\"%s\" path=\"%s\"",
		    log_text(mailbox->name), log_text(mailbox->path));
	free(base);
	return result == -1 ? -1 : 0;
}

static int
add_all(struct cage *c, const struct config *config)
{
	/* The accounts. */
	if (find_system(c) == -1 || add_path(c, "/etc", false) == -1)
		return -1;
	/* The few that are named come before the many that are found. */
	for (unsigned int i = 0; i < config->mailbox_count; i++)
		if (config->mailboxes[i].path[0] == '/' &&
		    add_mailbox(c, &config->mailboxes[i]) == -1)
			return -1;
	return add_children(c, "/");
}

static void
free_strings(char **strings)
{
	for (char **s = strings; s != NULL && *s != NULL; s++)
		free(*s);
	free(strings);
}

const struct sandbox_path *
cage_paths(const struct config *config)
{
	struct cage c = { .paths = NULL };
	int result = add_all(&c, config);

	free_strings(c.system);
	return result == 0 ? c.paths : NULL;
}
