#include "deliver/remote/transaction.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* `recipients` has room for as many as were promised; `count` says how many
 * are there. */
struct transaction *
transaction_new(const char *sender, enum smtp_body body, uint64_t size,
    unsigned int recipients)
{
	struct transaction *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->sender = strdup(sender);
	t->body = body;
	t->size = size;
	t->recipients = calloc(recipients, sizeof(t->recipients[0]));
	if (t->sender == NULL || t->recipients == NULL)
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
	for (unsigned int i = 0; i < t->count; i++)
		free(t->recipients[i].address);
	free(t->recipients);
	free(t->sender);
	free(t);
}

int
transaction_add(struct transaction *t, uint32_t number, const char *address)
{
	struct recipient *r = &t->recipients[t->count];

	r->address = strdup(address);
	if (r->address == NULL)
		return -1;
	r->number = number;
	t->count++;
	return 0;
}

void
transaction_compact(struct transaction *t)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < t->count; i++) {
		struct recipient r = t->recipients[i];

		if (r.settled) {
			free(r.address);
			continue;
		}
		r.accepted = false;
		t->recipients[kept++] = r;
	}
	t->count = kept;
}
