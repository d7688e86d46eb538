#include "deliver/remote/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "common/address.h"

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

struct endpoint
endpoint_unmap(const struct endpoint *e)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct endpoint v4;

	if (e->family == AF_INET ||
	    memcmp(e->address, mapped, sizeof(mapped)) != 0)
		return *e;
	endpoint_set(&v4, AF_INET, e->address + sizeof(mapped), e->port);
	return v4;
}

/* 127.0.0.0/8 and 0.0.0.0/8 (RFC 1122 3.2.1.3), ::1 and :: (RFC 4291 2.5). A
 * connection to the unspecified address goes to this host. */
bool
endpoint_is_loopback(const struct endpoint *e)
{
	static const uint8_t zero[15];
	struct endpoint target = endpoint_unmap(e);

	if (target.family == AF_INET)
		return target.address[0] == 127 || target.address[0] == 0;
	return memcmp(target.address, zero, sizeof(zero)) == 0 &&
	       target.address[15] <= 1;
}

/* 169.254.0.0/16 (RFC 3927), 224.0.0.0/4 (RFC 5771), 255.255.255.255 (RFC 919
 * 7). */
static bool
is_local_or_group4(const uint8_t a[4])
{
	static const uint8_t all[4] = { 255, 255, 255, 255 };

	return (a[0] == 169 && a[1] == 254) || (a[0] & 0xf0) == 224 ||
	       memcmp(a, all, sizeof(all)) == 0;
}

/* fe80::/10 and ff00::/8 (RFC 4291 2.4). */
static bool
is_local_or_group6(const uint8_t a[16])
{
	return (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) || a[0] == 0xff;
}

bool
endpoint_is_local_or_group(const struct endpoint *e)
{
	struct endpoint target = endpoint_unmap(e);

	return target.family == AF_INET ? is_local_or_group4(target.address)
					: is_local_or_group6(target.address);
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

void
endpoint_describe(
    const struct endpoint *e, const char *name, struct endpoint_host *host)
{
	*host = (struct endpoint_host){ .port = e->port };
	endpoint_format(e, name, host->text);
	if (domain_is_valid(name))
		strlcpy(host->name, name, sizeof(host->name));
	inet_ntop(e->family, e->address, host->address, sizeof(host->address));
}
