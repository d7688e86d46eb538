#include "queue/tool/tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "queue/store.h"

void
tool_say(const char *format, ...)
{
	va_list arguments;

	fputs("postern-store: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

int
tool_fail(const struct tool *tool, const char *what)
{
	switch (errno) {
	case ENOENT:
		tool_say("%s: there is no store in %s", what, tool->directory);
		return EX_NOINPUT;
	case EBUSY:
		tool_say("%s: the store is in use by postern or by another "
			 "postern-store",
		    what);
		return EX_TEMPFAIL;
	case ENOTSUP:
		tool_say("%s: it was written by a newer postern", what);
		return EX_CONFIG;
	case EUCLEAN:
		tool_say("%s: the store is damaged", what);
		return EX_DATAERR;
	case EACCES:
	case EPERM:
		tool_say("%s: %s", what, strerror(errno));
		return EX_NOPERM;
	default:
		tool_say("%s: %s", what, strerror(errno));
		return EX_IOERR;
	}
}

static int
check_schema(const struct tool *tool, struct store *store)
{
	uint32_t schema = 0;
	int result;

	if (store_read_begin(store) == -1)
		return tool_fail(tool, "cannot read the store");
	result = store_schema(store, &schema);
	store_read_end(store);
	if (result == 0 && schema == STORE_SCHEMA)
		return EX_OK;
	if (result == 0 && schema < STORE_SCHEMA) {
		tool_say("the store was written by an older postern; it is "
			 "brought up to date when postern starts");
		return EX_CONFIG;
	}
	errno = result == 0 ? ENOTSUP : EUCLEAN;
	return tool_fail(tool, "cannot use the store");
}

struct store *
tool_open(const struct tool *tool, int *code)
{
	struct store *store = tool->file != NULL && tool->fd == -1
				  ? store_open_copy(tool->file)
				  : store_open_read(tool->place);

	if (store == NULL) {
		*code = tool_fail(tool, "cannot open the store");
		return NULL;
	}
	*code = check_schema(tool, store);
	if (*code != EX_OK)
		store_close(&store);
	return store;
}

int
tool_flush(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	tool_say("standard output: %s", strerror(errno));
	return EX_IOERR;
}
