/*
 * Each group of system calls, tried from inside a cage: what it is for works,
 * and what it is not for fails with the right error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/sandbox.h"

static char inside[] = "/tmp/test_sandbox.XXXXXX";
static char file[64];

static long
act_open(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long
act_open_inside(void)
{
	return open(file, O_RDONLY);
}

static long
act_write_inside(void)
{
	return open(file, O_WRONLY);
}

static long
act_truncate_inside(void)
{
	return open(file, O_RDONLY | O_TRUNC);
}

static long
act_rename_inside(void)
{
	return rename(file, file);
}

static long
act_stat(void)
{
	struct stat st;

	return stat("/etc/passwd", &st);
}

static long
act_fstat(void)
{
	struct stat st;

	return fstat(STDIN_FILENO, &st);
}

static long
act_exec(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}

static long
act_ptrace(void)
{
	return syscall(SYS_ptrace, 0, 0, 0, 0);
}

static long
act_inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long
act_inet6(void)
{
	return socket(AF_INET6, SOCK_DGRAM, 0);
}

static long
act_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long
act_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static long
bind_to(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return fd == -1 ? -1 : bind(fd, (struct sockaddr *)&a, sizeof(a));
}

static long
act_bind_any(void)
{
	return bind_to(0);
}

static long
act_bind_port(void)
{
	return bind_to(2);
}

static long
act_listen(void)
{
	return listen(STDIN_FILENO, 1);
}

static long
act_accept(void)
{
	return accept(STDIN_FILENO, NULL, NULL);
}

static long
act_memfd(void)
{
	return memfd_create("test", MFD_ALLOW_SEALING);
}

static long
act_map(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		   ? -1
		   : 0;
}

static long
act_map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
		   ? -1
		   : 0;
}

static long
act_protect_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page == MAP_FAILED ? 0
				  : mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static long
act_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid == -1 ? -1 : waitpid(pid, NULL, 0);
}

static long
act_new_namespace(void)
{
	return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0);
}

static long
act_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}

static long
act_kill_parent(void)
{
	return kill(getppid(), 0);
}

static long
act_setuid(void)
{
	return setuid(getuid());
}

static long
act_raise_limit(void)
{
	struct rlimit limit = { 1, 1 };

	return setrlimit(RLIMIT_NOFILE, &limit);
}

static long
act_read_limit(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit);
}

static long
act_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

#define EVERY 0xffffu
#define FILES (SANDBOX_FILES_READ | SANDBOX_FILES_WRITE)

static const struct row {
	const char *name;
	unsigned int calls; /* inside this cage */
	long (*act)(void);
	int error; /* 0: it works */
} rows[] = {
	/* The base alone. */
	{ "fstat", 0, act_fstat, 0 },
	{ "map", 0, act_map, 0 },
	{ "read limit", 0, act_read_limit, 0 },
	{ "open", 0, act_open, EPERM },
	{ "open inside", 0, act_open_inside, EPERM },
	{ "exec", 0, act_exec, EPERM },
	{ "inet", 0, act_inet, EPERM },
	{ "unix", 0, act_unix, EPERM },
	{ "accept", 0, act_accept, EPERM },
	{ "listen", 0, act_listen, EPERM },
	{ "memfd", 0, act_memfd, EPERM },
	{ "fork", 0, act_fork, EPERM },
	{ "kill", 0, act_kill_parent, EPERM },
	{ "setuid", 0, act_setuid, EPERM },
	{ "raise limit", 0, act_raise_limit, EPERM },
	{ "dumpable", 0, act_dumpable, EPERM },
	{ "ptrace", 0, act_ptrace, EPERM },
	/* What no group allows. */
	{ "exec", EVERY, act_exec, EPERM },
	{ "ptrace", EVERY, act_ptrace, EPERM },
	{ "map code", EVERY, act_map_code, EPERM },
	{ "protect code", EVERY, act_protect_code, EPERM },
	{ "namespace", EVERY, act_new_namespace, EPERM },
	{ "unshare", EVERY, act_unshare, EPERM },
	{ "unix", EVERY, act_unix, EPERM },
	{ "netlink", EVERY, act_netlink, EPERM },
	{ "open outside", EVERY, act_open, EACCES },
	/* Each group by itself. */
	{ "accept", SANDBOX_ACCEPT, act_accept, ENOTSOCK },
	{ "memfd", SANDBOX_MEMFD, act_memfd, 0 },
	{ "inet", SANDBOX_INET, act_inet, 0 },
	{ "inet6", SANDBOX_INET, act_inet6, 0 },
	{ "netlink", SANDBOX_INET, act_netlink, EPERM },
	{ "bind any", SANDBOX_INET, act_bind_any, 0 },
	{ "bind port", SANDBOX_INET, act_bind_port, EACCES },
	{ "open inside", SANDBOX_FILES_READ, act_open_inside, 0 },
	{ "open outside", SANDBOX_FILES_READ, act_open, EACCES },
	{ "stat outside", SANDBOX_FILES_READ, act_stat, 0 },
	{ "write", SANDBOX_FILES_READ, act_write_inside, EPERM },
	{ "truncate", SANDBOX_FILES_READ, act_truncate_inside, EPERM },
	{ "rename", SANDBOX_FILES_READ, act_rename_inside, EPERM },
	{ "write", FILES, act_write_inside, 0 },
	{ "truncate", FILES, act_truncate_inside, 0 },
	{ "rename", FILES, act_rename_inside, 0 },
	{ "open outside", FILES, act_open, EACCES },
	{ "fork", SANDBOX_FORK, act_fork, 0 },
	{ "exec", SANDBOX_FORK, act_exec, EPERM },
	{ "namespace", SANDBOX_FORK, act_new_namespace, EPERM },
	{ "fork", SANDBOX_THREADS, act_fork, EPERM },
	{ "setuid", SANDBOX_SETUID, act_setuid, 0 },
	{ "dumpable", SANDBOX_CONFINE, act_dumpable, 0 },
	{ "exec", SANDBOX_CONFINE, act_exec, EPERM },
};

