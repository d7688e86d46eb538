#include "router/reply.h"

#include <stdarg.h>
#include <stdio.h>

void
reply_set(struct reply *r, uint16_t code, const char *format, ...)
{
	va_list arguments;

	r->code = code;
	va_start(arguments, format);
	vsnprintf(r->text, sizeof(r->text), format, arguments);
	va_end(arguments);
}

bool
reply_is_positive(const struct reply *r)
{
	return r->code / 100 == 2;
}

bool
reply_is_temporary(const struct reply *r)
{
	return r->code / 100 == 4;
}
