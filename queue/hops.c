#include "queue/hops.h"

#include <sys/types.h>

#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char name[] = "received:";
#define NAME (sizeof(name) - 1)

struct line {
	char start[NAME];
	size_t length; /* without its end, and no more than NAME counts */
};

/* False at the line that ends the header. */
static bool
end_line(struct line *l, uint32_t *hops)
{
	bool more = l->length > 0;

	if (l->length == NAME && strncasecmp(l->start, name, NAME) == 0)
		++*hops;
	l->length = 0;
	return more;
}

static bool
scan(struct line *l, const char *octets, size_t count, uint32_t *hops)
{
	for (size_t i = 0; i < count; i++) {
		if (octets[i] == '\n') {
			if (!end_line(l, hops))
				return false;
		} else if (octets[i] != '\r' && l->length < NAME)
			l->start[l->length++] = octets[i];
	}
	return true;
}

int
hops_count(int fd, uint32_t *hops)
{
	struct line line = { .length = 0 };
	char octets[4096];
	off_t at = 0;
	ssize_t got;

	*hops = 0;
	while ((got = pread(fd, octets, sizeof(octets), at)) > 0) {
		if (!scan(&line, octets, (size_t)got, hops))
			return 0;
		at += got;
	}
	return got == -1 ? -1 : 0;
}
