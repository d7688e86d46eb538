/* The statements that define something: tables, listeners, mailboxes, relays. */
#include "common/config_statement.h"

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/config_value.h"

typedef const struct config_token *token;

static void
free_values(char **values)
{
	for (char **v = values; v != NULL && *v != NULL; v++)
		free(*v);
	free(values);
}

void
build_values_start(struct config_build *b)
{
	free_values(b->values);
	b->value_count = 0;
	b->values = calloc(1, sizeof(char *));
	if (b->values == NULL)
		b->no_memory = true;
}

void
build_value(struct config_build *b, token value)
{
	char **values;

	if (b->values == NULL)
		return;
	/* One more for the NULL at the end. */
	values = build_room(
	    b, value, b->values, b->value_count + 1, sizeof(*values));
	if (values == NULL)
		return;
	b->values = values;
	values[b->value_count] = build_copy(b, value->text);
	if (values[b->value_count] != NULL)
		values[++b->value_count] = NULL;
}

static void
add_table(struct config_build *b, token name, struct table_config table)
{
	struct config *c = b->config;
	struct table_config *tables =
	    build_room(b, name, c->tables, c->table_count, sizeof(table));

	if (tables != NULL)
		c->tables = tables;
	if (tables == NULL || !build_define(b, THING_TABLE, name)) {
		free(table.path);
		free_values(table.values);
		return;
	}
	table.name = build_copy(b, name->text);
	c->tables[c->table_count++] = table;
}

void
build_table_list(struct config_build *b, token name)
{
	struct table_config table = { .kind = TABLE_LIST, .values = b->values };

	b->values = NULL;
	b->value_count = 0;
	add_table(b, name, table);
}

void
build_table_file(struct config_build *b, token name, token path)
{
	struct table_config table = { .kind = TABLE_FILE };

	table.path = build_path(b, path, LIMIT_PATH);
	add_table(b, name, table);
}

/* "*" takes a port on all addresses, so nothing else can have it. */
static bool
listen_is_free(
    struct config_build *b, token where, const struct listen_config *wanted)
{
	const struct config *c = b->config;

	for (unsigned int i = 0; i < c->listen_count; i++) {
		const struct listen_config *taken = &c->listens[i];

		if (taken->port != wanted->port ||
		    (strcmp(taken->address, wanted->address) != 0 &&
			strcmp(taken->address, "*") != 0 &&
			strcmp(wanted->address, "*") != 0))
			continue;
		build_error(b, where,
		    "port %u of %s is taken already by listen on %s port %u",
		    wanted->port, wanted->address, taken->address, taken->port);
		return false;
	}
	return true;
}

void
build_listen(struct config_build *b, token where, token port)
{
	struct config *c = b->config;
	struct listen_config listen = { NULL, 0 }, *listens;

	if (!build_port(b, port, &listen.port))
		return;
	if (strcmp(where->text, "*") == 0)
		listen.address = build_copy(b, "*");
	else if ((listen.address = build_single_address(b, where->text)) ==
		 NULL)
		build_error(b, where,
		    "listen on * or on one address of this host, such as "
		    "192.0.2.1");
	if (listen.address == NULL)
		return;
	if (c->listen_count == LIMIT_LISTENERS)
		build_error(
		    b, where, "at most %d can be listened on", LIMIT_LISTENERS);
	else if (listen_is_free(b, where, &listen) &&
		 (listens = build_room(b, where, c->listens, c->listen_count,
		      sizeof(listen))) != NULL) {
		c->listens = listens;
		c->listens[c->listen_count++] = listen;
		return;
	}
	free(listen.address);
}

static bool
has_dot_dot(const char *path)
{
	while ((path = strstr(path, "/..")) != NULL) {
		path += 3;
		if (*path == '/' || *path == '\0')
			return true;
	}
	return false;
}

/* Absolute, or below the home of the user, and never back up. */
static char *
mailbox_path(struct config_build *b, token path)
{
	const char *text = path->text;

	if (strncmp(text, "~/", 2) == 0 ? text[2] == '\0' : text[0] != '/') {
		build_error(b, path,
		    "a mailbox is a path below the home, such as "
		    "\"~/Maildir\", or begins with /");
		return NULL;
	}
	if (has_dot_dot(text) || strlen(text) > LIMIT_PATH) {
		build_error(b, path,
		    "a mailbox's path has no .. and at most %d characters",
		    LIMIT_PATH);
		return NULL;
	}
	return build_copy(b, text);
}

static void
free_mailbox(struct mailbox_config *m)
{
	free(m->name);
	free(m->users_table);
	free(m->aliases);
	free(m->path);
}

static char *
use_table(struct config_build *b, token name)
{
	if (name->text == NULL)
		return NULL;
	build_use(b, THING_TABLE, name);
	return build_copy(b, name->text);
}

void
build_mailbox(
    struct config_build *b, token name, token users, token aliases, token path)
{
	struct config *c = b->config;
	struct mailbox_config m = { .format = MAILBOX_MAILDIR };
	struct mailbox_config *mailboxes =
	    build_room(b, name, c->mailboxes, c->mailbox_count, sizeof(m));

	if (mailboxes != NULL)
		c->mailboxes = mailboxes;
	m.users =
	    users->text == NULL ? MAILBOX_USERS_SYSTEM : MAILBOX_USERS_TABLE;
	m.users_table = use_table(b, users);
	m.aliases = use_table(b, aliases);
	m.path = mailbox_path(b, path);
	if (mailboxes == NULL || !build_define(b, THING_MAILBOX, name)) {
		free_mailbox(&m);
		return;
	}
	m.name = build_copy(b, name->text);
	c->mailboxes[c->mailbox_count++] = m;
}

/* A host: the text of an address, or a name in lower case. */
static char *
relay_host(struct config_build *b, token via)
{
	char *host = build_single_address(b, via->text);

	if (host != NULL)
		return host;
	if (!domain_is_valid(via->text) || strchr(via->text, ':') != NULL) {
		build_error(b, via,
		    "\"%s\" is not a host name or an address; a port is "
		    "written as: port 25",
		    via->text);
		return NULL;
	}
	return build_domain(b, via);
}

void
build_relay(struct config_build *b, token name, token via, token port)
{
	struct config *c = b->config;
	struct relay_config relay = { NULL, NULL, 25 };
	struct relay_config *relays =
	    build_room(b, name, c->relays, c->relay_count, sizeof(relay));

	if (relays != NULL)
		c->relays = relays;
	relay.via = relay_host(b, via);
	if ((port != NULL && !build_port(b, port, &relay.port)) ||
	    relays == NULL || !build_define(b, THING_RELAY, name)) {
		free(relay.via);
		return;
	}
	relay.name = build_copy(b, name->text);
	c->relays[c->relay_count++] = relay;
}
