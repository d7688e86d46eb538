#include "common/config_build.h"

#include <netinet/in.h>
#include <arpa/inet.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/config_number.h"

typedef const struct config_token *token;

void
build_error(struct config_build *b, token at, const char *format, ...)
{
	char message[LIMIT_LOG_LINE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	source_error(b->lexer.source, at->offset, "%s", message);
}

char *
build_copy(struct config_build *b, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		b->no_memory = true;
	return copy;
}

/* Arrays grow to the next power of two, so the count says what fits. */
static void *
grow(struct config_build *b, void *array, unsigned int count, size_t size)
{
	if (count != 0 && (count & (count - 1)) != 0)
		return array;
	array = reallocarray(array, count == 0 ? 1 : 2 * (size_t)count, size);
	if (array == NULL)
		b->no_memory = true;
	return array;
}

void *
build_room(struct config_build *b, token at, void *array, unsigned int count,
    size_t size)
{
	if (count < LIMIT_CONFIG_ITEMS)
		return grow(b, array, count, size);
	build_error(b, at, "too many of these: at most %d are allowed",
	    LIMIT_CONFIG_ITEMS);
	return NULL;
}

/* Names are as many as the text has room for. */
static void
add_name(struct config_build *b, struct config_name **names,
    unsigned int *count, enum config_thing thing, token name)
{
	struct config_name *grown = grow(b, *names, *count, sizeof(**names));

	if (grown == NULL)
		return;
	*names = grown;
	grown[(*count)++] = (struct config_name){ thing, *name };
}

void
build_use(struct config_build *b, enum config_thing thing, token name)
{
	add_name(b, &b->uses, &b->use_count, thing, name);
}

/* A name for a new thing: short, and not used before. */
static bool
define(struct config_build *b, enum config_thing thing, token name)
{
	if (*name->text == '\0' || strlen(name->text) > LIMIT_NAME) {
		build_error(
		    b, name, "a name has 1 to %d characters", LIMIT_NAME);
		return false;
	}
	for (unsigned int i = 0; i < b->definition_count; i++)
		if (b->definitions[i].thing == thing &&
		    strcmp(b->definitions[i].token.text, name->text) == 0) {
			build_error(b, name,
			    "\"%s\" was defined on line %u already", name->text,
			    b->definitions[i].token.line);
			return false;
		}
	add_name(b, &b->definitions, &b->definition_count, thing, name);
	return true;
}

char *
build_domain(struct config_build *b, token domain)
{
	struct address address;

	/* Any local part will do to have the domain in canonical form. */
	if (address_make("x", domain->text, &address) == -1) {
		build_error(b, domain, "\"%s\" is not a domain name%s",
		    domain->text,
		    strchr(domain->text, '@') != NULL
			? "; for a whole address leave out `domain`"
			: "");
		return NULL;
	}
	return build_copy(b, address.domain);
}

char *
build_address(struct config_build *b, token text, unsigned int rules)
{
	struct address address;

	if (address_parse(text->text, rules, &address) == -1) {
		build_error(b, text, "\"%s\" is not a mail address%s",
		    text->text,
		    domain_is_valid(text->text)
			? "; for a domain write `domain` before it"
			: "");
		return NULL;
	}
	return build_copy(b, address.text);
}

bool
build_network(struct config_build *b, token text, struct network *network)
{
	uint8_t written[16] = { 0 };
	char address[LIMIT_ADDRESS_TEXT + 1] = "";
	size_t length = strcspn(text->text, "/");

	if (network_parse(text->text, network) == -1) {
		build_error(b, text,
		    "\"%s\" is not an address or a network, such as "
		    "192.0.2.1, 192.0.2.0/24 or 2001:db8::/32",
		    text->text);
		return false;
	}
	if (length < sizeof(address))
		memcpy(address, text->text, length);
	if (inet_pton(network->family, address, written) != 1 ||
	    memcmp(written, network->address, sizeof(written)) != 0) {
		char *right = network_format(network);

		build_error(b, text,
		    "the address has bits outside its /%u; did you mean %s?",
		    network->prefix, right != NULL ? right : "the network");
		free(right);
		return false;
	}
	return true;
}

static bool
is_single(const struct network *n)
{
	return n->prefix == (n->family == AF_INET ? 32 : 128);
}

char *
build_single_address(struct config_build *b, const char *text)
{
	struct network network;
	char *canonical;

	if (network_parse(text, &network) == -1 || !is_single(&network))
		return NULL;
	canonical = network_format(&network);
	if (canonical == NULL)
		b->no_memory = true;
	return canonical;
}

char *
build_path(struct config_build *b, token path, size_t most)
{
	if (path->text[0] != '/') {
		build_error(b, path, "a path must begin with /");
		return NULL;
	}
	if (strlen(path->text) > most) {
		build_error(
		    b, path, "a path here has at most %zu characters", most);
		return NULL;
	}
	return build_copy(b, path->text);
}

bool
build_number(struct config_build *b, token text, enum number_unit unit,
    uint64_t least, uint64_t most, uint64_t *value)
{
	static const char *const forms[] = {
		[NUMBER_PLAIN] = "a number without a unit",
		[NUMBER_SIZE] = "a size such as 512K, 50M or 64G",
		[NUMBER_DURATION] = "a time such as 30s, 5m, 4h, 14d or 2w",
	};
	uint64_t parsed;

	if (number_parse(text->text, unit, &parsed) == -1) {
		build_error(
		    b, text, "expected %s, not `%s`", forms[unit], text->text);
		return false;
	}
	if (parsed < least || parsed > most) {
		struct config_source *source = b->lexer.source;
		char *range = NULL;
		size_t length = 0;
		FILE *out = open_memstream(&range, &length);

		if (out != NULL) {
			number_print(out, least, unit);
			fputs(" to ", out);
			number_print(out, most, unit);
			fclose(out);
		}
		source_error(source, text->offset,
		    "`%s` is out of range: %s is allowed", text->text,
		    range != NULL ? range : "less");
		free(range);
		return false;
	}
	*value = parsed;
	return true;
}

static bool
port_number(struct config_build *b, token text, uint16_t *port)
{
	uint64_t value;

	if (!build_number(b, text, NUMBER_PLAIN, 1, UINT16_MAX, &value))
		return false;
	*port = (uint16_t)value;
	return true;
}

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
	if (tables == NULL || !define(b, THING_TABLE, name)) {
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

	if (!port_number(b, port, &listen.port))
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
	if (mailboxes == NULL || !define(b, THING_MAILBOX, name)) {
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
	if ((port != NULL && !port_number(b, port, &relay.port)) ||
	    relays == NULL || !define(b, THING_RELAY, name)) {
		free(relay.via);
		return;
	}
	relay.name = build_copy(b, name->text);
	c->relays[c->relay_count++] = relay;
}
