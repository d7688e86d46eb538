#include "deliver/local/result.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
result_set(struct result *r, enum report_outcome outcome,
    enum report_scope scope, const char *format, ...)
{
	va_list arguments;

	r->outcome = outcome;
	r->scope = scope;
	va_start(arguments, format);
	vsnprintf(r->reply, sizeof(r->reply), format, arguments);
	va_end(arguments);
}

/* RFC 3463: 4.2.2 the mailbox is full, 4.3.1 the system is, 4.3.0 the rest. */
static const char *
code_of(int error)
{
	if (error == EDQUOT)
		return "4.2.2";
	if (error == ENOSPC || error == EFBIG)
		return "4.3.1";
	return "4.3.0";
}

void
result_set_error(
    struct result *r, enum report_scope scope, int error, const char *what)
{
	result_set(r, REPORT_DEFERRED, scope, "%s %s: %s", code_of(error), what,
	    strerror(error));
}
