#include "common/config.h"

#include <netinet/in.h>
#include <arpa/inet.h>

#include <stdlib.h>

#include "common/config_number.h"

/* In quotes, as the lexer reads it back. */
static void
print_text(FILE *out, const char *before, const char *text)
{
	fprintf(out, "%s\"", before);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void
print_line(FILE *out, const char *keyword, const char *text)
{
	print_text(out, keyword, text);
	fputc('\n', out);
}

static void
print_number(FILE *out, const char *keyword, uint64_t n, enum number_unit unit)
{
	fprintf(out, "%s ", keyword);
	number_print(out, n, unit);
	fputc('\n', out);
}

static void
print_settings(const struct config *c, FILE *out)
{
	print_line(out, "hostname ", c->hostname);
	print_line(out, "spool ", c->spool);
	print_line(out, "run ", c->run);
	if (c->admin != NULL)
		print_line(out, "admin ", c->admin);
	else
		fprintf(out, "# admin \"postmaster@%s\"\n", c->hostname);
	for (char **server = c->forwards; *server != NULL; server++)
		print_line(out, "resolver forward ", *server);
	for (unsigned int i = 0; i < c->stub_count; i++) {
		print_text(out, "resolver stub ", c->stubs[i].domain);
		print_line(out, " ", c->stubs[i].server);
	}
}

static void
print_limits(const struct config *c, FILE *out)
{
	print_number(
	    out, "limit message size", c->limit_message_size, NUMBER_SIZE);
	print_number(out, "limit store size", c->limit_store_size, NUMBER_SIZE);
	print_number(
	    out, "limit recipients", c->limit_recipients, NUMBER_PLAIN);
	print_number(
	    out, "limit connections", c->limit_connections_all, NUMBER_PLAIN);
	print_number(out, "limit connections per address", c->limit_connections,
	    NUMBER_PLAIN);
	print_number(out, "limit workers", c->limit_workers, NUMBER_PLAIN);
	fputs("retry from ", out);
	number_print(out, c->retry_from, NUMBER_DURATION);
	fputs(" to ", out);
	number_print(out, c->retry_to, NUMBER_DURATION);
	fputs(" for ", out);
	number_print(out, c->retry_for, NUMBER_DURATION);
	fputc('\n', out);
	print_number(out, "warn after", c->warn_after, NUMBER_DURATION);
	print_number(out, "history", c->history, NUMBER_DURATION);
}

static void
print_table(const struct table_config *t, FILE *out)
{
	print_text(out, "table ", t->name);
	switch (t->kind) {
	case TABLE_FILE:
		print_line(out, " file ", t->path);
		break;
	case TABLE_LIST:
		fputs(" {", out);
		for (char **value = t->values; *value != NULL; value++)
			print_text(out, " ", *value);
		fputs(" }\n", out);
		break;
	}
}

static void
print_mailbox(const struct mailbox_config *m, FILE *out)
{
	print_text(out, "mailbox ", m->name);
	switch (m->users) {
	case MAILBOX_USERS_SYSTEM:
		fputs(" users system", out);
		break;
	case MAILBOX_USERS_TABLE:
		print_text(out, " users table ", m->users_table);
		break;
	}
	if (m->aliases != NULL)
		print_text(out, " aliases ", m->aliases);
	switch (m->format) {
	case MAILBOX_MAILDIR:
		print_line(out, " deliver maildir ", m->path);
		break;
	}
}

static void
print_relay(const struct relay_config *r, FILE *out)
{
	print_text(out, "relay ", r->name);
	print_text(out, " via ", r->via);
	fprintf(out, " port %u\n", r->port);
}

static void
print_from(const struct rule_config *r, FILE *out)
{
	if (r->from_local)
		fputs(" from local", out);
	else if (r->from_authenticated)
		fputs(" from authenticated", out);
	else if (r->from_count == 0)
		fputs(" from any", out);
	else
		fputs(" from address", out);
	for (unsigned int i = 0; i < r->from_count; i++) {
		char *text = network_format(&r->from[i]);

		fprintf(out, " %s", text != NULL ? text : "?");
		free(text);
	}
}

static void
print_rule(const struct rule_config *r, FILE *out)
{
	fputs(r->action == RULE_REJECT ? "reject" : "accept", out);
	print_from(r, out);
	if (r->sender != NULL)
		print_text(out, " sender ", r->sender);
	if (r->sender_domain != NULL)
		print_text(out, " sender domain ", r->sender_domain);
	if (r->sender_domain_table != NULL)
		print_text(
		    out, " sender domain table ", r->sender_domain_table);
	if (r->to != NULL)
		print_text(out, " to ", r->to);
	else if (r->to_domain != NULL)
		print_text(out, " to domain ", r->to_domain);
	else if (r->to_domain_table != NULL)
		print_text(out, " to domain table ", r->to_domain_table);
	else
		fputs(" to any", out);
	switch (r->action) {
	case RULE_MAILBOX:
		print_line(out, " mailbox ", r->mailbox);
		break;
	case RULE_RELAY:
		fputs(" relay", out);
		if (r->relay != NULL)
			print_text(out, " ", r->relay);
		fputc('\n', out);
		break;
	case RULE_REJECT:
		fprintf(out, " with \"%u ", r->reject_code);
		for (const char *c = r->reject_reply; *c != '\0'; c++)
			fprintf(
			    out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
		fputs("\"\n", out);
		break;
	}
}

void
config_print(const struct config *c, FILE *out)
{
	print_settings(c, out);
	print_limits(c, out);
	for (unsigned int i = 0; i < c->table_count; i++)
		print_table(&c->tables[i], out);
	for (unsigned int i = 0; i < c->listen_count; i++)
		fprintf(out, "listen on %s port %u\n", c->listens[i].address,
		    c->listens[i].port);
	for (unsigned int i = 0; i < c->mailbox_count; i++)
		print_mailbox(&c->mailboxes[i], out);
	for (unsigned int i = 0; i < c->relay_count; i++)
		print_relay(&c->relays[i], out);
	for (unsigned int i = 0; i < c->rule_count; i++)
		print_rule(&c->rules[i], out);
}
