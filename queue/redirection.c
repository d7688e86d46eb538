#include "queue/redirection.h"

#include <stdlib.h>
#include <string.h>

#include "queue/submission.h"

static int
replace(char **text, const char *by)
{
	char *copy = strdup(by);

	if (copy == NULL)
		return -1;
	free(*text);
	*text = copy;
	return 0;
}

int
redirection_adopt(const struct redirection *d, struct submission *s)
{
	const struct row_message *m = &d->message;

	if (replace(&s->sender, m->sender) == -1 ||
	    replace(&s->client_address, m->client_address) == -1 ||
	    replace(&s->helo, m->helo) == -1 ||
	    replace(&s->user, m->user) == -1 ||
	    replace(&s->envid, m->envid) == -1)
		return -1;
	s->protocol = m->protocol;
	s->body = m->body;
	s->ret = m->ret;
	for (uint32_t i = 0; i < s->count; i++)
		if (replace(&s->recipients[i].original, d->original) == -1)
			return -1;
	return 0;
}
