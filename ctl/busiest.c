#include "ctl/busiest.h"

#include <stdbool.h>
#include <string.h>

#include <bsd/string.h>

static bool
is_busier(const struct message_ctl_destination *a,
    const struct message_ctl_destination *b)
{
	uint64_t all_a = a->waiting + a->held + a->failed;
	uint64_t all_b = b->waiting + b->held + b->failed;

	if (a->in_flight != b->in_flight)
		return a->in_flight > b->in_flight;
	if (a->waiting != b->waiting)
		return a->waiting > b->waiting;
	if (all_a != all_b)
		return all_a > all_b;
	return strcmp(a->name, b->name) < 0;
}

const struct message_ctl_destination *
busiest_get(const struct busiest *b, unsigned int n)
{
	return &b->entries[b->order[n]].d;
}

/* The first place whose destination is less busy. */
static unsigned int
find(const struct busiest *b, const struct message_ctl_destination *d)
{
	unsigned int from = 0, to = b->count;

	while (from < to) {
		unsigned int middle = (from + to) / 2;

		if (is_busier(d, busiest_get(b, middle)))
			to = middle;
		else
			from = middle + 1;
	}
	return from;
}

void
busiest_add(struct busiest *b, const struct message_ctl_destination *d)
{
	unsigned int at = find(b, d), used = b->count;
	struct busiest_entry *e;

	if (at == BUSIEST_MOST)
		return;
	if (b->count == BUSIEST_MOST)
		used = b->order[--b->count]; /* the least busy makes room */
	memmove(&b->order[at + 1], &b->order[at],
	    (b->count - at) * sizeof(b->order[0]));
	b->order[at] = used;
	b->count++;
	e = &b->entries[used];
	e->d = *d;
	strlcpy(e->name, d->name, sizeof(e->name));
	strlcpy(e->reply, d->reply, sizeof(e->reply));
	e->d.name = e->name;
	e->d.reply = e->reply;
}
