#include "supervisor/logins.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include <bsd/string.h>

#include "common/log.h"
#include "common/login.h"
#include "common/monotime.h"
#include "supervisor/process.h"

#define PASSWD "/etc/passwd"

static struct {
	struct monotime second; /* began then, */
	unsigned int asked;	/* and so often it was asked in it */
} state;

static bool
asks_too_much(void)
{
	struct monotime now = monotime_now();

	if (monotime_ms_between(state.second, now) >= 1000) {
		state.second = now;
		state.asked = 0;
	}
	return ++state.asked > LOGINS_A_SECOND;
}

void
logins_find(const char *passwd, uid_t uid, char *login)
{
	static char line[8192];
	struct passwd entry, *found;
	FILE *file = fopen(passwd, "re");

	login[0] = '\0';
	if (file == NULL) {
		log_warn("login-error uid=%u error=\"%s\"", (unsigned int)uid,
		    strerror(errno));
		return;
	}
	/* It ends at a line that is longer, too: then nobody is found. */
	/* cppcheck-suppress uninitvar; it is what is filled in */
	while (fgetpwent_r(file, &entry, line, sizeof(line), &found) == 0)
		if (found->pw_uid == uid &&
		    login_name_is_valid(found->pw_name)) {
			strlcpy(login, found->pw_name, LIMIT_USER + 1);
			break;
		}
	fclose(file);
}

int
logins_answer(struct process *p, const struct message_who *who)
{
	struct message m = MESSAGE_INIT(MESSAGE_LOGIN, 0);
	char login[LIMIT_USER + 1];

	if (asks_too_much())
		return -1;
	logins_find(PASSWD, who->uid, login);
	m.login.uid = who->uid;
	m.login.login = login;
	process_tell(p, &m, -1);
	return 0;
}
