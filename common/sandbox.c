#include "common/sandbox.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <sysexits.h>

#include "common/log.h"
#include "common/sandbox_parts.h"

#if defined(__SANITIZE_ADDRESS__)
const char *__asan_default_options(void);

/* The leak checker traces its own process, which no cage of ours allows. */
const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static void
limit(int resource, rlim_t most)
{
	struct rlimit now, wanted = { most, most };

	if (getrlimit(resource, &now) == -1)
		log_fatal(EX_OSERR, "getrlimit");
	if (wanted.rlim_max > now.rlim_max)
		wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
	if (setrlimit(resource, &wanted) == -1)
		log_fatal(EX_OSERR, "setrlimit");
}

void
sandbox_enter(const struct sandbox *s)
{
	limit(RLIMIT_CORE, 0);
	if (s->open_files != 0)
		limit(RLIMIT_NOFILE, s->open_files);
	sandbox_identity(s);
	/* The limit counts all processes of the uid, but is ours alone: it
	 * stops us from making more, however many others there are. */
	if ((s->calls & (SANDBOX_FORK | SANDBOX_THREADS)) == 0)
		limit(RLIMIT_NPROC, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		log_fatal(EX_OSERR, "no_new_privs");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		log_fatal(EX_OSERR, "not dumpable");
	sandbox_landlock(s);
	sandbox_calls(s->calls);
}
