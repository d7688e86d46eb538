#include "queue/submission.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/address.h"
#include "common/content.h"
#include "common/dsn.h"
#include "common/login.h"
#include "common/mail.h"
#include "common/message.h"
#include "common/peer.h"
#include "common/via.h"
#include "queue/destination_name.h"

static int
protocol_error(void)
{
	errno = EPROTO;
	return -1;
}

static int
check_address(const char *text, unsigned int rules, struct address *address)
{
	return address_parse(text, rules, address) == -1 ? protocol_error() : 0;
}

static int
check_envelope(const struct message_envelope *m, int fd, struct address *sender)
{
	if (m->id == 0 || m->id == UINT64_MAX || m->recipients == 0 ||
	    m->recipients > LIMIT_EXPANSION ||
	    m->size > LIMIT_CONTENT_SIZE_MOST ||
	    m->protocol >= SMTP_PROTOCOLS || m->body >= SMTP_BODIES ||
	    !dsn_ret_is_valid(m->ret) || !dsn_envid_is_valid(m->envid) ||
	    !peer_address_is_valid(m->client_address) ||
	    !peer_name_is_valid(m->client_name) ||
	    !peer_tls_is_valid(m->tls_version, m->tls_cipher))
		return protocol_error();
	if (check_address(m->sender, ADDRESS_REVERSE_PATH, sender) == -1)
		return -1;
	return content_check(fd, m->size);
}

static int
copy_text(struct submission *s, char **to, const char *text)
{
	*to = strdup(text);
	if (*to == NULL)
		return -1;
	s->memory += strlen(text) + 1;
	return 0;
}

struct submission *
submission_new(const struct message_envelope *m, int fd, uint64_t arrival)
{
	struct submission *s;
	struct address sender;

	if (check_envelope(m, fd, &sender) == -1)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->fd = -1;
	s->memory = sizeof(*s);
	if (copy_text(s, &s->sender, sender.text) == -1 ||
	    copy_text(s, &s->client_address, m->client_address) == -1 ||
	    copy_text(s, &s->helo, m->helo) == -1 ||
	    copy_text(s, &s->user, m->user) == -1 ||
	    copy_text(s, &s->client_name, m->client_name) == -1 ||
	    copy_text(s, &s->tls_version, m->tls_version) == -1 ||
	    copy_text(s, &s->tls_cipher, m->tls_cipher) == -1 ||
	    copy_text(s, &s->config, m->config) == -1 ||
	    copy_text(s, &s->envid, m->envid) == -1) {
		submission_free(&s);
		errno = ENOMEM;
		return NULL;
	}
	s->fd = fd;
	s->id = m->id;
	s->arrival = arrival;
	s->size = m->size;
	s->protocol = m->protocol;
	s->body = m->body;
	s->ret = m->ret;
	s->expected = m->recipients;
	return s;
}

/* Only a mailbox has an owner. Whether there is such a user is for spawn to
 * find out; that it is a name, and no path or option, is seen here. */
static bool
is_owner(uint8_t kind, const char *user)
{
	return kind == ROUTE_MAILBOX ? login_name_is_valid(user)
				     : user[0] == '\0';
}

/* A relay or a mailbox is one of the configuration. */
static bool
is_thing(uint8_t kind, const char *name)
{
	return kind == ROUTE_MX || destination_thing_is_valid(name);
}

static int
check_route(const struct submission *s, const struct message_route *m,
    struct address *address, char *destination)
{
	struct address original;

	if (m->number != s->count || s->count >= s->expected ||
	    m->kind >= ROUTE_KINDS || !is_owner(m->kind, m->user) ||
	    !is_thing(m->kind, m->name) || !dsn_notify_is_valid(m->notify) ||
	    !dsn_orcpt_is_valid(m->orcpt) || m->expanded > 1 ||
	    !via_is_valid(m->via))
		return protocol_error();
	if (check_address(m->address, ADDRESS_FORWARD_PATH, address) == -1 ||
	    check_address(m->original, ADDRESS_FORWARD_PATH, &original) == -1)
		return -1;
	return destination_name(
	    m->kind, m->name, m->user, address->domain, destination);
}

/* The table grows by doubling with what has come, not with what was
 * announced. */
static int
make_room(struct submission *s)
{
	struct submission_recipient *grown;
	size_t count = s->count == 0 ? 1 : (size_t)s->count * 2;

	if ((s->count & (s->count - 1)) != 0)
		return 0;
	grown = reallocarray(s->recipients, count, sizeof(*grown));
	if (grown == NULL)
		return -1;
	s->recipients = grown;
	s->memory += (count - s->count) * sizeof(*grown);
	return 0;
}

int
submission_add(struct submission *s, const struct message_route *m)
{
	char destination[LIMIT_DESTINATION + 1];
	struct submission_recipient *r;
	struct address address;

	if (check_route(s, m, &address, destination) == -1 ||
	    make_room(s) == -1)
		return -1;
	r = &s->recipients[s->count++];
	memset(r, 0, sizeof(*r));
	r->kind = m->kind;
	r->notify = m->notify;
	r->expanded = m->expanded == 1;
	r->rule = m->rule;
	if (copy_text(s, &r->address, address.text) == -1 ||
	    copy_text(s, &r->original, m->original) == -1 ||
	    copy_text(s, &r->name, m->name) == -1 ||
	    copy_text(s, &r->user, m->user) == -1 ||
	    copy_text(s, &r->destination, destination) == -1 ||
	    copy_text(s, &r->orcpt, m->orcpt) == -1 ||
	    copy_text(s, &r->via, m->via) == -1)
		return -1;
	return 0;
}

void
submission_free(struct submission **pointer)
{
	struct submission *s = *pointer;

	*pointer = NULL;
	if (s == NULL)
		return;
	for (uint32_t i = 0; i < s->count; i++) {
		free(s->recipients[i].address);
		free(s->recipients[i].original);
		free(s->recipients[i].name);
		free(s->recipients[i].user);
		free(s->recipients[i].destination);
		free(s->recipients[i].orcpt);
		free(s->recipients[i].via);
	}
	free(s->recipients);
	free(s->sender);
	free(s->client_address);
	free(s->helo);
	free(s->user);
	free(s->client_name);
	free(s->tls_version);
	free(s->tls_cipher);
	free(s->config);
	free(s->envid);
	if (s->fd != -1)
		close(s->fd);
	free(s);
}
