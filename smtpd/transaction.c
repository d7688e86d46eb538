#include "smtpd/transaction.h"

#include <stdlib.h>
#include <string.h>

struct transaction *
transaction_new(const char *sender)
{
	struct transaction *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->sender = strdup(sender);
	if (t->sender == NULL)
		transaction_free(&t);
	return t;
}

void
transaction_free(struct transaction **pointer)
{
	struct transaction *t = *pointer;

	*pointer = NULL;
	if (t == NULL)
		return;
	free(t->sender);
	free(t);
}

unsigned int
transaction_pending(const struct transaction *t)
{
	return t != NULL ? t->asked - t->answered : 0;
}
