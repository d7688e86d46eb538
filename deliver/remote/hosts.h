/*
 * The mail hosts of one destination, in the order in which they are tried
 * (RFC 5321 5.1). Pure.
 */
#ifndef REMOTE_HOSTS_H
#define REMOTE_HOSTS_H

#include "common/dns.h"

struct host {
	uint16_t preference;
	uint32_t shuffle; /* orders hosts of equal preference */
	char name[LIMIT_DOMAIN + 1];
};

struct hosts {
	struct host list[LIMIT_MX];
	unsigned int count;
	bool null_mx; /* RFC 7505: the domain takes no mail */
	bool self;    /* we were among them: see hosts_cut() */
};

/* Reads the records of an MX answer: sorted by preference, at random within
 * one; the best LIMIT_MX of them. -1 if they are no MX records. */
int hosts_read(struct hosts *, struct bytes records)
    __attribute__((warn_unused_result));
/* The one host of a relay, or of a domain without MX records. */
void hosts_set(struct hosts *, const char *name);

/* The first index after `start` whose host has another preference. */
unsigned int hosts_group_end(const struct hosts *, unsigned int start);

/* The host at `index` is ourselves: forgets it and all of equal or worse
 * preference, lest the mail goes in circles. */
void hosts_cut(struct hosts *, unsigned int index);

#endif
