#include "deliver/remote/hosts.h"

#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

static int
compare(const void *a, const void *b)
{
	const struct host *x = a, *y = b;

	if (x->preference != y->preference)
		return x->preference < y->preference ? -1 : 1;
	return (x->shuffle > y->shuffle) - (x->shuffle < y->shuffle);
}

static void
sort(struct hosts *h)
{
	qsort(h->list, h->count, sizeof(h->list[0]), compare);
}

/* A full list keeps its best: the newcomer takes the worst one's place. */
static void
add(struct hosts *h, uint16_t preference, const char *name)
{
	struct host host = { .preference = preference,
		.shuffle = arc4random() };

	strlcpy(host.name, name, sizeof(host.name));
	if (h->count < LIMIT_MX) {
		h->list[h->count++] = host;
		return;
	}
	sort(h);
	if (compare(&host, &h->list[LIMIT_MX - 1]) < 0)
		h->list[LIMIT_MX - 1] = host;
}

int
hosts_read(struct hosts *h, struct bytes records)
{
	struct wire_reader r = { .data = records.data, .size = records.length };
	struct dns_record record;
	int got;

	memset(h, 0, sizeof(*h));
	while ((got = dns_record_get(&r, DNS_MX, &record)) == 1) {
		if (record.name[0] == '\0')
			h->null_mx = true;
		else
			add(h, record.preference, record.name);
	}
	/* RFC 7505 3: beside other records it says nothing. */
	if (h->count > 0)
		h->null_mx = false;
	sort(h);
	return got;
}

void
hosts_set(struct hosts *h, const char *name)
{
	memset(h, 0, sizeof(*h));
	add(h, 0, name);
}

unsigned int
hosts_group_end(const struct hosts *h, unsigned int start)
{
	unsigned int end = start;

	while (end < h->count &&
	       h->list[end].preference == h->list[start].preference)
		end++;
	return end;
}

void
hosts_cut(struct hosts *h, unsigned int index)
{
	uint16_t preference = h->list[index].preference;

	while (index > 0 && h->list[index - 1].preference == preference)
		index--;
	h->count = index;
	h->self = true;
}
