#include "common/network.h"

#include <netinet/in.h>
#include <arpa/inet.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_number.h"
#include "common/limits.h"

static unsigned int
family_bits(int family)
{
	return family == AF_INET ? 32 : 128;
}

/* Clears what is behind the prefix. */
static void
clear_host_bits(struct network *n)
{
	for (unsigned int bit = n->prefix; bit < family_bits(n->family); bit++)
		n->address[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

int
network_parse(const char *text, struct network *network)
{
	char address[LIMIT_ADDRESS_TEXT + 1] = "";
	const char *slash = strchr(text, '/');
	size_t length = slash != NULL ? (size_t)(slash - text) : strlen(text);
	struct network n = { .family = AF_INET };
	uint64_t prefix;

	if (length >= sizeof(address))
		return -1;
	snprintf(address, sizeof(address), "%.*s", (int)length, text);
	if (strchr(address, ':') != NULL)
		n.family = AF_INET6;
	if (inet_pton(n.family, address, n.address) != 1)
		return -1;
	prefix = family_bits(n.family);
	if (slash != NULL &&
	    (number_parse(slash + 1, NUMBER_PLAIN, &prefix) == -1 ||
		prefix > family_bits(n.family)))
		return -1;
	n.prefix = (unsigned int)prefix;
	clear_host_bits(&n);
	*network = n;
	return 0;
}

char *
network_format(const struct network *n)
{
	char address[INET6_ADDRSTRLEN], *text = NULL;

	if (inet_ntop(n->family, n->address, address, sizeof(address)) == NULL)
		return NULL;
	if (n->prefix == family_bits(n->family))
		return strdup(address);
	return asprintf(&text, "%s/%u", address, n->prefix) == -1 ? NULL : text;
}

static bool
starts_alike(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int octets = bits / 8, rest = bits % 8;

	if (memcmp(a, b, octets) != 0)
		return false;
	return rest == 0 || (a[octets] ^ b[octets]) >> (8 - rest) == 0;
}

bool
network_contains(const struct network *n, const struct sockaddr *address)
{
	const uint8_t *octets;
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (address->sa_family == AF_INET) {
		memcpy(&four, address, sizeof(four));
		octets = (const uint8_t *)&four.sin_addr;
		return n->family == AF_INET &&
		       starts_alike(n->address, octets, n->prefix);
	}
	if (address->sa_family != AF_INET6)
		return false;
	memcpy(&six, address, sizeof(six));
	octets = six.sin6_addr.s6_addr;
	/* An IPv4 client on an IPv6 socket is an IPv4 client. */
	if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
		return n->family == AF_INET &&
		       starts_alike(n->address, octets + 12, n->prefix);
	return n->family == AF_INET6 &&
	       starts_alike(n->address, octets, n->prefix);
}
