#include "deliver/spawn/account.h"

#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "common/log.h"
#include "common/login.h"

/* One entry of the password database; longer ones are no person's. */
#define ENTRY_SIZE 16384
/* Our own programs run as these; none of them has a mailbox. */
#define OWN_USERS "postern-"

static char entry[ENTRY_SIZE];

static int
look_up(const char *login, struct passwd *storage, struct passwd **found)
{
	return getpwnam_r(login, storage, entry, sizeof(entry), found);
}

/* Other sources of accounts would need a socket, or code that is loaded when
 * they are asked; and only of files is it certain that a name is not there. */
void
account_preload(void)
{
	struct passwd storage, *found;

	if (__nss_configure_lookup("passwd", "files") == -1)
		log_warn("account-sources error=\"%s\"", strerror(errno));
	(void)look_up("root", &storage, &found);
}

static int
refuse(struct result *why, enum report_outcome outcome, const char *reply)
{
	result_set(why, outcome, REPORT_SCOPE_RECIPIENT, "%s", reply);
	return -1;
}

static int
check_entry(const struct passwd *pw, struct result *why)
{
	if (pw->pw_uid == 0 || pw->pw_gid == 0)
		return refuse(why, REPORT_FAILED,
		    "5.7.1 Mail is never delivered as root; give root an "
		    "alias");
	if (strncmp(pw->pw_name, OWN_USERS, strlen(OWN_USERS)) == 0)
		return refuse(why, REPORT_FAILED,
		    "5.7.1 Mail is never delivered to a user of postern");
	if (strlen(pw->pw_dir) >= PATH_MAX)
		return refuse(why, REPORT_DEFERRED,
		    "4.3.5 The path of the home directory is too long");
	return 0;
}

int
account_find(const char *login, struct owner *owner, struct result *why)
{
	struct passwd storage, *pw = NULL;
	int error;

	if (!login_name_is_valid(login))
		return refuse(why, REPORT_FAILED, "5.1.1 Not a login name");
	error = look_up(login, &storage, &pw);
	if (pw == NULL && error != 0) {
		result_set_error(why, REPORT_SCOPE_RECIPIENT, error,
		    "Cannot look up the account");
		return -1;
	}
	if (pw == NULL)
		return refuse(why, REPORT_FAILED, "5.1.1 No such user");
	if (check_entry(pw, why) == -1)
		return -1;
	strlcpy(owner->login, login, sizeof(owner->login));
	strlcpy(owner->home, pw->pw_dir, sizeof(owner->home));
	owner->uid = pw->pw_uid;
	owner->gid = pw->pw_gid;
	return 0;
}
