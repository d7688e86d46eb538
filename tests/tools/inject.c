/*
 * Makes a running process try a system call, and prints what came of it: the
 * return value, negative errno on failure. With it a test asks each program
 * from within its own sandbox what it can do.
 *
 * usage: inject PID open PATH | append PATH | socket FAMILY TYPE | exec PATH | kill PID |
 *               ptrace PID | setuid UID
 */
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef __x86_64__
#error "inject knows the registers of x86-64 only"
#endif

#define SYSCALL_INSTRUCTION 0x050fUL
#define RED_ZONE 128
#define STRING_ROOM 512

struct call {
	long number;
	unsigned long long arguments[4];
	const char *text; /* becomes the argument `text_at` */
	int text_at;
};

static unsigned long long
number(const char *text)
{
	return strtoull(text, NULL, 0);
}

static int
parse(char **argv, struct call *call)
{
	const char *name = argv[0];

	call->text_at = -1;
	if (strcmp(name, "open") == 0 || strcmp(name, "append") == 0) {
		call->number = SYS_openat;
		call->arguments[2] = name[0] == 'a' ? O_WRONLY | O_APPEND : 0;
		call->arguments[0] = (unsigned long long)-100; /* AT_FDCWD */
		call->text = argv[1];
		call->text_at = 1;
	} else if (strcmp(name, "socket") == 0) {
		call->number = SYS_socket;
		call->arguments[0] = number(argv[1]);
		call->arguments[1] = number(argv[2]);
	} else if (strcmp(name, "exec") == 0) {
		call->number = SYS_execve;
		call->text = argv[1];
		call->text_at = 0;
	} else if (strcmp(name, "kill") == 0) {
		call->number = SYS_kill;
		call->arguments[0] = number(argv[1]);
	} else if (strcmp(name, "ptrace") == 0) {
		call->number = SYS_ptrace;
		call->arguments[0] = PTRACE_ATTACH;
		call->arguments[1] = number(argv[1]);
	} else if (strcmp(name, "setuid") == 0) {
		call->number = SYS_setuid;
		call->arguments[0] = number(argv[1]);
	} else
		return -1;
	return 0;
}

static void
poke(pid_t pid, unsigned long long at, const void *data, size_t length)
{
	for (size_t i = 0; i < length; i += sizeof(long)) {
		char word[sizeof(long)] = { 0 };
		long value;

		memcpy(word, (const char *)data + i,
		    length - i < sizeof(long) ? length - i : sizeof(long));
		memcpy(&value, word, sizeof(value));
		if (ptrace(PTRACE_POKEDATA, pid, at + i, value) == -1)
			err(1, "poke");
	}
}

/* Steps over the two octets of the system call in the victim. */
static long long
perform(pid_t pid, const struct call *call)
{
	struct user_regs_struct saved, regs;
	unsigned long long string;
	long code;
	int status;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &saved) == -1)
		err(1, "getregs");
	regs = saved;
	string = (saved.rsp - RED_ZONE - STRING_ROOM) & ~0xfULL;
	regs.rdi = call->arguments[0];
	regs.rsi = call->arguments[1];
	regs.rdx = call->arguments[2];
	regs.r10 = call->arguments[3];
	if (call->text != NULL) {
		poke(pid, string, call->text, strlen(call->text) + 1);
		if (call->text_at == 0)
			regs.rdi = string;
		else
			regs.rsi = string;
	}
	regs.rax = (unsigned long long)call->number;
	regs.orig_rax = (unsigned long long)-1; /* restart no system call */
	errno = 0;
	code = ptrace(PTRACE_PEEKTEXT, pid, saved.rip, NULL);
	if (errno != 0)
		err(1, "peek");
	if (ptrace(PTRACE_POKETEXT, pid, saved.rip,
		((unsigned long)code & ~0xffffUL) | SYSCALL_INSTRUCTION) ==
		-1 ||
	    ptrace(PTRACE_SETREGS, pid, NULL, &regs) == -1 ||
	    ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == -1)
		err(1, "step");
	if (waitpid(pid, &status, 0) == -1 || !WIFSTOPPED(status))
		errx(1, "the victim is gone");
	if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) == -1)
		err(1, "getregs");
	if (ptrace(PTRACE_POKETEXT, pid, saved.rip, code) == -1 ||
	    ptrace(PTRACE_SETREGS, pid, NULL, &saved) == -1)
		err(1, "restore");
	return (long long)regs.rax;
}

int
main(int argc, char **argv)
{
	struct call call = { 0 };
	long long result;
	pid_t pid;
	int status;

	if (argc < 4 || parse(argv + 2, &call) == -1)
		errx(2, "usage: inject PID CALL ARGUMENT...");
	pid = (pid_t)number(argv[1]);
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) == -1)
		err(1, "attach %d", (int)pid);
	if (waitpid(pid, &status, 0) == -1)
		err(1, "wait");
	result = perform(pid, &call);
	if (ptrace(PTRACE_DETACH, pid, NULL, NULL) == -1)
		err(1, "detach");
	printf("%lld\n", result);
	return 0;
}
