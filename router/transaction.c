#include "router/transaction.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "common/content.h"
#include "common/dsn.h"
#include "common/id.h"
#include "common/log.h"
#include "common/peer.h"
#include "router/delivered.h"

enum transaction_state {
	TRANSACTION_GATHERING,
	TRANSACTION_COMPLETE,
	TRANSACTION_SENT,
};

struct transaction {
	const struct expander *expander;
	uint64_t id;
	enum transaction_state state;
	char client_text[LIMIT_ADDRESS_TEXT + 1];
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} client;
	char client_name[LIMIT_DOMAIN + 1];
	char tls_version[LIMIT_TLS_NAME + 1];
	char tls_cipher[LIMIT_TLS_NAME + 1];
	char helo[LIMIT_HELO + 1];
	char user[LIMIT_USER + 1];
	struct address sender;
	enum smtp_protocol protocol;
	enum smtp_body body;
	uint64_t declared_size;
	uint8_t ret;
	char envid[LIMIT_ENVID + 1];
	unsigned int given; /* RECIPIENTs */
	struct routes routes;
	int content;
	uint64_t size;
	uint32_t inject;
};

static void
enter_state(struct transaction *t, enum transaction_state state)
{
	static const char *const names[] = {
		[TRANSACTION_GATHERING] = "gathering",
		[TRANSACTION_COMPLETE] = "complete",
		[TRANSACTION_SENT] = "sent",
	};

	log_debug("transaction id=%s from=%s to=%s", id_format(t->id).text,
	    names[t->state], names[state]);
	t->state = state;
}

/* -- OPEN ------------------------------------------------------------------ */

static bool
has_controls(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

/* An IPv4 address in an IPv6 socket is an IPv4 address to the rules. */
static void
unmap(struct transaction *t)
{
	struct in6_addr from = t->client.v6.sin6_addr;

	if (!IN6_IS_ADDR_V4MAPPED(&from))
		return;
	memset(&t->client, 0, sizeof(t->client));
	t->client.v4.sin_family = AF_INET;
	memcpy(&t->client.v4.sin_addr, &from.s6_addr[12], 4);
}

/* Only a program of this host has no address. */
static int
read_client(struct transaction *t, const char *text)
{
	strlcpy(t->client_text, text, sizeof(t->client_text));
	t->client.any.sa_family = AF_UNSPEC;
	if (*text == '\0')
		return t->protocol == SMTP_PROTOCOL_LOCAL ? 0 : -1;
	if (inet_pton(AF_INET, text, &t->client.v4.sin_addr) == 1)
		t->client.v4.sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &t->client.v6.sin6_addr) == 1) {
		t->client.v6.sin6_family = AF_INET6;
		unmap(t);
	} else
		return -1;
	return 0;
}

static int
read_open(struct transaction *t, const struct message_open *m)
{
	if (m->protocol >= SMTP_PROTOCOLS || m->body >= SMTP_BODIES ||
	    m->listener >= LIMIT_LISTENERS || !dsn_ret_is_valid(m->ret) ||
	    !dsn_envid_is_valid(m->envid) || has_controls(m->helo) ||
	    has_controls(m->user) || !peer_name_is_valid(m->client_name) ||
	    !peer_tls_is_valid(m->tls_version, m->tls_cipher))
		return -1;
	t->protocol = (enum smtp_protocol)m->protocol;
	t->body = (enum smtp_body)m->body;
	t->declared_size = m->declared_size;
	t->ret = m->ret;
	strlcpy(t->envid, m->envid, sizeof(t->envid));
	strlcpy(t->client_name, m->client_name, sizeof(t->client_name));
	strlcpy(t->tls_version, m->tls_version, sizeof(t->tls_version));
	strlcpy(t->tls_cipher, m->tls_cipher, sizeof(t->tls_cipher));
	strlcpy(t->helo, m->helo, sizeof(t->helo));
	strlcpy(t->user, m->user, sizeof(t->user));
	if (address_parse(m->sender, ADDRESS_REVERSE_PATH, &t->sender) == -1)
		return -1;
	return read_client(t, m->client_address);
}

struct transaction *
transaction_new(const struct expander *expander, const struct message_open *m)
{
	struct transaction *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->expander = expander;
	t->content = -1;
	routes_init(&t->routes);
	if (read_open(t, m) == -1) {
		transaction_free(&t);
		errno = EPROTO;
		return NULL;
	}
	t->id = id_new();
	return t;
}

void
transaction_free(struct transaction **pointer)
{
	struct transaction *t = *pointer;

	*pointer = NULL;
	if (t == NULL)
		return;
	routes_clear(&t->routes);
	if (t->content != -1)
		close(t->content);
	free(t);
}

/* -- RECIPIENT ------------------------------------------------------------- */

static bool
is_loopback(const struct transaction *t)
{
	if (t->client.any.sa_family == AF_INET)
		return ntohl(t->client.v4.sin_addr.s_addr) >> 24 == 127;
	if (t->client.any.sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&t->client.v6.sin6_addr);
	return true;
}

static bool
is_report(const struct transaction *t)
{
	return t->inject != 0 && (t->inject & INJECT_REDIRECTED) == 0;
}

static struct rule_facts
facts_of(const struct transaction *t)
{
	return (struct rule_facts){
		.local = is_loopback(t),
		.authenticated = t->user[0] != '\0',
		.report = is_report(t),
		.client = t->client.any.sa_family == AF_UNSPEC ? NULL
							       : &t->client.any,
		.sender = &t->sender,
	};
}

