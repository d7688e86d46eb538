#include "common/config.h"

#include <stdlib.h>
#include <string.h>

static void
free_texts(char **texts)
{
	for (char **t = texts; t != NULL && *t != NULL; t++)
		free(*t);
	free(texts);
}

void
rule_config_clear(struct rule_config *r)
{
	free(r->from);
	free(r->sender_domain);
	free(r->sender_domain_table);
	free(r->sender);
	free(r->to_domain);
	free(r->to_domain_table);
	free(r->to);
	free(r->mailbox);
	free(r->relay);
	free(r->reject_reply);
	*r = (struct rule_config){ 0 };
}

static void
free_things(struct config *c)
{
	for (unsigned int i = 0; i < c->stub_count; i++) {
		free(c->stubs[i].domain);
		free(c->stubs[i].server);
	}
	for (unsigned int i = 0; i < c->table_count; i++) {
		free(c->tables[i].name);
		free(c->tables[i].path);
		free_texts(c->tables[i].values);
	}
	for (unsigned int i = 0; i < c->listen_count; i++)
		free(c->listens[i].address);
	for (unsigned int i = 0; i < c->mailbox_count; i++) {
		free(c->mailboxes[i].name);
		free(c->mailboxes[i].users_table);
		free(c->mailboxes[i].aliases);
		free(c->mailboxes[i].path);
	}
	for (unsigned int i = 0; i < c->relay_count; i++) {
		free(c->relays[i].name);
		free(c->relays[i].via);
	}
	for (unsigned int i = 0; i < c->rule_count; i++)
		rule_config_clear(&c->rules[i]);
}

void
config_free(struct config **pointer)
{
	struct config *c = *pointer;

	*pointer = NULL;
	if (c == NULL)
		return;
	free_things(c);
	free(c->path);
	free(c->hostname);
	free(c->spool);
	free(c->run);
	free(c->admin);
	free_texts(c->forwards);
	free(c->stubs);
	free(c->tables);
	free(c->listens);
	free(c->mailboxes);
	free(c->relays);
	free(c->rules);
	free(c);
}

const struct table_config *
config_table(const struct config *c, const char *name)
{
	for (unsigned int i = 0; i < c->table_count; i++)
		if (strcmp(c->tables[i].name, name) == 0)
			return &c->tables[i];
	return NULL;
}

const struct mailbox_config *
config_mailbox(const struct config *c, const char *name)
{
	for (unsigned int i = 0; i < c->mailbox_count; i++)
		if (strcmp(c->mailboxes[i].name, name) == 0)
			return &c->mailboxes[i];
	return NULL;
}

const struct relay_config *
config_relay(const struct config *c, const char *name)
{
	for (unsigned int i = 0; i < c->relay_count; i++)
		if (strcmp(c->relays[i].name, name) == 0)
			return &c->relays[i];
	return NULL;
}
