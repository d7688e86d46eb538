/* The statements that set one value each. */
#include "common/config_statement.h"

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/config_value.h"

/* The sockets in it must fit sun_path, 107 characters. */
#define RUN_PATH_MOST 80
#define YEAR (366ULL * 24 * 60 * 60)

typedef const struct config_token *token;

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

static void
set_count(struct config_build *b, token text, unsigned int least,
    unsigned int most, unsigned int *where)
{
	uint64_t value;

	if (build_number(b, text, NUMBER_PLAIN, least, most, &value))
		*where = (unsigned int)value;
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
	    (text = build_path(b, path, LIMIT_PATH)) == NULL)
		return;
	free(b->config->spool);
	b->config->spool = text;
}

void
build_run(struct config_build *b, token at, token path)
{
	char *text;

	if (!once(b, ONCE_RUN, at) ||
	    (text = build_path(b, path, RUN_PATH_MOST)) == NULL)
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
		canonical = build_single_address(b, address);
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
	/* One more for the NULL at the end. */
	char **forwards = build_room(b, server, b->config->forwards,
	    b->forward_count + 1, sizeof(*forwards));
	char *text;

	if (forwards == NULL)
		return;
	b->config->forwards = forwards;
	text = dns_server(b, server);
	forwards[b->forward_count] = text;
	if (text != NULL)
		forwards[++b->forward_count] = NULL;
}

void
build_stub(struct config_build *b, token domain, token server)
{
	struct config *c = b->config;
	struct stub_config stub = { NULL, dns_server(b, server) };
	struct stub_config *stubs =
	    build_room(b, domain, c->stubs, c->stub_count, sizeof(stub));

	if (stubs != NULL)
		c->stubs = stubs;
	if (domain_is_valid(domain->text))
		stub.domain = build_domain(b, domain);
	else
		build_error(
		    b, domain, "\"%s\" is not a domain name", domain->text);
	if (stub.domain == NULL || stub.server == NULL || stubs == NULL) {
		free(stub.domain);
		free(stub.server);
		return;
	}
	c->stubs[c->stub_count++] = stub;
}

void
build_message_size(struct config_build *b, token at, token size)
{
	if (once(b, ONCE_MESSAGE_SIZE, at))
		(void)build_number(b, size, NUMBER_SIZE, UINT64_C(64) << 10,
		    LIMIT_MESSAGE_SIZE_MOST, &b->config->limit_message_size);
}

void
build_store_size(struct config_build *b, token at, token size)
{
	if (once(b, ONCE_STORE_SIZE, at))
		(void)build_number(b, size, NUMBER_SIZE, UINT64_C(1) << 20,
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
	    !build_number(b, from, NUMBER_DURATION, 1, YEAR, &first) ||
	    !build_number(b, to, NUMBER_DURATION, 1, YEAR, &last) ||
	    !build_number(b, period, NUMBER_DURATION, 1, YEAR, &whole))
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
build_warn(struct config_build *b, token at, token period)
{
	uint64_t value;

	if (once(b, ONCE_WARN, at) &&
	    build_number(b, period, NUMBER_DURATION, 0, YEAR, &value))
		b->config->warn_after = (unsigned int)value;
}

void
build_history(struct config_build *b, token at, token period)
{
	uint64_t value;

	if (once(b, ONCE_HISTORY, at) &&
	    build_number(b, period, NUMBER_DURATION, 0, 10 * YEAR, &value))
		b->config->history = (unsigned int)value;
}
