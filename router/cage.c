#include "router/cage.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/log.h"
#include "common/sandbox.h"

/* A content in flight is a descriptor: all clients of all workers at once. */
#define OPEN_FILES 65536

/* The folder of a file; the file itself if that is the root, which would be
 * everything. */
static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL || slash == path
			   ? strdup(path)
			   : strndup(path, (size_t)(slash - path));

	if (folder == NULL)
		log_fatal(EX_OSERR, "sandbox");
	return folder;
}

void
cage_enter(const struct config *config)
{
	struct sandbox_path *paths =
	    calloc(config->table_count + 2, sizeof(*paths));
	const struct sandbox sandbox = {
		.user = "postern-router",
		.paths = paths,
		.calls = SANDBOX_FILES_READ,
		.open_files = OPEN_FILES,
	};
	char **folders = calloc(config->table_count + 1, sizeof(*folders));
	unsigned int count = 0;

	if (paths == NULL || folders == NULL)
		log_fatal(EX_OSERR, "sandbox");
	for (unsigned int i = 0; i < config->table_count; i++)
		if (config->tables[i].kind == TABLE_FILE) {
			folders[count] = folder_of(config->tables[i].path);
			paths[count].path = folders[count];
			count++;
		}
	paths[count].path = "/etc";
	sandbox_enter(&sandbox);
	for (unsigned int i = 0; i < count; i++)
		free(folders[i]);
	free(folders);
	free(paths);
}