static void
log_refusal(const struct transaction *t, const struct address *to,
    unsigned int rule, const struct reply *reply)
{
	log_info("refused id=%s from=\"%s\" to=\"%s\" client=%s "
		 "reply=\"%u %s\" rule=%u",
	    id_format(t->id).text, log_text(t->sender.text), log_text(to->text),
	    log_text(t->client_text), reply->code, log_text(reply->text), rule);
}

/* What speaks against any further recipient, before looking at it. */
static bool
is_refused_early(const struct transaction *t, bool ready, struct reply *reply)
{
	const struct config *config = t->expander->config;

	if (!ready)
		reply_set(reply, 451,
		    "4.3.0 The queue is not there, please try again later");
	else if (t->declared_size > config->limit_message_size)
		reply_set(reply, 552, "5.3.4 The message is too big");
	else if (t->given > config->limit_recipients)
		reply_set(reply, 452, "4.5.3 Too many recipients");
	else
		return false;
	return true;
}

int
transaction_add_recipient(struct transaction *t,
    const struct message_recipient *m, bool ready, struct reply *reply)
{
	const struct expander *e = t->expander;
	const struct rule_facts facts = facts_of(t);
	struct expansion expansion = { .rule = 0 };
	struct address to;

	if (t->state != TRANSACTION_GATHERING ||
	    !dsn_notify_is_valid(m->notify) || !dsn_orcpt_is_valid(m->orcpt) ||
	    address_parse(m->address, ADDRESS_FORWARD_PATH, &to) == -1) {
		errno = EPROTO;
		return -1;
	}
	t->given++;
	routes_init(&expansion.routes);
	if (!is_refused_early(t, ready, reply)) {
		tables_refresh(e->tables, monotime_now());
		expand_recipient(e, t->id, &facts, &to, &expansion);
		*reply = expansion.reply;
	}
	if (reply_is_positive(reply) &&
	    routes_set_dsn(&expansion.routes, m->notify, m->orcpt) == -1)
		reply_set(reply, 451, "4.3.1 Out of memory");
	if (reply_is_positive(reply) &&
	    t->routes.count + expansion.routes.count > LIMIT_EXPANSION)
		reply_set(reply, 452, "4.5.3 Too many recipients");
	if (reply_is_positive(reply))
		routes_move(&t->routes, &expansion.routes);
	else
		log_refusal(t, &to, expansion.rule, reply);
	routes_clear(&expansion.routes);
	return 0;
}

/* -- CONTENT and what follows ---------------------------------------------- */

/* The queue keeps its own reports small, and to refuse one would be to tell
 * nobody of a loss. */
static bool
is_content_refused(
    const struct transaction *t, uint32_t hops, struct reply *reply)
{
	if (t->routes.count == 0)
		reply_set(reply, 554, "5.5.1 No valid recipients");
	else if (!is_report(t) &&
		 t->size >
		     t->expander->config->limit_message_size + LIMIT_TRACE)
		reply_set(reply, 552, "5.3.4 The message is too big");
	else if (hops > LIMIT_HOPS)
		reply_set(reply, 554, "5.4.6 Too many hops, this is a loop");
	else if (delivered_to_all(t->content, t->size, &t->routes))
		reply_set(reply, 554,
		    "5.4.6 Mail loop: it was delivered here before");
	else
		return false;
	return true;
}

int
transaction_add_content(struct transaction *t, int fd_take, uint64_t size,
    uint32_t hops, struct reply *reply)
{
	if (t->state != TRANSACTION_GATHERING ||
	    content_check(fd_take, size) == -1) {
		close(fd_take);
		errno = EPROTO;
		return -1;
	}
	t->content = fd_take;
	t->size = size;
	enter_state(t, TRANSACTION_COMPLETE);
	if (!is_content_refused(t, hops, reply))
		return 0;
	transaction_log(t, reply);
	return 1;
}

void
transaction_set_inject(struct transaction *t, uint32_t handle)
{
	t->inject = handle;
}

void
transaction_make_envelope(struct transaction *t, struct message *m)
{
	assert(t->state == TRANSACTION_COMPLETE);
	m->fd = t->content;
	t->content = -1;
	m->envelope = (struct message_envelope){
		.id = t->id,
		.sender = t->sender.text,
		.client_address = t->client_text,
		.helo = t->helo,
		.user = t->user,
		.protocol = (uint8_t)t->protocol,
		.body = (uint8_t)t->body,
		.size = t->size,
		.recipients = t->routes.count,
		.ret = t->ret,
		.envid = t->envid,
		.inject = t->inject,
		.client_name = t->client_name,
		.tls_version = t->tls_version,
		.tls_cipher = t->tls_cipher,
		.config = t->expander->config->path,
	};
	enter_state(t, TRANSACTION_SENT);
}

uint64_t
transaction_id(const struct transaction *t)
{
	return t->id;
}

uint64_t
transaction_size(const struct transaction *t)
{
	return t->size;
}

const struct routes *
transaction_routes(const struct transaction *t)
{
	return &t->routes;
}

void
transaction_log(const struct transaction *t, const struct reply *reply)
{
	if (reply_is_positive(reply))
		log_info("accepted id=%s from=\"%s\" size=%" PRIu64
			 " client=%s helo=\"%s\" recipients=%u",
		    id_format(t->id).text, log_text(t->sender.text), t->size,
		    log_text(t->client_text), log_text(t->helo),
		    t->routes.count);
	else
		log_info("refused id=%s from=\"%s\" size=%" PRIu64
			 " client=%s helo=\"%s\" reply=\"%u %s\"",
		    id_format(t->id).text, log_text(t->sender.text), t->size,
		    log_text(t->client_text), log_text(t->helo), reply->code,
		    log_text(reply->text));
}
