/*
 * A network of IP addresses, or one address, and its text.
 */
#ifndef COMMON_NETWORK_H
#define COMMON_NETWORK_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stdint.h>

/* 192.0.2.0/24, 2001:db8::/32, or one address. */
struct network {
	int family;	     /* AF_INET or AF_INET6 */
	uint8_t address[16]; /* network order, host bits zero */
	unsigned int prefix; /* in bits */
};

bool network_contains(const struct network *, const struct sockaddr *);
/* The text of an address or a network. -1 if it is neither. */
int network_parse(const char *, struct network *)
    __attribute__((warn_unused_result));
/* The reverse, to be freed; NULL if there is no memory. */
char *network_format(const struct network *);

#endif
