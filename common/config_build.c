#include "common/config_build.h"

#include <netinet/in.h>
#include <arpa/inet.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/config_number.h"

/* The sockets in it must fit sun_path, 107 characters. */
#define RUN_PATH_MOST 80
#define YEAR (366ULL * 24 * 60 * 60)

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
bool
build_room(struct config_build *b, token at, void *array_pointer,
    unsigned int count, size_t size)
{
	void *array;

	if (count >= LIMIT_CONFIG_ITEMS) {
		build_error(b, at, "too many of these: at most %d are allowed",
		    LIMIT_CONFIG_ITEMS);
		return false;
	}
	if (count != 0 && (count & (count - 1)) != 0)
		return true;
	memcpy(&array, array_pointer, sizeof(array));
	array = reallocarray(array, count == 0 ? 1 : 2 * count, size);
	if (array == NULL) {
		b->no_memory = true;
		return false;
	}
	memcpy(array_pointer, &array, sizeof(array));
	return true;
}

static void
add_name(struct config_build *b, struct config_name **names,
    unsigned int *count, enum config_thing thing, token name)
{
	if (build_room(b, name, names, *count, sizeof(**names)))
		(*names)[(*count)++] = (struct config_name){ thing, *name };
}

void
build_use(struct config_build *b, enum config_thing thing, token name)
{
	add_name(b, &b->uses, &b->use_count, thing, name);
}

