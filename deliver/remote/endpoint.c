#include "deliver/remote/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdio.h>
#include <string.h>

#define IP6_TAG "IPv6:"

static size_t
address_size(int family)
{
	return family == AF_INET ? 4 : 16;
}

void
endpoint_set(
    struct endpoint *e, int family, const uint8_t *address, uint16_t port)
{
	memset(e, 0, sizeof(*e));
	e->family = family;
	e->port = port;
	memcpy(e->address, address, address_size(family));
}

static int
parse_address(const char *text, uint16_t port, struct endpoint *e)
{
	uint8_t address[16];

	if (inet_pton(AF_INET, text, address) == 1)
		endpoint_set(e, AF_INET, address, port);
	else if (inet_pton(AF_INET6, text, address) == 1)
		endpoint_set(e, AF_INET6, address, port);
	else
		return -1;
	return 0;
}

int
endpoint_parse(const char *text, uint16_t port, struct endpoint *e)
{
	char inside[LIMIT_ADDRESS_TEXT + sizeof(IP6_TAG)];
	size_t length = strlen(text);

	if (length == 0 || text[0] != '[')
		return parse_address(text, port, e);
	if (text[length - 1] != ']' || length - 2 >= sizeof(inside))
		return -1;
	memcpy(inside, text + 1, length - 2);
	inside[length - 2] = '\0';
	if (strncasecmp(inside, IP6_TAG, strlen(IP6_TAG)) != 0)
		return parse_address(inside, port, e);
	return parse_address(inside + strlen(IP6_TAG), port, e);
}

bool
endpoint_is_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->family == b->family && a->port == b->port &&
	       memcmp(a->address, b->address, address_size(a->family)) == 0;
}

socklen_t
endpoint_sockaddr(const struct endpoint *e, struct sockaddr_storage *out)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	memset(out, 0, sizeof(*out));
	if (e->family == AF_INET) {
		v4.sin_port = htons(e->port);
		memcpy(&v4.sin_addr, e->address, sizeof(v4.sin_addr));
		memcpy(out, &v4, sizeof(v4));
		return sizeof(v4);
	}
	v6.sin6_port = htons(e->port);
	memcpy(&v6.sin6_addr, e->address, sizeof(v6.sin6_addr));
	memcpy(out, &v6, sizeof(v6));
	return sizeof(v6);
}

void
endpoint_format(
    const struct endpoint *e, const char *name, char text[ENDPOINT_TEXT_SIZE])
{
	char address[INET6_ADDRSTRLEN] = "?";

	inet_ntop(e->family, e->address, address, sizeof(address));
	snprintf(text, ENDPOINT_TEXT_SIZE, "%.*s[%s]:%u", LIMIT_DOMAIN, name,
	    address, e->port);
}
