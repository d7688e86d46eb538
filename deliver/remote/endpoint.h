/*
 * An address and a port to connect to.
 */
#ifndef REMOTE_ENDPOINT_H
#define REMOTE_ENDPOINT_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"

struct endpoint {
	int family;	     /* AF_INET or AF_INET6 */
	uint8_t address[16]; /* network order; 4 octets for AF_INET */
	uint16_t port;
};

/* "name[2001:db8::1]:25" */
#define ENDPOINT_TEXT_SIZE (LIMIT_DOMAIN + LIMIT_ADDRESS_TEXT + 9)

/* The host behind one, for people and for the history. */
struct endpoint_host {
	char text[ENDPOINT_TEXT_SIZE];
	char name[LIMIT_DOMAIN + 1]; /* "" if it has none */
	char address[LIMIT_ADDRESS_TEXT + 1];
	uint16_t port;
	/* Of the connection to it; both "": plain text. */
	char tls_version[LIMIT_TLS_NAME + 1];
	char tls_cipher[LIMIT_TLS_NAME + 1];
};

/* The text of an address, or an address literal of RFC 5321 4.1.3. -1 if it
 * is neither. */
int endpoint_parse(const char *text, uint16_t port, struct endpoint *)
    __attribute__((warn_unused_result));
void endpoint_set(
    struct endpoint *, int family, const uint8_t *address, uint16_t port);
bool endpoint_is_equal(const struct endpoint *, const struct endpoint *);
/* An IPv4 address in IPv6 clothes (RFC 4291 2.5.5.2) reaches the same host:
 * undressed. Any other as it is. */
struct endpoint endpoint_unmap(const struct endpoint *);
/* Is it this host, whatever listens there: a loopback or the unspecified
 * address? */
bool endpoint_is_loopback(const struct endpoint *);
/* Is it no one host: link-local, which means nothing without an interface, a
 * group, or all that are near? */
bool endpoint_is_local_or_group(const struct endpoint *);
socklen_t endpoint_sockaddr(const struct endpoint *, struct sockaddr_storage *);
void endpoint_format(
    const struct endpoint *, const char *name, char text[ENDPOINT_TEXT_SIZE]);
/* There is no TLS yet. */
void endpoint_describe(
    const struct endpoint *, const char *name, struct endpoint_host *);

#endif
