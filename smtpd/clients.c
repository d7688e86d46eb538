#include "smtpd/clients.h"

#include <netinet/in.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/monotime.h"
#include "smtpd/client.h"

/* Deadlines are minutes; one walk over the slots is cheaper than a timer for
 * each client that is set anew with each command. */
#define SWEEP_SECONDS 2

static struct {
	struct event_base *base;
	struct event *sweep;
	struct session_rules rules;
	void (*empty)(void);
	unsigned int most;	       /* clients at once */
	unsigned int most_per_address; /* of one address */
	unsigned int count;
	bool draining;
	/* A slot is in use if it has a client. The addresses lie together, so
	 * that counting one is a walk over 16 KiB. */
	struct client *slots[LIMIT_SESSIONS];
	struct in6_addr addresses[LIMIT_SESSIONS];
} state;

static void
on_sweep(evutil_socket_t fd, short what, void *context)
{
	struct monotime now = monotime_now();

	(void)fd;
	(void)what;
	(void)context;
	for (unsigned int i = 0; i < LIMIT_SESSIONS; i++)
		if (state.slots[i] != NULL)
			client_check_time(state.slots[i], now);
}

static unsigned int
share_of_all(const struct config *config)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int workers = config->limit_workers;
	unsigned int share;

	if (workers == 0)
		workers = cores > 0 ? (unsigned int)cores : 1;
	if (workers > LIMIT_WORKERS)
		workers = LIMIT_WORKERS;
	share = (config->limit_connections_all + workers - 1) / workers;
	return share < LIMIT_SESSIONS ? share : LIMIT_SESSIONS;
}

int
clients_start(
    struct event_base *base, const struct config *config, void (*empty)(void))
{
	struct timeval interval = { SWEEP_SECONDS, 0 };

	state.base = base;
	state.empty = empty;
	state.rules.hostname = config->hostname;
	state.rules.size = config->limit_message_size;
	state.rules.recipients = config->limit_recipients;
	state.most = share_of_all(config);
	state.most_per_address = config->limit_connections;
	state.sweep = event_new(base, -1, EV_PERSIST, on_sweep, NULL);
	return state.sweep == NULL ? -1 : event_add(state.sweep, &interval);
}

const char *
clients_hostname(void)
{
	return state.rules.hostname;
}

unsigned int
clients_count(void)
{
	return state.count;
}

bool
clients_have_room(void)
{
	return state.count < state.most;
}

static struct in6_addr
address_key(const struct sockaddr *from)
{
	struct in6_addr key = { 0 };
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (from->sa_family == AF_INET) {
		memcpy(&in, from, sizeof(in));
		key.s6_addr[10] = key.s6_addr[11] = 0xff;
		memcpy(&key.s6_addr[12], &in.sin_addr, 4);
	} else {
		memcpy(&in6, from, sizeof(in6));
		key = in6.sin6_addr;
	}
	return key;
}

static unsigned int
count_address(const struct in6_addr *key)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < LIMIT_SESSIONS; i++)
		if (state.slots[i] != NULL &&
		    memcmp(&state.addresses[i], key, sizeof(*key)) == 0)
			count++;
	return count;
}

/* The host's own programs (a web mailer, a list server) have no bound but the
 * one for all clients. */
static bool
is_loopback(const struct in6_addr *key)
{
	return IN6_IS_ADDR_LOOPBACK(key) ||
	       (IN6_IS_ADDR_V4MAPPED(key) && key->s6_addr[12] == 127);
}

static bool
has_too_many(const struct in6_addr *key)
{
	return !is_loopback(key) &&
	       count_address(key) >= state.most_per_address;
}

/* At most one line a second, so that a flood does not become one of the log. */
static void
log_turned_away(const char *why)
{
	static struct monotime next;
	static unsigned int count;
	struct monotime now = monotime_now();

	count++;
	if (monotime_is_before(now, next))
		return;
	log_info("turned-away count=%u reason=\"%s\"", count, why);
	next = monotime_add_ms(now, 1000);
	count = 0;
}

static void
turn_away(int fd_take, const char *why)
{
	char text[LIMIT_DOMAIN + 128];
	int length = snprintf(text, sizeof(text), "421 4.7.0 %.255s %s\r\n",
	    state.rules.hostname, why);

	(void)!send(fd_take, text, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd_take);
	log_turned_away(why);
}

void
clients_accept(int fd_take, const struct sockaddr *from, uint32_t listener)
{
	struct in6_addr key = address_key(from);
	unsigned int slot = 0;

	if (!clients_have_room()) {
		turn_away(fd_take, "Too many connections");
		return;
	}
	if (has_too_many(&key)) {
		turn_away(fd_take, "Too many connections from your address");
		return;
	}
	while (state.slots[slot] != NULL)
		slot++;
	state.addresses[slot] = key;
	if (client_start(
		state.base, fd_take, from, slot, listener, &state.rules) == -1)
		log_warn("client-failed");
}

void
clients_remember(unsigned int slot, struct client *c)
{
	state.slots[slot] = c;
	state.count++;
}

void
clients_forget(unsigned int slot)
{
	if (state.slots[slot] == NULL)
		return;
	state.slots[slot] = NULL;
	state.count--;
	if (state.draining && state.count == 0)
		state.empty();
}

void
clients_drain(void)
{
	state.draining = true;
	for (unsigned int i = 0; i < LIMIT_SESSIONS; i++)
		if (state.slots[i] != NULL)
			client_drain(state.slots[i]);
}

void
clients_end(void)
{
	for (unsigned int i = 0; i < LIMIT_SESSIONS; i++)
		if (state.slots[i] != NULL)
			client_end(state.slots[i]);
}
