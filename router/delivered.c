#include "router/delivered.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "router/routes.h"

static const char name[] = "Delivered-To";
#define NAME (sizeof(name) - 1)
#define NAME_MOST \
	64 /* with the blanks before its colon, as the worker has it */

/* What the header says, one after the other. */
struct delivered {
	char addresses[DELIVERED_FIELDS][LIMIT_PATH + 1];
	unsigned int count;
};

static size_t
read_beginning(int fd, uint64_t size, char *octets)
{
	size_t most = size < DELIVERED_OCTETS ? (size_t)size : DELIVERED_OCTETS;
	size_t length = 0;

	while (length < most) {
		ssize_t got =
		    pread(fd, octets + length, most - length, (off_t)length);

		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		length += (size_t)got;
	}
	return length;
}

/* With its end; the last one may have none. */
static size_t
line_length(const char *at, size_t left)
{
	const char *end = memchr(at, '\n', left);

	return end == NULL ? left : (size_t)(end - at) + 1;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The line with the folded ones that follow it. */
static size_t
field_length(const char *at, size_t left)
{
	size_t length = line_length(at, left);

	while (length < left && is_blank(at[length]))
		length += line_length(at + length, left - length);
	return length;
}

/* Where the value begins; 0 if it is another field. */
static size_t
value_start(const char *field, size_t length)
{
	size_t at = NAME;

	if (length <= NAME || strncasecmp(field, name, NAME) != 0)
		return 0;
	while (at < length && at < NAME_MOST && is_blank(field[at]))
		at++;
	return at < length && field[at] == ':' ? at + 1 : 0;
}

/* A line's end at the beginning: CRLF, or LF alone. */
static bool
is_line_end(const char *at, size_t left)
{
	return left > 0 &&
	       (at[0] == '\n' || (left > 1 && at[0] == '\r' && at[1] == '\n'));
}

/* Without folds and the blanks around it. What is too long is no address, nor
 * what has a NUL. */
static void
add_value(struct delivered *d, const char *value, size_t length)
{
	char *to = d->addresses[d->count];
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		if (is_line_end(value + i, length - i) ||
		    (used == 0 && is_blank(value[i])))
			continue;
		if (used == LIMIT_PATH || value[i] == '\0')
			return;
		to[used++] = value[i];
	}
	while (used > 0 && is_blank(to[used - 1]))
		used--;
	to[used] = '\0';
	d->count++;
}

static void
read_header(struct delivered *d, const char *at, size_t left)
{
	size_t length, start;

	for (; left > 0 && !is_line_end(at, left); at += length) {
		length = field_length(at, left);
		left -= length;
		start = value_start(at, length);
		if (start > 0)
			add_value(d, at + start, length - start);
		if (d->count == DELIVERED_FIELDS)
			break;
	}
}

static bool
has_been_at(const struct delivered *d, const char *address)
{
	for (unsigned int i = 0; i < d->count; i++)
		if (strcasecmp(d->addresses[i], address) == 0)
			return true;
	return false;
}

/* Most mail is for one mailbox and names none: that costs a look at its
 * header. */
bool
delivered_to_all(int fd, uint64_t size, const struct routes *routes)
{
	static char octets[DELIVERED_OCTETS];
	static struct delivered d;
	const struct route *route = STAILQ_FIRST(&routes->list);

	if (route == NULL || route->kind != ROUTE_MAILBOX)
		return false;
	d.count = 0;
	read_header(&d, octets, read_beginning(fd, size, octets));
	STAILQ_FOREACH (route, &routes->list, next)
		if (!route->expanded && (route->kind != ROUTE_MAILBOX ||
					    !has_been_at(&d, route->address)))
			return false;
	return true;
}
