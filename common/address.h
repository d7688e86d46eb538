/*
 * RFC 5321 mailboxes and paths. This is the one parser that makes addresses:
 * smtpd uses it on what a client sends, every receiver of an address from
 * another program uses it again.
 *
 * Canonical text: no angle brackets, no source route, the domain in lower
 * case, the local part unquoted if it can be and otherwise quoted in the
 * shortest way, so that equal mailboxes have equal texts (the local part's
 * case is kept). An address literal keeps its brackets. The null reverse-path
 * is the empty text; "postmaster" alone is the one mailbox without a domain.
 */
#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/limits.h"

struct address {
	char local[LIMIT_LOCAL_PART + 1]; /* without quoting */
	char domain[LIMIT_DOMAIN + 1];	  /* lower case; "" if none */
	char text[LIMIT_PATH + 1];	  /* the canonical text */
};

enum address_rules {
	ADDRESS_REVERSE_PATH = 1 << 0, /* <> is allowed */
	ADDRESS_FORWARD_PATH = 1 << 1, /* <postmaster> is allowed */
};

/* Parses a path in angle brackets at the start of `text` (RFC 5321 4.1.2
 * Path, with its source route ignored). Sets `end` to what follows the closing
 * bracket. -1 if it is not a path. */
int address_parse_path(const char *text, unsigned int rules, struct address *,
    const char **end) __attribute__((warn_unused_result));

/* Parses a whole canonical text, or a Mailbox without brackets. -1 if it is
 * not one. */
int address_parse(const char *text, unsigned int rules, struct address *)
    __attribute__((warn_unused_result));

/* Is it a Domain of RFC 5321 4.1.2 (labels of letters, digits, hyphens and,
 * since hosts use it in HELO, underscores), of legal lengths? */
bool domain_is_valid(const char *);

/* Is it an address literal of RFC 5321 4.1.3: [192.0.2.1], [IPv6:...]? */
bool address_literal_is_valid(const char *);

/* Makes from any two parts, e.g. after an alias changed one of them. -1 if
 * they are not valid or too long. */
int address_make(const char *local, const char *domain, struct address *)
    __attribute__((warn_unused_result));

#endif
