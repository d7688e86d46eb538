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

bool
login_has_home(const char *home)
{
	static const char *const none[] = { "/", "/nonexistent", "/dev/null",
		"/var/empty" };

	if (home[0] != '/')
		return false;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (strcmp(home, none[i]) == 0)
			return false;
	return true;
}
