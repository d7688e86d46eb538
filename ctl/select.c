#include "ctl/select.h"

void
select_list(struct message *m, uint64_t id, const struct filter *f)
{
	m->ctl_list = (struct message_ctl_list){
		.id = id,
		.sender = f->sender,
		.recipient = f->recipient,
		.destination = f->destination,
		.text = f->reply,
		.age = f->age,
		.state = f->state,
		.size = f->size,
	};
}

void
select_act(struct message *m, enum ctl_verb verb, bool dry_run, uint64_t id,
    const struct filter *f, const char *to)
{
	m->ctl_act = (struct message_ctl_act){
		.verb = (uint8_t)verb,
		.dry_run = dry_run,
		.id = id,
		.sender = f->sender,
		.recipient = f->recipient,
		.destination = f->destination,
		.text = f->reply,
		.age = f->age,
		.state = f->state,
		.size = f->size,
		.to = to,
	};
}
