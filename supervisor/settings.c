#include "supervisor/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config_load.h"
#include "common/content.h"
#include "supervisor/listeners.h"

/* Copies a file of at most LIMIT_CONFIG_SIZE octets into a memfd. */
static int
copy_all(int from, int to)
{
	char buffer[16384];
	size_t total = 0;
	ssize_t n;

	while ((n = read(from, buffer, sizeof(buffer))) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		total += (size_t)n;
		if (total > LIMIT_CONFIG_SIZE) {
			errno = EFBIG;
			return -1;
		}
		if (content_write(to, buffer, (size_t)n) == -1)
			return -1;
	}
	return content_seal(to);
}

static int
read_sealed(const char *path)
{
	int from = open(path, O_RDONLY | O_CLOEXEC);
	int to = -1;
	int error;

	if (from == -1)
		return -1;
	to = content_create();
	if (to != -1 && copy_all(from, to) == 0) {
		close(from);
		return to;
	}
	error = errno;
	close(from);
	if (to != -1)
		close(to);
	errno = error;
	return -1;
}

struct settings *
settings_load(const char *path, FILE *errors)
{
	struct settings *s = malloc(sizeof(*s));
	struct listeners plan;

	if (s == NULL) {
		fprintf(errors, "%s: %s\n", path, strerror(errno));
		return NULL;
	}
	s->config = NULL;
	s->fd = read_sealed(path);
	if (s->fd == -1)
		fprintf(errors, "%s: %s\n", path, strerror(errno));
	else
		s->config = config_load_fd(s->fd, path, errors);
	if (s->config != NULL && listeners_plan(&plan, s->config, errors) == 0)
		return s;
	settings_free(&s);
	return NULL;
}

void
settings_free(struct settings **pointer)
{
	struct settings *s = *pointer;

	*pointer = NULL;
	if (s == NULL)
		return;
	config_free(&s->config);
	if (s->fd != -1)
		close(s->fd);
	free(s);
}
