#include "queue/link_user.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/acceptor.h"
#include "common/child.h"
#include "common/log.h"
#include "common/monotime.h"
#include "queue/control_client.h"
#include "queue/control_peer.h"

/* One connection in so long: whatever comes here costs no more than that. */
static const struct timeval pace = { 0, 50000 };
/* How long the supervisor may take. */
#define KNOCK_MS 5000

static void let_in(void);

static struct control_door door = {
	.name = "users",
	.most = USER_CLIENTS,
	.idle_ms = 3000,
	/* A step is some tens of microseconds, unless the disk is asked. */
	.rest_us = 1000,
	.rest_times = 9,
	.left = let_in,
};

/* Before the door: their login is being asked for. */
struct knock {
	bool used;
	int fd;
	struct control_peer who;
	struct monotime since;
};

static struct {
	struct acceptor *acceptor;
	struct event *next; /* pending while nobody is to be taken */
	struct knock knocks[USER_CLIENTS];
	unsigned int knocking;
} users;

static void
let_in(void)
{
	if (!evtimer_pending(users.next, NULL) &&
	    door.count + users.knocking < door.most)
		acceptor_resume(users.acceptor);
}

static void
knock_end(struct knock *k)
{
	k->used = false;
	users.knocking--;
}

/* Those whom the supervisor forgot: it was busy with its own end, say. */
static void
forget_the_old(void)
{
	struct monotime now = monotime_now();

	for (struct knock *k = users.knocks; k < users.knocks + USER_CLIENTS;
	     k++)
		if (k->used && monotime_ms_between(k->since, now) > KNOCK_MS) {
			close(k->fd);
			knock_end(k);
		}
}

static void
on_next(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	(void)context;
	forget_the_old();
	if (users.knocking > 0)
		evtimer_add(users.next, &pace);
	if (door.count + users.knocking < door.most)
		acceptor_resume(users.acceptor);
}

static unsigned int
knocks_of(uid_t uid)
{
	unsigned int count = 0;

	for (const struct knock *k = users.knocks;
	     k < users.knocks + USER_CLIENTS; k++)
		if (k->used && k->who.uid == uid)
			count++;
	return count;
}

static struct knock *
free_knock(void)
{
	for (struct knock *k = users.knocks; k < users.knocks + USER_CLIENTS;
	     k++)
		if (!k->used)
			return k;
	return NULL;
}

/* -1 if this one is not let in. */
static int
knock(int fd)
{
	struct knock *k = free_knock();
	struct control_peer who;

	if (k == NULL || control_peer_read(fd, &who) == -1 ||
	    knocks_of(who.uid) + control_clients_of(&door, who.uid) >=
		USER_EACH ||
	    child_ask_login(who.uid) == -1)
		return -1;
	/* By this door everybody is a user. */
	who.admin = false;
	*k = (struct knock){ true, fd, who, monotime_now() };
	users.knocking++;
	return 0;
}

static void
on_taken(int fd, const struct sockaddr *from, void *context)
{
	(void)from;
	(void)context;
	if (knock(fd) == -1)
		close(fd);
	acceptor_pause(users.acceptor);
	evtimer_add(users.next, &pace);
}

void
user_login(uint32_t uid, const char *login)
{
	for (struct knock *k = users.knocks; k < users.knocks + USER_CLIENTS;
	     k++) {
		if (!k->used || k->who.uid != uid)
			continue;
		knock_end(k);
		control_peer_owns(&k->who, login);
		if (control_client_add(&door, k->fd, &k->who) == -1)
			log_warn("user-client error=\"%s\"", strerror(errno));
	}
}

void
user_start(struct event_base *base, int listener_fd)
{
	users.next = evtimer_new(base, on_next, NULL);
	users.acceptor = acceptor_new(base, listener_fd, on_taken, NULL);
	if (users.acceptor == NULL || users.next == NULL)
		log_fatal(EX_OSERR, "users socket");
}
