/*
 * The checksum that a message's content keeps all its life in the store:
 * XXH3-64, so that what a disk or a memory changed is never delivered. It finds
 * accidents; against who means harm it proves nothing. Never 0, which says that
 * nothing is known.
 */
#ifndef QUEUE_DIGEST_H
#define QUEUE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

/* The state is 576 octets of the caller's: the library can be told to lay it
 * out in the open, and it has been the same since XXH3 is final (0.8.0). */
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

struct digest {
	XXH3_state_t state;
};

static inline void
digest_begin(struct digest *d)
{
	XXH3_INITSTATE(&d->state);
	(void)XXH3_64bits_reset(&d->state);
}

static inline void
digest_add(struct digest *d, const void *octets, size_t length)
{
	(void)XXH3_64bits_update(&d->state, octets, length);
}

static inline uint64_t
digest_end(const struct digest *d)
{
	uint64_t value = XXH3_64bits_digest(&d->state);

	return value == 0 ? 1 : value;
}

#endif
