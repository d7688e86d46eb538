/*
 * What one program tells another of a host at the other end of a connection,
 * as whoever is told judges it. Pure.
 */
#ifndef COMMON_PEER_H
#define COMMON_PEER_H

#include <stdbool.h>
#include <stdint.h>

/* The text of an IPv4 or IPv6 address, or nothing. */
bool peer_address_is_valid(const char *);
/* A domain, or nothing. */
bool peer_name_is_valid(const char *);
/* The names of a version and of a cipher, as a library prints them; or neither
 * of the two: plain text. */
bool peer_tls_is_valid(const char *version, const char *cipher);
/* A host that was connected to: with its port, and perhaps a name and TLS; or
 * none, and then nothing of all that. */
bool peer_is_valid(const char *name, const char *address, uint16_t port,
    const char *version, const char *cipher);

#endif
