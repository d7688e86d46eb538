#include "smtpd/clients.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/limits.h"
#include "common/log.h"
#include "common/monotime.h"
#include "smtpd/client.h"
#include "smtpd/client_address.h"

/* Deadlines are minutes; one walk over the slots is cheaper than a timer for
 * each client that is set anew with each command. */
#define SWEEP_SECONDS 2

static struct {
	struct client_service service;
	struct event *sweep;
	const struct clients_handler *handler;
	unsigned int most;	       /* clients at once */
	unsigned int most_per_address; /* of one address */
	unsigned int count;
	bool draining;
	/* A slot is in use if it has a client. The networks lie together, so
	 * that counting one is a walk over 16 KiB. */
	struct client *slots[LIMIT_SESSIONS];
	struct in6_addr networks[LIMIT_SESSIONS];
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

static void
on_gone(unsigned int slot)
{
	state.slots[slot] = NULL;
	if (state.count-- == state.most)
		state.handler->room();
	if (state.draining && state.count == 0)
		state.handler->empty();
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
clients_start(struct event_base *base, const struct config *config,
    const struct clients_handler *handler)
{
	struct timeval interval = { SWEEP_SECONDS, 0 };

	state.service.base = base;
	state.service.gone = on_gone;
	state.handler = handler;
	state.service.rules.hostname = config->hostname;
	state.service.rules.size = config->limit_message_size;
	state.service.rules.recipients = config->limit_recipients;
	state.most = share_of_all(config);
	state.most_per_address = config->limit_connections;
	state.sweep = event_new(base, -1, EV_PERSIST, on_sweep, NULL);
	return state.sweep == NULL ? -1 : event_add(state.sweep, &interval);
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

static unsigned int
count_network(const struct in6_addr *network)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < LIMIT_SESSIONS; i++)
		if (state.slots[i] != NULL &&
		    memcmp(&state.networks[i], network, sizeof(*network)) == 0)
			count++;
	return count;
}

static unsigned int
count_loopback(void)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < LIMIT_SESSIONS; i++)
		if (state.slots[i] != NULL &&
		    client_address_is_loopback(&state.networks[i]))
			count++;
	return count;
}

/* The host's own programs (a web mailer, a list server) may be many; but none
 * of its users can keep the rest of the world out. */
static bool
has_too_many(const struct in6_addr *network)
{
	if (client_address_is_loopback(network))
		return count_loopback() >= (state.most + 1) / 2;
	return count_network(network) >= state.most_per_address;
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
	    state.service.rules.hostname, why);

	(void)!send(fd_take, text, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd_take);
	log_turned_away(why);
}

void
clients_accept(int fd_take, const struct sockaddr *from, uint32_t listener)
{
	struct in6_addr key = client_address_read(from);
	struct in6_addr network = client_address_network(&key);
	unsigned int slot = 0;
	struct client *c;

	assert(clients_have_room());
	if (has_too_many(&network)) {
		turn_away(fd_take, "Too many connections from your address");
		return;
	}
	while (state.slots[slot] != NULL)
		slot++;
	state.networks[slot] = network;
	c = client_new(&state.service, fd_take, &key, slot, listener);
	if (c == NULL) {
		log_warn("client-failed");
		return;
	}
	state.slots[slot] = c;
	state.count++;
	client_start(c);
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
