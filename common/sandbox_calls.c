/*
 * The allow-lists. A call is here because a program of ours makes it; what it
 * may do with it is narrowed by its arguments where they can be looked at.
 * No list holds execve, ptrace, mount, or anything that makes memory
 * executable.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sysexits.h>
#include <unistd.h>

#include <seccomp.h>

#include "common/log.h"
#include "common/sandbox.h"
#include "common/sandbox_parts.h"

#define LENGTH(list) (sizeof(list) / sizeof((list)[0]))

/* No authority comes with these: they work on the process itself and on the
 * descriptors that it was given. */
static const int base[] = {
	/* reading, writing, waiting */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64),
	SCMP_SYS(pwritev), SCMP_SYS(sendfile), SCMP_SYS(lseek),
	SCMP_SYS(_llseek), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg),
	SCMP_SYS(recvmmsg), SCMP_SYS(recv), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg), SCMP_SYS(send), SCMP_SYS(shutdown),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt), SCMP_SYS(close), SCMP_SYS(close_range),
	SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(fcntl),
	SCMP_SYS(fcntl64), SCMP_SYS(fstat), SCMP_SYS(fstat64),
	SCMP_SYS(fstatfs), SCMP_SYS(pipe), SCMP_SYS(pipe2),
	SCMP_SYS(socketpair), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(ppoll_time64), SCMP_SYS(select), SCMP_SYS(pselect6),
	SCMP_SYS(epoll_create), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
	SCMP_SYS(eventfd2), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
	SCMP_SYS(timerfd_gettime), SCMP_SYS(signalfd4),
	/* memory; mmap and mprotect are below */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(membarrier),
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address),
	/* time and chance */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64),
	SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_nanosleep_time64), SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(alarm),
	SCMP_SYS(setitimer), SCMP_SYS(getrandom),
	/* itself */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigpending), SCMP_SYS(sigaltstack),
	SCMP_SYS(sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getresuid),
	SCMP_SYS(getresgid), SCMP_SYS(getgroups), SCMP_SYS(getrlimit),
	SCMP_SYS(getrusage), SCMP_SYS(times), SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(getcpu), SCMP_SYS(sysinfo),
	SCMP_SYS(uname), SCMP_SYS(umask)
};

static const int accepting[] = { SCMP_SYS(accept), SCMP_SYS(accept4) };

static const int memfd[] = { SCMP_SYS(memfd_create), SCMP_SYS(ftruncate),
	SCMP_SYS(ftruncate64), SCMP_SYS(fallocate) };

static const int inet[] = { SCMP_SYS(connect), SCMP_SYS(bind) };

static const int files_read[] = { SCMP_SYS(newfstatat), SCMP_SYS(fstatat64),
	SCMP_SYS(stat), SCMP_SYS(stat64), SCMP_SYS(lstat), SCMP_SYS(lstat64),
	SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(getdents), SCMP_SYS(getdents64),
	SCMP_SYS(getcwd), SCMP_SYS(chdir), SCMP_SYS(fchdir),
	SCMP_SYS(fadvise64) };

static const int files_write[] = { SCMP_SYS(open), SCMP_SYS(openat),
	SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
	SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(fchmod),
	SCMP_SYS(fchown), SCMP_SYS(utimensat), SCMP_SYS(ftruncate),
	SCMP_SYS(ftruncate64), SCMP_SYS(fallocate), SCMP_SYS(flock),
	SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(msync),
	SCMP_SYS(sync_file_range), SCMP_SYS(syncfs),
	SCMP_SYS(copy_file_range) };

static const int forking[] = { SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(wait4),
	SCMP_SYS(waitid), SCMP_SYS(waitpid), SCMP_SYS(kill), SCMP_SYS(tgkill),
	SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal), SCMP_SYS(setsid),
	SCMP_SYS(setpgid) };

static const int changing_uid[] = { SCMP_SYS(setuid), SCMP_SYS(setgid),
	SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setresuid),
	SCMP_SYS(setresgid), SCMP_SYS(setgroups) };

/* Everything that sandbox_enter() itself does but to change the root. */
static const int confining[] = { SCMP_SYS(seccomp), SCMP_SYS(capget),
	SCMP_SYS(capset), SCMP_SYS(setrlimit), SCMP_SYS(landlock_add_rule),
	SCMP_SYS(landlock_create_ruleset), SCMP_SYS(landlock_restrict_self) };

static const int confining_prctl[] = { PR_SET_NO_NEW_PRIVS, PR_SET_DUMPABLE,
	PR_SET_SECCOMP, PR_GET_SECCOMP, PR_SET_KEEPCAPS, PR_CAPBSET_DROP,
	PR_CAP_AMBIENT };

static const int ioctls[] = { FIONREAD, FIONBIO };

#define NAMESPACES                                                     \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | \
	    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define OPEN_TO_WRITE \
	(O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY))

static void
check(int result)
{
	if (result < 0)
		log_fatal(EX_OSERR, "seccomp error %d", -result);
}

