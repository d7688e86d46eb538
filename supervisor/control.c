#include "supervisor/control.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/log.h"
#include "supervisor/requests.h"

#define GROUP "postern-admin"
#define BACKLOG 64

static struct {
	struct sockaddr_un control, users, supervisor; /* their paths */
	int fd;					       /* of ours */
} state = { .fd = -1 };

static int
listen_on(struct sockaddr_un *address, const char *run, const char *name)
{
	int fd =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int n = snprintf(
	    address->sun_path, sizeof(address->sun_path), "%s/%s", run, name);

	address->sun_family = AF_UNIX;
	if (n < 0 || (size_t)n >= sizeof(address->sun_path))
		errno = ENAMETOOLONG;
	/* Only root can put anything there, and we hold the lock. */
	else if (fd != -1 &&
		 (unlink(address->sun_path) == 0 || errno == ENOENT) &&
		 bind(fd, (struct sockaddr *)address, sizeof(*address)) == 0 &&
		 listen(fd, BACKLOG) == 0)
		return fd;
	log_fatal(EX_CANTCREAT, "socket \"%s/%s\"", log_text(run), name);
}

/* Made under umask 077: until this, root only. */
static void
open_to_group(const char *path)
{
	const struct group *group = getgrnam(GROUP);

	if (chown(path, 0, group != NULL ? group->gr_gid : 0) == -1 ||
	    chmod(path, 0660) == -1)
		log_fatal(EX_CANTCREAT, "socket \"%s\"", log_text(path));
}

void
control_open(struct house *house, const struct config *config)
{
	house->control_fd = listen_on(&state.control, config->run, "control");
	open_to_group(state.control.sun_path);
	/* Everybody may connect: the queue tells each of their own mail. */
	house->users_fd = listen_on(&state.users, config->run, "users");
	if (chmod(state.users.sun_path, 0666) == -1)
		log_fatal(EX_CANTCREAT, "users socket");
	state.fd = listen_on(&state.supervisor, config->run, "supervisor");
	if (chmod(state.supervisor.sun_path, 0600) == -1)
		log_fatal(EX_CANTCREAT, "supervisor socket");
}

void
control_close(void)
{
	unlink(state.control.sun_path);
	unlink(state.users.sun_path);
	unlink(state.supervisor.sun_path);
}

int
control_start(struct house *house)
{
	return requests_start(house, state.fd);
}
