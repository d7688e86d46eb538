#include "common/login.h"

#include <string.h>

#include "common/limits.h"

bool
login_name_is_valid(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > LIMIT_USER || *name == '-' || *name == '.')
		return false;
	for (; *name != '\0'; name++)
		if (*name <= ' ' || *name > '~' || *name == ':' || *name == '/')
			return false;
	return true;
}
