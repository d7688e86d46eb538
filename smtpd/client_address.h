/*
 * The address of a client. IPv4 is kept as a mapped IPv6 address (RFC 4291
 * 2.5.5.2), so that it is the same client whichever socket it came to. Pure.
 */
#ifndef SMTPD_CLIENT_ADDRESS_H
#define SMTPD_CLIENT_ADDRESS_H

#include <sys/socket.h>
#include <netinet/in.h>

#include <stdbool.h>

#include "common/limits.h"

struct in6_addr client_address_read(const struct sockaddr *);
/* The text of an IPv4 address is that of IPv4. */
void client_address_format(
    const struct in6_addr *, char text[LIMIT_ADDRESS_TEXT + 1]);
bool client_address_is_loopback(const struct in6_addr *);
/* What one client can choose from freely: an IPv4 address, or all of an IPv6
 * network of 64 bits (RFC 4291 2.5.4, RFC 6177). */
struct in6_addr client_address_network(const struct in6_addr *);

#endif
