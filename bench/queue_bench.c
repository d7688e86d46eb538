/*
 * How many durable messages a second the queue takes and delivers, alone.
 *
 * Plays its supervisor, a router with so many messages in flight, and a remote
 * agent that delivers everything at once. Run as root, in a scratch directory:
 *
 *	bench/queue_bench QUEUE-BINARY DIRECTORY MESSAGES IN-FLIGHT SIZE
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "common/content.h"
#include "common/id.h"
#include "common/mail.h"
#include "common/monotime.h"
#include "common/record.h"

static uint8_t record[LIMIT_RECORD];

static void
pair(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		err(1, "socketpair");
}

static void
say(int fd, struct message *m)
{
	if (record_write(fd, m, 0) == -1)
		err(1, "%s", message_type_name(m->type));
}

static int
sealed(const void *data, size_t length)
{
	int fd = content_create();

	if (fd == -1 || content_write(fd, data, length) == -1 ||
	    content_seal(fd) == -1)
		err(1, "content");
	return fd;
}

static void
say_config(int fd, const char *directory)
{
	struct message m = MESSAGE_INIT(MESSAGE_CONFIG, 0);
	char text[4096];
	int length = snprintf(text, sizeof(text),
	    "hostname \"mail.example.org\"\nspool \"%s\"\nrun \"%s\"\n"
	    "listen on 127.0.0.1 port 25\n"
	    "relay \"sink\" via \"127.0.0.9\"\n"
	    "accept from local relay \"sink\"\n",
	    directory, directory);

	m.fd = sealed(text, (size_t)length);
	m.config.path = "bench.conf";
	say(fd, &m);
	close(m.fd);
}

static int
give_peer(int fd, enum program program)
{
	struct message m = MESSAGE_INIT(MESSAGE_PEER, 0);
	int ends[2];

	pair(ends);
	m.fd = ends[1];
	m.peer.program = (uint16_t)program;
	m.peer.instance = program;
	m.peer.generation = 1;
	say(fd, &m);
	close(ends[1]);
	return ends[0];
}

static void
make_directory(const char *directory)
{
	char path[256];
	const struct passwd *user = getpwnam("postern-queue");

	if (user == NULL)
		errx(1, "no user postern-queue");
	snprintf(path, sizeof(path), "%s/store", directory);
	if ((mkdir(directory, 0755) == -1 && errno != EEXIST) ||
	    (mkdir(path, 0700) == -1 && errno != EEXIST) ||
	    chown(path, user->pw_uid, user->pw_gid) == -1)
		err(1, "%s", path);
}

static int
start_queue(const char *binary, pid_t *pid)
{
	int ends[2];

	pair(ends);
	*pid = fork();
	if (*pid == -1)
		err(1, "fork");
	if (*pid == 0) {
		if (dup2(ends[1], 3) == -1)
			err(1, "dup2");
		execl(binary, binary, (char *)NULL);
		err(1, "%s", binary);
	}
	close(ends[1]);
	return ends[0];
}

/* Delivers everything at once, in a process of its own. */
__attribute__((noreturn)) static void
be_agent(int link)
{
	struct message m = MESSAGE_INIT(MESSAGE_NONE, 0);

	for (;;) {
		struct message report = MESSAGE_INIT(MESSAGE_REPORT, 0);

		if (record_read(link, record, &m, PROGRAM_REMOTE, PROGRAM_QUEUE,
			0) != 1)
			exit(0);
		if (m.fd != -1)
			close(message_take_fd(&m));
		if (m.type != MESSAGE_DELIVER_TO)
			continue;
		report.handle = m.handle;
		report.report.number = m.deliver_to.number;
		report.report.outcome = REPORT_DELIVERED;
		report.report.host = "127.0.0.9";
		report.report.reply = "250 2.0.0 Ok: queued as 12345";
		say(link, &report);
	}
}

static void
submit(int link, uint32_t handle, const char *data, size_t size)
{
	struct message m = MESSAGE_INIT(MESSAGE_ENVELOPE, handle);
	struct message route = MESSAGE_INIT(MESSAGE_ROUTE, handle);
	char to[64];

	m.fd = sealed(data, size);
	m.envelope.id = id_new();
	m.envelope.sender = "sender@example.net";
	m.envelope.client_address = "127.0.0.1";
	m.envelope.helo = "bench.example";
	m.envelope.protocol = SMTP_PROTOCOL_ESMTP;
	m.envelope.size = size;
	m.envelope.recipients = 1;
	say(link, &m);
	close(m.fd);
	snprintf(to, sizeof(to), "user%u@example.com", handle % 1000);
	route.route.address = route.route.original = to;
	route.route.kind = ROUTE_RELAY;
	route.route.name = "sink";
	say(link, &route);
}

static void
run(int link, unsigned int messages, unsigned int in_flight, size_t size)
{
	struct message m = MESSAGE_INIT(MESSAGE_NONE, 0);
	struct monotime start = monotime_now();
	unsigned int sent = 0, stored = 0;
	char *data = malloc(size);
	int64_t took;

	if (data == NULL)
		err(1, NULL);
	memset(data, 'x', size);
	while (stored < messages) {
		while (sent < messages && sent - stored < in_flight)
			submit(link, ++sent, data, size);
		do {
			if (record_read(link, record, &m, PROGRAM_ROUTER,
				PROGRAM_QUEUE, 0) != 1)
				errx(1, "the queue has ended");
			if (m.stored.code != 250)
				errx(1, "%u %s", m.stored.code, m.stored.reply);
			stored++;
		} while (stored < sent &&
			 poll(&(struct pollfd){ link, POLLIN, 0 }, 1, 0) == 1);
	}
	took = monotime_ms_between(start, monotime_now());
	printf("accepted %u messages of %zu octets in %" PRId64 " ms: %" PRId64
	       "/s\n",
	    messages, size, took, messages * INT64_C(1000) / (took + 1));
	free(data);
}

static unsigned int
number(const char *text)
{
	const char *wrong;
	long long value = strtonum(text, 0, 1000000000, &wrong);

	if (wrong != NULL)
		errx(2, "%s is %s", text, wrong);
	return (unsigned int)value;
}

/* LINGER seconds for what is accepted to be delivered. */
static void
linger(void)
{
	const char *seconds = getenv("LINGER");

	if (seconds != NULL)
		sleep(number(seconds));
}

int
main(int argc, char **argv)
{
	struct message m = MESSAGE_INIT(MESSAGE_START, 0);
	int supervisor, router, agent;
	pid_t queue, agent_pid;

	if (argc != 6)
		errx(2, "usage: queue_bench QUEUE DIRECTORY MESSAGES "
			"IN-FLIGHT SIZE");
	make_directory(argv[2]);
	supervisor = start_queue(argv[1], &queue);
	say_config(supervisor, argv[2]);
	router = give_peer(supervisor, PROGRAM_ROUTER);
	agent = give_peer(supervisor, PROGRAM_REMOTE);
	m.start.instance = 1;
	m.start.generation = 1;
	say(supervisor, &m);
	if (record_read(supervisor, record, &m, PROGRAM_SUPERVISOR,
		PROGRAM_QUEUE, 0) != 1)
		errx(1, "the queue did not start");
	agent_pid = fork();
	if (agent_pid == 0) {
		close(router);
		close(supervisor);
		be_agent(agent);
	}
	close(agent);
	run(router, number(argv[3]), number(argv[4]), number(argv[5]));
	linger();
	close(router);
	close(supervisor);
	waitpid(queue, NULL, 0);
	waitpid(agent_pid, NULL, 0);
	return 0;
}