/* False, reported, if a statement that may be given once was given before. */
static bool
once(struct config_build *b, enum config_once which, token at)
{
	if (b->once[which] != 0) {
		build_error(b, at,
		    "this was set on line %u already; leave one of the two out",
		    b->once[which]);
		return false;
	}
	b->once[which] = at->line;
	return true;
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
	char *copy;

	if (!domain_is_valid(domain->text) &&
	    !address_literal_is_valid(domain->text)) {
		build_error(b, domain, "\"%s\" is not a domain name%s",
		    domain->text,
		    strchr(domain->text, '@') != NULL
			? "; for a whole address leave out `domain`"
			: "");
		return NULL;
	}
	copy = build_copy(b, domain->text);
	for (char *c = copy; c != NULL && *c != '\0'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + ('a' - 'A'));
	return copy;
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

/* The canonical text of one address, or NULL; reports nothing. */
static char *
single_address(const char *text)
{
	struct network network;

	if (network_parse(text, &network) == -1 || !is_single(&network))
		return NULL;
	return network_format(&network);
}

static char *
absolute_path(struct config_build *b, token path, size_t most)
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

/* A count, size or time within its bounds. */
static bool
number(struct config_build *b, token text, enum number_unit unit,
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

static void
set_count(struct config_build *b, token text, unsigned int least,
    unsigned int most, unsigned int *where)
{
	uint64_t value;

	if (number(b, text, NUMBER_PLAIN, least, most, &value))
		*where = (unsigned int)value;
}

static bool
port_number(struct config_build *b, token text, uint16_t *port)
{
	uint64_t value;

	if (!number(b, text, NUMBER_PLAIN, 1, UINT16_MAX, &value))
		return false;
	*port = (uint16_t)value;
	return true;
}

void
build_hostname(struct config_build *b, token at, token name)
{
	char *domain;

	if (!once(b, ONCE_HOSTNAME, at))
		return;
	if (!domain_is_valid(name->text)) {
		build_error(b, name, "\"%s\" is not a host name", name->text);
		return;
	}
	domain = build_domain(b, name);
	free(b->config->hostname);
	b->config->hostname = domain;
}

void
build_spool(struct config_build *b, token at, token path)
{
	char *text;

	if (!once(b, ONCE_SPOOL, at) ||
	    (text = absolute_path(b, path, LIMIT_PATH)) == NULL)
		return;
	free(b->config->spool);
	b->config->spool = text;
}

void
build_run(struct config_build *b, token at, token path)
{
	char *text;

	if (!once(b, ONCE_RUN, at) ||
	    (text = absolute_path(b, path, RUN_PATH_MOST)) == NULL)
		return;
	free(b->config->run);
	b->config->run = text;
}

void
build_admin(struct config_build *b, token at, token address)
{
	if (once(b, ONCE_ADMIN, at))
		b->config->admin = build_address(b, address, 0);
}

/* A DNS server: 192.0.2.1 or 192.0.2.1@5353. */
static char *
dns_server(struct config_build *b, token server)
{
	char address[LIMIT_ADDRESS_TEXT + 1] = "";
	size_t length = strcspn(server->text, "@");
	const char *port = server->text + length;
	uint64_t value = 1;
	char *canonical = NULL;

	if (length < sizeof(address)) {
		memcpy(address, server->text, length);
		canonical = single_address(address);
	}
	if (canonical == NULL ||
	    (*port == '@' &&
		(number_parse(port + 1, NUMBER_PLAIN, &value) == -1 ||
		    value < 1 || value > UINT16_MAX))) {
		build_error(b, server,
		    "\"%s\" is not a server such as \"192.0.2.1\" or "
		    "\"192.0.2.1@5353\"",
		    server->text);
		free(canonical);
		return NULL;
	}
	free(canonical);
	return build_copy(b, server->text);
}

void
build_forward(struct config_build *b, token server)
{
	char *text = dns_server(b, server);

	/* One more for the NULL at the end. */
	if (text == NULL || !build_room(b, server, &b->config->forwards,
				b->forward_count + 1, sizeof(char *))) {
		free(text);
		return;
	}
	b->config->forwards[b->forward_count++] = text;
	b->config->forwards[b->forward_count] = NULL;
}

void
build_stub(struct config_build *b, token domain, token server)
{
	struct config *c = b->config;
	struct stub_config stub = { build_domain(b, domain),
		dns_server(b, server) };

	if (stub.domain == NULL || stub.server == NULL ||
	    !build_room(b, domain, &c->stubs, c->stub_count, sizeof(stub))) {
		free(stub.domain);
		free(stub.server);
		return;
	}
	c->stubs[c->stub_count++] = stub;
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
	if (b->values == NULL || !build_room(b, value, &b->values,
				     b->value_count + 1, sizeof(char *)))
		return;
	b->values[b->value_count] = build_copy(b, value->text);
	if (b->values[b->value_count] != NULL)
		b->values[++b->value_count] = NULL;
}

static void
add_table(struct config_build *b, token name, struct table_config table)
{
	struct config *c = b->config;

	if (!define(b, THING_TABLE, name) ||
	    !build_room(b, name, &c->tables, c->table_count, sizeof(table))) {
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

	table.path = absolute_path(b, path, LIMIT_PATH);
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
	struct listen_config listen = { NULL, 0 };

	if (!port_number(b, port, &listen.port))
		return;
	if (strcmp(where->text, "*") == 0)
		listen.address = build_copy(b, "*");
	else if ((listen.address = single_address(where->text)) == NULL)
		build_error(b, where,
		    "listen on * or on one address of this host, such as "
		    "192.0.2.1");
	if (listen.address == NULL)
		return;
	if (c->listen_count == LIMIT_LISTENERS)
		build_error(
		    b, where, "at most %d can be listened on", LIMIT_LISTENERS);
	else if (listen_is_free(b, where, &listen) &&
		 build_room(
		     b, where, &c->listens, c->listen_count, sizeof(listen))) {
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

	m.users =
	    users->text == NULL ? MAILBOX_USERS_SYSTEM : MAILBOX_USERS_TABLE;
	m.users_table = use_table(b, users);
	m.aliases = use_table(b, aliases);
	m.path = mailbox_path(b, path);
	if (!define(b, THING_MAILBOX, name) ||
	    !build_room(b, name, &c->mailboxes, c->mailbox_count, sizeof(m))) {
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
	char *host = single_address(via->text);

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

	relay.via = relay_host(b, via);
	if ((port != NULL && !port_number(b, port, &relay.port)) ||
	    !define(b, THING_RELAY, name) ||
	    !build_room(b, name, &c->relays, c->relay_count, sizeof(relay))) {
		free(relay.via);
		return;
	}
	relay.name = build_copy(b, name->text);
	c->relays[c->relay_count++] = relay;
}

void
build_message_size(struct config_build *b, token at, token size)
{
	if (once(b, ONCE_MESSAGE_SIZE, at))
		(void)number(b, size, NUMBER_SIZE, 64 * 1024,
		    LIMIT_MESSAGE_SIZE_MOST, &b->config->limit_message_size);
}

void
build_store_size(struct config_build *b, token at, token size)
{
	if (once(b, ONCE_STORE_SIZE, at))
		(void)number(b, size, NUMBER_SIZE, UINT64_C(1) << 20,
		    UINT64_C(16) << 40, &b->config->limit_store_size);
}

void
build_recipients(struct config_build *b, token at, token count)
{
	if (once(b, ONCE_RECIPIENTS, at))
		set_count(
		    b, count, 1, LIMIT_EXPANSION, &b->config->limit_recipients);
}

void
build_connections(struct config_build *b, token at, token count)
{
	if (once(b, ONCE_CONNECTIONS, at))
		set_count(b, count, 1, 1000000, &b->config->limit_connections);
}

void
build_connections_all(struct config_build *b, token at, token count)
{
	if (once(b, ONCE_CONNECTIONS_ALL, at))
		set_count(
		    b, count, 1, 1000000, &b->config->limit_connections_all);
}

void
build_workers(struct config_build *b, token at, token count)
{
	if (once(b, ONCE_WORKERS, at))
		set_count(
		    b, count, 0, LIMIT_WORKERS, &b->config->limit_workers);
}

void
build_retry(
    struct config_build *b, token at, token from, token to, token period)
{
	uint64_t first, last, whole;

	if (!once(b, ONCE_RETRY, at) ||
	    !number(b, from, NUMBER_DURATION, 1, YEAR, &first) ||
	    !number(b, to, NUMBER_DURATION, 1, YEAR, &last) ||
	    !number(b, period, NUMBER_DURATION, 1, YEAR, &whole))
		return;
	if (last < first)
		build_error(
		    b, to, "the longest wait is shorter than the first");
	else if (whole < last)
		build_error(b, period,
		    "mail would be given up before the longest wait is over");
	b->config->retry_from = (unsigned int)first;
	b->config->retry_to = (unsigned int)last;
	b->config->retry_for = (unsigned int)whole;
}

void
build_history(struct config_build *b, token at, token period)
{
	uint64_t value;

	if (once(b, ONCE_HISTORY, at) &&
	    number(b, period, NUMBER_DURATION, 0, 10 * YEAR, &value))
		b->config->history = (unsigned int)value;
}
