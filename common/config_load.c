#include "common/config_load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config_build.h"
#include "common/config_check.h"

static struct config *
config_new(const char *path)
{
	struct config *c = malloc(sizeof(*c));

	if (c == NULL)
		return NULL;
	*c = (struct config){
		.path = strdup(path),
		.spool = strdup("/var/spool/postern"),
		.run = strdup("/run/postern"),
		.forwards = calloc(1, sizeof(char *)),
		.limit_message_size = LIMIT_MESSAGE_SIZE_DEFAULT,
		.limit_store_size = UINT64_C(64) << 30,
		.limit_recipients = LIMIT_RECIPIENTS_DEFAULT,
		.limit_connections = 50,
		.limit_connections_all = 10000,
		.retry_from = 5 * 60,
		.retry_to = 4 * 60 * 60,
		.retry_for = 5 * 24 * 60 * 60,
		.warn_after = 4 * 60 * 60,
		.history = 14 * 24 * 60 * 60,
	};
	if (c->path == NULL || c->spool == NULL || c->run == NULL ||
	    c->forwards == NULL)
		config_free(&c);
	return c;
}

struct config *
config_parse(const char *path, const char *text, size_t length, FILE *errors)
{
	struct config_source source = {
		.path = path, .text = text, .length = length, .errors = errors
	};
	struct config_build b = { .config = config_new(path) };

	if (length > LIMIT_CONFIG_SIZE) {
		source_error_whole(&source,
		    "a configuration has at most %d octets", LIMIT_CONFIG_SIZE);
		config_free(&b.config);
		return NULL;
	}
	if (b.config == NULL || lexer_open(&b.lexer, &source) == -1 ||
	    yyparse(&b) != 0)
		b.no_memory = true;
	if (!b.no_memory && source.error_count == 0)
		config_check(&b);
	if (b.no_memory)
		source_error_whole(&source, "%s", strerror(ENOMEM));
	if (source.error_count > 0)
		config_free(&b.config);
	build_free(&b);
	lexer_close(&b.lexer);
	return b.config;
}

/* Reads all of a descriptor, from its start, with pread(2), so that programs
 * that share it do not disturb each other. -1 with errno. */
static ssize_t
read_whole(int fd, char *text, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t n =
		    pread(fd, text + length, size - length, (off_t)length);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	return (ssize_t)length;
}

struct config *
config_load_fd(int fd, const char *path, FILE *errors)
{
	/* One octet more than allowed shows that it is too long. */
	size_t size = LIMIT_CONFIG_SIZE + 1;
	char *text = malloc(size);
	struct config *c = NULL;
	ssize_t length = -1;

	if (text != NULL)
		length = read_whole(fd, text, size);
	if (length != -1)
		c = config_parse(path, text, (size_t)length, errors);
	else if (errors != NULL)
		fprintf(errors, "%s: %s\n", path, strerror(errno));
	free(text);
	return c;
}

struct config *
config_load(const char *path, FILE *errors)
{
	struct config *c;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1) {
		if (errors != NULL)
			fprintf(errors, "%s: %s\n", path, strerror(errno));
		return NULL;
	}
	c = config_load_fd(fd, path, errors);
	close(fd);
	return c;
}
