/*
 * Addresses that lately did not answer, so that the next delivery starts with
 * a better one: broken IPv6 must not cost every message a timeout. Bounded;
 * the oldest memory goes first.
 */
#ifndef REMOTE_BAD_ADDRESS_H
#define REMOTE_BAD_ADDRESS_H

#include "common/monotime.h"
#include "deliver/remote/endpoint.h"

void bad_address_add(const struct endpoint *, struct monotime now);
void bad_address_forget(const struct endpoint *);
bool bad_address_is(const struct endpoint *, struct monotime now);

#endif
