#include "queue/control_peer.h"

#include <sys/socket.h>

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stddef.h>

#include "common/mail.h"
#include "queue/destination_name.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

static struct {
	bool known;
	gid_t gid;
} group;

void
control_peer_begin(void)
{
	const struct group *entry = getgrnam(CONTROL_GROUP);

	group.known = entry != NULL;
	if (entry != NULL)
		group.gid = entry->gr_gid;
}

/* Is the group one of those that the peer had when it connected, besides its
 * primary one? */
static int
is_member(int fd, bool *member)
{
	static gid_t groups[NGROUPS_MAX];
	socklen_t size = sizeof(groups);

	*member = false;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == -1)
		return -1;
	for (size_t i = 0; i < size / sizeof(groups[0]); i++)
		if (groups[i] == group.gid)
			*member = true;
	return 0;
}

int
control_peer_read(int fd, struct control_peer *peer)
{
	struct ucred who;
	socklen_t size = sizeof(who);
	bool member = false;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == -1)
		return -1;
	if (group.known && who.uid != 0 && is_member(fd, &member) == -1)
		return -1;
	*peer = (struct control_peer){
		.uid = who.uid,
		.pid = who.pid,
		.admin = who.uid == 0 ||
			 (group.known && (member || who.gid == group.gid)),
	};
	return 0;
}

void
control_peer_owns(struct control_peer *peer, const char *login)
{
	/* Its mailbox may be any: the line is one. */
	if (login[0] == '\0' ||
	    destination_name(ROUTE_MAILBOX, "any", login, "", peer->own) == -1)
		peer->own[0] = '\0';
}
