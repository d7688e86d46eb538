#include "supervisor/daemon.h"

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

static int to_foreground = -1;

static void
wait_for_release(int from)
{
	unsigned char code;
	ssize_t n;

	do
		n = read(from, &code, 1);
	while (n == -1 && errno == EINTR);
	if (n != 1) /* it died, and has said why on standard error */
		_exit(EX_UNAVAILABLE);
	if (code != EX_OK)
		fprintf(stderr, "postern: not everything is ready yet; it goes "
				"on trying, and the log says what is wrong\n");
	_exit(code);
}

int
daemon_begin(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;
	switch (fork()) {
	case -1:
		close(ends[0]);
		close(ends[1]);
		return -1;
	case 0:
		close(ends[0]);
		to_foreground = ends[1];
		setsid();
		return 0;
	default:
		close(ends[1]);
		wait_for_release(ends[0]);
		return -1; /* never */
	}
}

static void
leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; null != -1 && fd <= STDERR_FILENO; fd++)
		(void)dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
}

void
daemon_release(int code)
{
	unsigned char octet = (unsigned char)code;

	if (to_foreground == -1)
		return;
	leave_terminal();
	(void)!write(to_foreground, &octet, 1);
	close(to_foreground);
	to_foreground = -1;
}
