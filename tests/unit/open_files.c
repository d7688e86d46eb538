/*
 * Linked into every unit test. A login shell usually allows 1024 open files;
 * each program of ours sets a limit of its own when it enters its sandbox,
 * which the parts of it that a unit test drives rely on.
 */
#include <sys/resource.h>

#include <err.h>
#include <sysexits.h>

#define OPEN_FILES 65536

__attribute__((constructor)) static void
allow_open_files(void)
{
	struct rlimit most = { OPEN_FILES, OPEN_FILES }, limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		err(EX_OSERR, "getrlimit");
	if (limit.rlim_max < OPEN_FILES && setrlimit(RLIMIT_NOFILE, &most) == 0)
		return;
	/* Not ours to raise further. */
	limit.rlim_cur =
	    limit.rlim_max < OPEN_FILES ? limit.rlim_max : OPEN_FILES;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		err(EX_OSERR, "setrlimit");
}
