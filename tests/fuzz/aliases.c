/*
 * The text of an aliases file, then the expansion of each of its keys, with
 * this file instead of table.c and users.c: every third name is a user.
 */
#include <assert.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/string.h>

#include "common/config_load.h"
#include "common/log.h"
#include "router/aliases.h"
#include "router/expand.h"
#include "router/table_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEYS_MOST 64 /* expanded of one input */

static const char configuration[] =
    "hostname \"mail.example.org\"\n"
    "listen on 127.0.0.1 port 25\n"
    "table \"aliases\" file \"/nonexistent\"\n"
    "mailbox \"people\" users system aliases \"aliases\" deliver maildir "
    "\"~/Maildir\"\n"
    "accept to domain \"here.example\" mailbox \"people\"\n"
    "accept to domain \"also.example\" mailbox \"people\"\n"
    "reject to domain \"closed.example\"\n"
    "accept from local relay\n";

static struct table_text text;

struct table *
tables_find(const struct tables *tables, const char *name)
{
	(void)tables;
	(void)name;
	return (struct table *)&text;
}

enum table_result
table_lookup(struct table *table, const char *key, struct table_value *value)
{
	char lower[LIMIT_PATH + 1];
	const struct table_entry *entry;

	(void)table;
	assert(strlcpy(lower, key, sizeof(lower)) < sizeof(lower));
	for (char *c = lower; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	entry = table_text_find(&text, lower);
	if (entry == NULL)
		return TABLE_NONE;
	*value = (struct table_value){ entry->value, "aliases", entry->line };
	return TABLE_FOUND;
}

enum user_result
users_find(struct users *users, const struct mailbox_config *mailbox,
    const char *name, char login[LIMIT_USER + 1])
{
	(void)users;
	(void)mailbox;
	if (name[0] == '?')
		return USER_ERROR;
	if (strlen(name) > LIMIT_USER || strlen(name) % 3 != 0)
		return USER_NONE;
	strlcpy(login, name, LIMIT_USER + 1);
	return USER_FOUND;
}

static void
on_fault(unsigned int line, const char *why, void *context)
{
	(void)context;
	assert(line > 0 && why != NULL);
}

static void
check_entries(void)
{
	for (size_t i = 0; i < text.count; i++) {
		const struct table_entry *entry = &text.entries[i];

		assert(entry->key[0] != '\0' && entry->line > 0);
		for (const char *c = entry->key; *c != '\0'; c++)
			assert(!isupper((unsigned char)*c));
		assert(
		    i == 0 || strcmp(text.entries[i - 1].key, entry->key) < 0);
		assert(table_text_find(&text, entry->key) == entry);
	}
}

/* What an item gives is an address, as any other program will see it. */
static void
check_items(const char *value)
{
	struct alias_item item;
	struct address again;
	enum alias_kind kind;
	const char *before = value;

	while (
	    (kind = alias_next(&value, "here.example", &item)) != ALIAS_END) {
		assert(value > before);
		before = value;
		if (kind != ALIAS_ADDRESS)
			continue;
		assert(address_parse(item.address.text, 0, &again) == 0);
		assert(strcmp(item.address.text, again.text) == 0);
		assert(item.address.domain[0] != '\0');
	}
	assert(*value == '\0');
}

static void
check_routes(const struct expansion *out)
{
	const struct route *route;
	unsigned int count = 0;
	struct address address;

	STAILQ_FOREACH (route, &out->routes.list, next) {
		assert(address_parse(route->address, 0, &address) == 0);
		assert(strlen(route->user) <= LIMIT_USER);
		assert(
		    (route->kind == ROUTE_MAILBOX) == (route->user[0] != '\0'));
		count++;
	}
	assert(count == out->routes.count && count <= LIMIT_EXPANSION);
	assert(reply_is_positive(&out->reply) == (count > 0));
	assert(count > 0 || out->reply.code / 100 == 4 ||
	       out->reply.code / 100 == 5);
}

static void
expand_key(const struct expander *expander, const char *key)
{
	struct expansion out;
	struct address sender = { .text = "" }, to;
	const struct rule_facts facts = { .sender = &sender };

	if (address_make(key, "here.example", &to) == -1)
		return;
	expand_recipient(expander, 1, &facts, &to, &out);
	check_routes(&out);
	routes_clear(&out.routes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config *config;
	struct expander expander;
	char *copy = malloc(size + 1);

	if (config == NULL) {
		log_open(open("/dev/null", O_WRONLY | O_CLOEXEC),
		    LOG_FORM_STDERR, false);
		config = config_parse("fuzz.conf", configuration,
		    sizeof(configuration) - 1, stderr);
		assert(config != NULL);
	}
	if (copy == NULL)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	if (table_text_parse(&text, copy, size, on_fault, NULL) == 0) {
		check_entries();
		expander = (struct expander){ config, NULL, NULL };
		for (size_t i = 0; i < text.count; i++)
			check_items(text.entries[i].value);
		for (size_t i = 0; i < text.count && i < KEYS_MOST; i++)
			expand_key(&expander, text.entries[i].key);
		expand_key(&expander, "postmaster");
		table_text_clear(&text);
	}
	free(copy);
	return 0;
}
