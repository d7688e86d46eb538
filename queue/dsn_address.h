/*
 * How addresses and hosts stand in the fields of a report (RFC 3464, RFC 6533):
 * with their type, and so that each can stand where it is put. Pure, but for
 * the stream.
 *
 * An address that is UTF-8 has the type "utf-8". In a report that is itself in
 * UTF-8 it stands as it is; in any other its characters are spelt out, as
 * "\\x{FC}", so that every program can read the report.
 */
#ifndef QUEUE_DSN_ADDRESS_H
#define QUEUE_DSN_ADDRESS_H

#include <stdbool.h>
#include <stdio.h>

/* Is it UTF-8, and not just US-ASCII? */
bool dsn_address_is_utf8(const char *);
void dsn_address_put(
    FILE *, const char *name, const char *address, bool is_utf8_report);
/* What came as ORCPT: "type;xtext". */
void dsn_address_put_orcpt(
    FILE *, const char *name, const char *orcpt, bool is_utf8_report);
/* A field that is xtext, decoded. */
void dsn_address_put_xtext(FILE *, const char *name, const char *xtext);
/* The name of a host that was spoken with, given as "name[address]:port"; its
 * address if it has no name. */
void dsn_address_put_host(FILE *, const char *name, const char *host);

#endif
