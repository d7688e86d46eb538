#include "smtpd/client_address.h"

#include <arpa/inet.h>

#include <string.h>

#define NETWORK_OCTETS 8

struct in6_addr
client_address_read(const struct sockaddr *from)
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

void
client_address_format(
    const struct in6_addr *key, char text[LIMIT_ADDRESS_TEXT + 1])
{
	if (IN6_IS_ADDR_V4MAPPED(key))
		inet_ntop(
		    AF_INET, &key->s6_addr[12], text, LIMIT_ADDRESS_TEXT + 1);
	else
		inet_ntop(AF_INET6, key, text, LIMIT_ADDRESS_TEXT + 1);
}

bool
client_address_is_loopback(const struct in6_addr *key)
{
	return IN6_IS_ADDR_LOOPBACK(key) ||
	       (IN6_IS_ADDR_V4MAPPED(key) && key->s6_addr[12] == 127);
}

struct in6_addr
client_address_network(const struct in6_addr *address)
{
	struct in6_addr network = *address;

	if (!IN6_IS_ADDR_V4MAPPED(address) && !IN6_IS_ADDR_LOOPBACK(address))
		memset(network.s6_addr + NETWORK_OCTETS, 0,
		    sizeof(network) - NETWORK_OCTETS);
	return network;
}
