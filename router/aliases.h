/*
 * The values of aliases(5): what stands to the right of the colon, item by
 * item. Pure.
 *
 * Plain addresses are understood, with or without a domain, and "\name",
 * which is delivered to the user of that name and expanded no further.
 * Commands, files and :include: lists are recognised, and refused by whoever
 * asks; so is everything that is not one address, such as two words without a
 * comma between them.
 */
#ifndef ROUTER_ALIASES_H
#define ROUTER_ALIASES_H

#include <stdbool.h>

#include "common/address.h"

enum alias_kind {
	ALIAS_END,
	ALIAS_ADDRESS,
	ALIAS_UNSUPPORTED, /* |command, /file, :include:/file */
	ALIAS_INVALID,
};

struct alias_item {
	struct address address;
	bool verbatim; /* "\name" */
};

/* Takes the next item and moves the cursor behind it. `domain` is that of an
 * address that names none; only ALIAS_ADDRESS fills the item. */
enum alias_kind alias_next(const char **cursor, const char *domain,
    struct alias_item *) __attribute__((warn_unused_result));

#endif
