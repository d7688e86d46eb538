#include "supervisor/listeners.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "common/log.h"

/* The kernel cuts it to net.core.somaxconn. */
#define BACKLOG 1024

union socket_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static int
add(struct listeners *l, uint32_t number, int family, const char *address,
    uint16_t port)
{
	struct listener *one = &l->list[l->count];

	if (l->count >= LIMIT_LISTENERS ||
	    strlcpy(one->address, address, sizeof(one->address)) >=
		sizeof(one->address))
		return -1;
	one->number = number;
	one->family = family;
	one->port = port;
	one->fd = -1;
	l->count++;
	return 0;
}

static int
plan_line(struct listeners *l, uint32_t number, const struct listen_config *c)
{
	struct in6_addr parsed;

	if (strcmp(c->address, "*") == 0) {
		if (add(l, number, AF_INET, "0.0.0.0", c->port) == -1)
			return -1;
		return add(
		    l, number + LISTENERS_SECOND, AF_INET6, "::", c->port);
	}
	if (inet_pton(AF_INET, c->address, &parsed) == 1)
		return add(l, number, AF_INET, c->address, c->port);
	if (inet_pton(AF_INET6, c->address, &parsed) == 1)
		return add(l, number, AF_INET6, c->address, c->port);
	return -1;
}

int
listeners_plan(struct listeners *l, const struct config *config, FILE *errors)
{
	l->count = 0;
	if (config->listen_count > LISTENERS_SECOND) {
		fprintf(errors,
		    "%s: %u listen lines; at most %d are possible\n",
		    config->path, config->listen_count, LISTENERS_SECOND);
		return -1;
	}
	for (unsigned int i = 0; i < config->listen_count; i++)
		if (plan_line(l, i, &config->listens[i]) == -1) {
			fprintf(errors, "%s: listen on %s: not an address\n",
			    config->path, config->listens[i].address);
			return -1;
		}
	return 0;
}

static socklen_t
socket_address(const struct listener *one, union socket_address *a)
{
	memset(a, 0, sizeof(*a));
	a->any.sa_family = (sa_family_t)one->family;
	if (one->family == AF_INET) {
		a->in.sin_port = htons(one->port);
		inet_pton(AF_INET, one->address, &a->in.sin_addr);
		return sizeof(a->in);
	}
	a->in6.sin6_port = htons(one->port);
	inet_pton(AF_INET6, one->address, &a->in6.sin6_addr);
	return sizeof(a->in6);
}

static int
set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static int
prepare(const struct listener *one, bool beside)
{
	if (set(one->fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1 ||
	    set(one->fd, SOL_SOCKET, SO_REUSEPORT, beside) == -1)
		return -1;
	if (one->family == AF_INET6)
		return set(one->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	return 0;
}

/* `beside`: next to a socket of ours that covers the same address. */
static int
open_one(struct listener *one, bool beside)
{
	union socket_address address;
	socklen_t length = socket_address(one, &address);
	int error;

	one->fd =
	    socket(one->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (one->fd == -1)
		return -1;
	if (prepare(one, beside) == 0 &&
	    bind(one->fd, &address.any, length) == 0 &&
	    listen(one->fd, BACKLOG) == 0)
		return set(one->fd, SOL_SOCKET, SO_REUSEPORT, 0);
	error = errno;
	close(one->fd);
	one->fd = -1;
	errno = error;
	return -1;
}

static void
make_room(struct listeners *held, const struct listener *one, bool room)
{
	for (unsigned int i = 0; held != NULL && i < held->count; i++)
		if (held->list[i].fd != -1 &&
		    held->list[i].family == one->family &&
		    held->list[i].port == one->port)
			(void)set(
			    held->list[i].fd, SOL_SOCKET, SO_REUSEPORT, room);
}

/* A reload may replace "*" by one address of the same port, or the reverse:
 * then the sockets overlap until the old generation is gone. Ours may, for the
 * moment that this takes; nobody else's can get in. */
static int
open_beside(struct listener *one, struct listeners *held)
{
	int result, error;

	make_room(held, one, true);
	result = open_one(one, true);
	error = errno;
	make_room(held, one, false);
	errno = error;
	return result;
}

static struct listener *
find_same(struct listeners *held, const struct listener *one)
{
	for (unsigned int i = 0; held != NULL && i < held->count; i++) {
		struct listener *other = &held->list[i];

		if (other->fd != -1 && other->family == one->family &&
		    other->port == one->port &&
		    strcmp(other->address, one->address) == 0)
			return other;
	}
	return NULL;
}

static int
open_or_share(struct listener *one, struct listeners *held)
{
	struct listener *same = find_same(held, one);

	if (same != NULL) {
		one->fd = fcntl(same->fd, F_DUPFD_CLOEXEC, 0);
		return one->fd == -1 ? -1 : 0;
	}
	if (open_one(one, false) == 0)
		return 0;
	if (errno == EADDRINUSE && open_beside(one, held) == 0)
		return 0;
	/* A host without IPv6 still has the other half of "*". */
	if (errno == EAFNOSUPPORT && one->number >= LISTENERS_SECOND) {
		log_warn("listen-skipped address=%s port=%u error=\"%s\"",
		    one->address, one->port, strerror(errno));
		return 0;
	}
	return -1;
}

int
listeners_open(struct listeners *l, struct listeners *held, FILE *errors)
{
	for (unsigned int i = 0; i < l->count; i++) {
		if (open_or_share(&l->list[i], held) == 0)
			continue;
		fprintf(errors, "listen on %s port %u: %s\n",
		    l->list[i].address, l->list[i].port, strerror(errno));
		listeners_close(l);
		return -1;
	}
	return 0;
}

static int
for_each(struct listeners *l, int (*act)(int fd))
{
	int result = 0, error = 0;

	for (unsigned int i = 0; i < l->count; i++)
		if (l->list[i].fd != -1 && act(l->list[i].fd) == -1) {
			result = -1;
			error = errno;
		}
	errno = error;
	return result;
}

/* One that does not insist on its address would share it with whoever else does
 * not, once it does not listen. A second shutdown() would be inherited by all
 * that it ever accepts again. */
static int
refuse(int fd)
{
	socklen_t size = sizeof(int);
	int listens;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == -1)
		return -1;
	if (!listens)
		return 0;
	if (set(fd, SOL_SOCKET, SO_REUSEADDR, 0) == -1)
		return -1;
	return shutdown(fd, SHUT_RDWR);
}

static int
listen_again(int fd)
{
	if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1)
		return -1;
	return listen(fd, BACKLOG);
}

int
listeners_refuse(struct listeners *l)
{
	return for_each(l, refuse);
}

int
listeners_listen(struct listeners *l)
{
	return for_each(l, listen_again);
}

void
listeners_close(struct listeners *l)
{
	for (unsigned int i = 0; i < l->count; i++) {
		if (l->list[i].fd != -1)
			close(l->list[i].fd);
		l->list[i].fd = -1;
	}
}
