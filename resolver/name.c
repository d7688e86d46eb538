#include "resolver/name.h"

#include <arpa/inet.h>

#include <stdio.h>

#include "common/address.h"

static int
reverse_ip4(const char *text, char name[NAME_SIZE])
{
	uint8_t a[4];

	if (inet_pton(AF_INET, text, a) != 1)
		return -1;
	snprintf(name, NAME_SIZE, "%u.%u.%u.%u.in-addr.arpa.", a[3], a[2], a[1],
	    a[0]);
	return 0;
}

static int
reverse_ip6(const char *text, char name[NAME_SIZE])
{
	uint8_t a[16];
	size_t at = 0;

	if (inet_pton(AF_INET6, text, a) != 1)
		return -1;
	for (int i = 15; i >= 0; i--)
		at += (size_t)snprintf(
		    name + at, NAME_SIZE - at, "%x.%x.", a[i] & 15U, a[i] >> 4);
	snprintf(name + at, NAME_SIZE - at, "ip6.arpa.");
	return 0;
}

int
name_make(enum dns_kind kind, const char *text, char name[NAME_SIZE])
{
	int n;

	if (kind == DNS_PTR)
		return reverse_ip4(text, name) == 0 ? 0
						    : reverse_ip6(text, name);
	if (!domain_is_valid(text))
		return -1;
	n = snprintf(name, NAME_SIZE, "%s.", text);
	return n > 0 && n < NAME_SIZE ? 0 : -1;
}
