#include "deliver/local/intake.h"

#include <string.h>
#include <unistd.h>

#include <bsd/string.h>

#include "common/address.h"
#include "common/content.h"
#include "common/mail.h"
#include "common/message.h"

void
intake_begin(struct intake *in)
{
	memset(in, 0, sizeof(*in));
	for (unsigned int i = 0; i < INTAKE_LETTERS; i++)
		in->letters[i].fd = -1;
}

bool
intake_has_room(const struct intake *in)
{
	return in->copy_count < INTAKE_COPIES &&
	       in->letter_count < INTAKE_LETTERS;
}

static struct letter *
free_letter(struct intake *in)
{
	for (unsigned int i = 0; i < INTAKE_LETTERS; i++)
		if (in->letters[i].fd == -1)
			return &in->letters[i];
	return NULL;
}

static bool
deliver_is_valid(const struct message *m)
{
	const struct message_deliver *d = &m->deliver;
	struct address sender;

	return d->kind == ROUTE_MAILBOX && d->recipients > 0 &&
	       d->recipients <= LIMIT_EXPANSION &&
	       d->size <= LIMIT_CONTENT_SIZE_MOST &&
	       address_parse(d->sender, ADDRESS_REVERSE_PATH, &sender) == 0 &&
	       content_check(m->fd, d->size) == 0;
}

static int
take_deliver(struct intake *in, struct message *m)
{
	struct letter *letter = free_letter(in);

	if (in->current != NULL || letter == NULL || !deliver_is_valid(m))
		return -1;
	letter->id = m->deliver.id;
	letter->size = m->deliver.size;
	letter->handle = m->handle;
	letter->expected = m->deliver.recipients;
	strlcpy(letter->sender, m->deliver.sender, sizeof(letter->sender));
	strlcpy(letter->mailbox, m->deliver.name, sizeof(letter->mailbox));
	letter->fd = message_take_fd(m);
	in->letter_count++;
	in->current = letter;
	return 0;
}

static int
take_deliver_to(struct intake *in, const struct message *m)
{
	struct letter *letter = in->current;
	struct address address;
	struct copy *copy;

	if (letter == NULL || letter->handle != m->handle ||
	    in->copy_count >= INTAKE_COPIES ||
	    address_parse(
		m->deliver_to.address, ADDRESS_FORWARD_PATH, &address) == -1)
		return -1;
	copy = &in->copies[in->copy_count++];
	copy->letter = letter;
	copy->number = m->deliver_to.number;
	copy->placed = false;
	strlcpy(copy->address, m->deliver_to.address, sizeof(copy->address));
	if (--letter->expected == 0)
		in->current = NULL;
	return 0;
}

int
intake_take(struct intake *in, struct message *m)
{
	if (m->type == MESSAGE_DELIVER)
		return take_deliver(in, m);
	if (m->type == MESSAGE_DELIVER_TO)
		return take_deliver_to(in, m);
	return -1;
}

void
intake_release(struct intake *in)
{
	for (unsigned int i = 0; i < INTAKE_LETTERS; i++) {
		struct letter *letter = &in->letters[i];

		if (letter == in->current || letter->fd == -1)
			continue;
		close(letter->fd);
		letter->fd = -1;
		in->letter_count--;
	}
	in->copy_count = 0;
}
