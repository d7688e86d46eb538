#include "common/login.h"

#include <string.h>

#include "common/limits.h"
#include "common/system_folder.h"

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

/* Nobody needs it, and where it leads cannot be told from the text. */
static bool
climbs(const char *path)
{
	for (; (path = strstr(path, "/..")) != NULL; path += 3)
		if (path[3] == '/' || path[3] == '\0')
			return true;
	return false;
}

/* Not what is below these: that may be anything. */
static bool
is_of_a_system_account(const char *home)
{
	static const char *const homes[] = { "/nonexistent", "/srv/ftp",
		"/var/ftp", "/var/list", "/var/mail", "/var/www" };

	for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++)
		if (system_folder_is_within(home, homes[i]) &&
		    system_folder_is_within(homes[i], home))
			return true;
	return false;
}

bool
login_has_home(const char *home)
{
	if (home[0] != '/' || climbs(home) || is_of_a_system_account(home))
		return false;
	/* Nor is it what holds the system's folders: / and /var. */
	for (const char *const *f = system_folders; *f != NULL; f++)
		if (system_folder_is_within(home, *f) ||
		    system_folder_is_within(*f, home))
			return false;
	return true;
}