static void
allow(scmp_filter_ctx f, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check(seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0));
}

static void
allow_if(scmp_filter_ctx f, int call, struct scmp_arg_cmp condition)
{
	check(seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1, condition));
}

static void
allow_memory(scmp_filter_ctx f)
{
	struct scmp_arg_cmp not_executable =
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);

	allow_if(f, SCMP_SYS(mmap), not_executable);
	allow_if(f, SCMP_SYS(mmap2), not_executable);
	allow_if(f, SCMP_SYS(mprotect), not_executable);
}

static void
allow_base(scmp_filter_ctx f)
{
	allow(f, base, LENGTH(base));
	allow_memory(f);
	for (size_t i = 0; i < LENGTH(ioctls); i++)
		allow_if(f, SCMP_SYS(ioctl),
		    SCMP_A1_32(SCMP_CMP_EQ, (uint32_t)ioctls[i]));
	/* abort() raises its signal in itself. */
	allow_if(
	    f, SCMP_SYS(tgkill), SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)getpid()));
	/* libc makes fstat() of it; without a path to it, it tells no more. */
	allow_if(f, SCMP_SYS(newfstatat),
	    SCMP_A3(SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, AT_EMPTY_PATH));
	/* To die with its parent, which a change of user has it forget. */
	allow_if(f, SCMP_SYS(prctl), SCMP_A0_32(SCMP_CMP_EQ, PR_SET_PDEATHSIG));
	/* Limits may be read. */
	check(seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
	    SCMP_A0_32(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0)));
}

static void
allow_inet(scmp_filter_ctx f)
{
	allow_if(f, SCMP_SYS(socket), SCMP_A0_32(SCMP_CMP_EQ, AF_INET));
	allow_if(f, SCMP_SYS(socket), SCMP_A0_32(SCMP_CMP_EQ, AF_INET6));
	allow(f, inet, LENGTH(inet));
}

static void
allow_files_read(scmp_filter_ctx f)
{
	allow(f, files_read, LENGTH(files_read));
	allow_if(f, SCMP_SYS(open),
	    SCMP_A1(SCMP_CMP_MASKED_EQ, OPEN_TO_WRITE, O_RDONLY));
	allow_if(f, SCMP_SYS(openat),
	    SCMP_A2(SCMP_CMP_MASKED_EQ, OPEN_TO_WRITE, O_RDONLY));
}

/* clone3 hides its flags behind a pointer: libc falls back to clone. */
static void
refuse_clone3(scmp_filter_ctx f)
{
	check(seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0));
}

static void
allow_fork(scmp_filter_ctx f)
{
	allow(f, forking, LENGTH(forking));
	allow_if(f, SCMP_SYS(clone),
	    SCMP_A0(SCMP_CMP_MASKED_EQ, NAMESPACES | CLONE_THREAD, 0));
}

static void
allow_threads(scmp_filter_ctx f)
{
	allow_if(f, SCMP_SYS(clone),
	    SCMP_A0(
		SCMP_CMP_MASKED_EQ, NAMESPACES | CLONE_THREAD, CLONE_THREAD));
}

static void
allow_confine(scmp_filter_ctx f)
{
	allow(f, confining, LENGTH(confining));
	for (size_t i = 0; i < LENGTH(confining_prctl); i++)
		allow_if(f, SCMP_SYS(prctl),
		    SCMP_A0_32(SCMP_CMP_EQ, (uint32_t)confining_prctl[i]));
	allow_if(f, SCMP_SYS(prlimit64), SCMP_A0_32(SCMP_CMP_EQ, 0));
}

static void
allow_groups(scmp_filter_ctx f, unsigned int calls)
{
	if ((calls & SANDBOX_ACCEPT) != 0)
		allow(f, accepting, LENGTH(accepting));
	if ((calls & SANDBOX_MEMFD) != 0)
		allow(f, memfd, LENGTH(memfd));
	if ((calls & SANDBOX_INET) != 0)
		allow_inet(f);
	if ((calls & (SANDBOX_FILES_READ | SANDBOX_FILES_WRITE)) != 0)
		allow_files_read(f);
	if ((calls & SANDBOX_FILES_WRITE) != 0)
		allow(f, files_write, LENGTH(files_write));
	if ((calls & SANDBOX_FORK) != 0)
		allow_fork(f);
	if ((calls & SANDBOX_SETUID) != 0)
		allow(f, changing_uid, LENGTH(changing_uid));
	if ((calls & SANDBOX_THREADS) != 0)
		allow_threads(f);
	if ((calls & (SANDBOX_FORK | SANDBOX_THREADS)) != 0)
		refuse_clone3(f);
	if ((calls & SANDBOX_CONFINE) != 0)
		allow_confine(f);
}

void
sandbox_calls(unsigned int calls)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (f == NULL)
		log_fatal(EX_OSERR, "seccomp");
	allow_base(f);
	allow_groups(f, calls);
	/* A binary tree instead of a chain; older libraries know only that. */
	(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	check(seccomp_load(f));
	seccomp_release(f);
}
