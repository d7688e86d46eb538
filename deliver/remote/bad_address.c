#include "deliver/remote/bad_address.h"

#include "common/limits.h"

/* A ring: an entry with family 0 is empty. Looked through as a whole, which
 * happens once an address of a new connection, never on a kept one. */
static struct {
	struct endpoint endpoint;
	struct monotime until;
} ring[LIMIT_BAD_ADDRESSES];
static unsigned int next;

/* LIMIT_BAD_ADDRESSES if there is none. */
static unsigned int
find(const struct endpoint *e)
{
	unsigned int i;

	for (i = 0; i < LIMIT_BAD_ADDRESSES; i++)
		if (ring[i].endpoint.family != 0 &&
		    endpoint_is_equal(&ring[i].endpoint, e))
			break;
	return i;
}

void
bad_address_add(const struct endpoint *e, struct monotime now)
{
	unsigned int i = find(e);

	if (i == LIMIT_BAD_ADDRESSES) {
		i = next;
		next = (next + 1) % LIMIT_BAD_ADDRESSES;
	}
	ring[i].endpoint = *e;
	ring[i].until =
	    monotime_add_ms(now, LIMIT_BAD_ADDRESS_SECONDS * INT64_C(1000));
}

void
bad_address_forget(const struct endpoint *e)
{
	unsigned int i = find(e);

	if (i < LIMIT_BAD_ADDRESSES)
		ring[i].endpoint.family = 0;
}

bool
bad_address_is(const struct endpoint *e, struct monotime now)
{
	unsigned int i = find(e);

	return i < LIMIT_BAD_ADDRESSES &&
	       monotime_is_before(now, ring[i].until);
}
