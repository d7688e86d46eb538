#include "deliver/remote/self.h"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "common/log.h"

static struct {
	const struct config *config;
	struct endpoint *interfaces; /* with port 0 */
	unsigned int count;
} state;

static void
add_interface(const struct sockaddr *address)
{
	struct endpoint *e = &state.interfaces[state.count];
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		endpoint_set(e, AF_INET, (uint8_t *)&v4.sin_addr, 0);
		state.count++;
	} else if (address->sa_family == AF_INET6) {
		memcpy(&v6, address, sizeof(v6));
		endpoint_set(e, AF_INET6, v6.sin6_addr.s6_addr, 0);
		state.count++;
	}
}

void
self_init(const struct config *config)
{
	struct ifaddrs *all, *i;
	unsigned int most = 0;

	state.config = config;
	state.count = 0;
	free(state.interfaces);
	if (getifaddrs(&all) == -1)
		log_fatal(EX_OSERR, "getifaddrs");
	for (i = all; i != NULL; i = i->ifa_next)
		most++;
	state.interfaces = calloc(most + 1, sizeof(state.interfaces[0]));
	if (state.interfaces == NULL)
		log_fatal(EX_OSERR, "memory");
	for (i = all; i != NULL; i = i->ifa_next)
		if (i->ifa_addr != NULL)
			add_interface(i->ifa_addr);
	freeifaddrs(all);
}

const char *
self_hostname(void)
{
	return state.config->hostname;
}

bool
self_is_name(const char *name)
{
	return strcasecmp(name, state.config->hostname) == 0;
}

/* Is it an address of this host? */
static bool
is_local(const struct endpoint *e)
{
	struct endpoint address = *e;

	if (endpoint_is_loopback(e))
		return true;
	address.port = 0;
	for (unsigned int i = 0; i < state.count; i++)
		if (endpoint_is_equal(&address, &state.interfaces[i]))
			return true;
	return false;
}

static bool
is_listening(const struct listen_config *l, const struct endpoint *e)
{
	static const uint8_t zero[16];
	struct endpoint listener;

	if (l->port != e->port)
		return false;
	if (strcmp(l->address, "*") == 0)
		return is_local(e);
	if (endpoint_parse(l->address, l->port, &listener) == -1)
		return false;
	if (memcmp(listener.address, zero, sizeof(zero)) == 0)
		return is_local(e);
	return endpoint_is_equal(&listener, e);
}

bool
self_is_endpoint(const struct endpoint *e)
{
	struct endpoint target = endpoint_unmap(e);

	for (unsigned int i = 0; i < state.config->listen_count; i++)
		if (is_listening(&state.config->listens[i], &target))
			return true;
	return false;
}