static void
enter(unsigned int calls)
{
	const struct sandbox_path paths[] = { { inside, true },
		{ "/nonexistent/path", true }, { NULL, false } };
	const struct sandbox sandbox = {
		.paths = paths, .calls = calls, .open_files = 64
	};

	sandbox_enter(&sandbox);
}

/* Runs it in a process of its own and returns its exit code. */
static int
in_child(int (*run)(const void *), const void *argument)
{
	int status;
	pid_t pid = fork();

	assert_int_not_equal(-1, pid);
	if (pid == 0)
		_exit(run(argument));
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
run_row(const void *argument)
{
	const struct row *row = argument;

	enter(row->calls);
	errno = 0;
	return row->act() == -1 ? errno : 0;
}

static void
test_rows(void **context)
{
	(void)context;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int error = in_child(run_row, &rows[i]);

		if (error != rows[i].error)
			fail_msg("%s with %#x: %s, not %s", rows[i].name,
			    rows[i].calls, strerror(error),
			    strerror(rows[i].error));
	}
}

/* A worker narrows itself further, and cannot widen what it inherited. */
static int
run_nested(const void *argument)
{
	const struct sandbox narrower = { .calls = SANDBOX_INET };

	(void)argument;
	enter(SANDBOX_CONFINE | FILES);
	if (act_open_inside() == -1)
		return 1;
	sandbox_enter(&narrower);
	return act_open_inside() == -1 && act_inet() == -1 ? 0 : 2;
}

static void
test_nested(void **context)
{
	(void)context;
	assert_int_equal(0, in_child(run_nested, NULL));
}

static int
run_status(const void *argument)
{
	struct rlimit files, core;

	(void)argument;
	enter(SANDBOX_CONFINE);
	if (getrlimit(RLIMIT_NOFILE, &files) == -1 || files.rlim_max != 64 ||
	    getrlimit(RLIMIT_CORE, &core) == -1 || core.rlim_max != 0)
		return 1;
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2 ? 0 : 2;
}

static void
test_status(void **context)
{
	(void)context;
	assert_int_equal(0, in_child(run_status, NULL));
}

/* abort() must still be able to say that it was one. */
static void
test_abort_is_seen(void **context)
{
	int status;
	pid_t pid = fork();

	(void)context;
	if (pid == 0) {
		enter(0);
		abort();
	}
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_true(WIFSIGNALED(status));
	assert_int_equal(SIGABRT, WTERMSIG(status));
}

static int
run_user(const void *argument)
{
	const struct sandbox sandbox = {
		.user = argument, .root = inside, .calls = SANDBOX_SETUID
	};
	struct passwd *pw = getpwnam(argument);
	uid_t uid = pw != NULL ? pw->pw_uid : 0;

	sandbox_enter(&sandbox);
	if (getuid() != uid || geteuid() != uid || getgroups(0, NULL) != 0)
		return 1;
	return setuid(0) == -1 && setgid(0) == -1 ? 0 : 2;
}

static void
test_user(void **context)
{
	(void)context;
	if (geteuid() != 0)
		skip();
	assert_int_equal(0, in_child(run_user, "nobody"));
	assert_int_equal(EX_NOUSER, in_child(run_user, "root"));
	assert_int_equal(EX_NOUSER, in_child(run_user, "no-such-user"));
}

static int
set_up(void **context)
{
	int fd;

	(void)context;
	if (mkdtemp(inside) == NULL)
		return -1;
	snprintf(file, sizeof(file), "%s/file", inside);
	fd = open(file, O_WRONLY | O_CREAT, 0600);
	return fd == -1 ? -1 : close(fd);
}

static int
tear_down(void **context)
{
	(void)context;
	return unlink(file) == -1 ? -1 : rmdir(inside);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_abort_is_seen),
		cmocka_unit_test(test_user),
	};

	/* Not a socket, whoever runs us. */
	if (freopen("/dev/null", "r", stdin) == NULL)
		return EX_OSERR;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
