#include "deliver/remote/transaction.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

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
	t->most = UINT_MAX;
	t->recipients = calloc(recipients, sizeof(t->recipients[0]));
	if (t->sender == NULL || t->recipients == NULL)
		transaction_free(&t);
	return t;
}

static void
recipient_clear(struct recipient *r)
{
	free(r->address);
	free(r->orcpt);
}

void
transaction_free(struct transaction **pointer)
{
	struct transaction *t = *pointer;

	*pointer = NULL;
	if (t == NULL)
		return;
	for (unsigned int i = 0; i < t->count; i++)
		recipient_clear(&t->recipients[i]);
	free(t->recipients);
	free(t->sender);
	free(t);
}

void
transaction_set_dsn(struct transaction *t, enum dsn_ret ret, const char *envid)
{
	t->ret = ret;
	strlcpy(t->envid, envid, sizeof(t->envid));
}

int
transaction_add(struct transaction *t, uint32_t number, const char *address,
    uint8_t notify, const char *orcpt)
{
	struct recipient *r = &t->recipients[t->count];

	r->address = strdup(address);
	r->orcpt = *orcpt != '\0' ? strdup(orcpt) : NULL;
	if (r->address == NULL || (*orcpt != '\0' && r->orcpt == NULL)) {
		recipient_clear(r);
		return -1;
	}
	r->number = number;
	r->notify = notify;
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
			recipient_clear(&r);
			continue;
		}
		r.accepted = r.postponed = false;
		t->recipients[kept++] = r;
	}
	t->count = kept;
}
