#include "common/config.h"

#include <sys/stat.h>

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

static void
free_texts(char **texts)
{
	for (char **t = texts; t != NULL && *t != NULL; t++)
		free(*t);
	free(texts);
}

static void
free_things(struct config *c)
{
	for (unsigned int i = 0; i < c->stub_count; i++) {
		free(c->stubs[i].domain);
		free(c->stubs[i].server);
	}
	for (unsigned int i = 0; i < c->table_count; i++) {
		free(c->tables[i].name);
		free(c->tables[i].path);
		free_texts(c->tables[i].values);
	}
	for (unsigned int i = 0; i < c->listen_count; i++)
		free(c->listens[i].address);
	for (unsigned int i = 0; i < c->mailbox_count; i++) {
		free(c->mailboxes[i].name);
		free(c->mailboxes[i].users_table);
		free(c->mailboxes[i].aliases);
		free(c->mailboxes[i].path);
	}
	for (unsigned int i = 0; i < c->relay_count; i++) {
		free(c->relays[i].name);
		free(c->relays[i].via);
	}
	for (unsigned int i = 0; i < c->rule_count; i++)
		build_rule_clear(&c->rules[i]);
}

void
config_free(struct config **pointer)
{
	struct config *c = *pointer;

	*pointer = NULL;
	if (c == NULL)
		return;
	free_things(c);
	free(c->path);
	free(c->hostname);
	free(c->spool);
	free(c->run);
	free(c->admin);
	free_texts(c->forwards);
	free(c->stubs);
	free(c->tables);
	free(c->listens);
	free(c->mailboxes);
	free(c->relays);
	free(c->rules);
	free(c);
}

const struct table_config *
config_table(const struct config *c, const char *name)
{
	for (unsigned int i = 0; i < c->table_count; i++)
		if (strcmp(c->tables[i].name, name) == 0)
			return &c->tables[i];
	return NULL;
}

const struct mailbox_config *
config_mailbox(const struct config *c, const char *name)
{
	for (unsigned int i = 0; i < c->mailbox_count; i++)
		if (strcmp(c->mailboxes[i].name, name) == 0)
			return &c->mailboxes[i];
	return NULL;
}

const struct relay_config *
config_relay(const struct config *c, const char *name)
{
	for (unsigned int i = 0; i < c->relay_count; i++)
		if (strcmp(c->relays[i].name, name) == 0)
			return &c->relays[i];
	return NULL;
}
