#include "ctl/event.h"

#include <sys/types.h>

#include <inttypes.h>
#include <pwd.h>
#include <string.h>

#include "common/id.h"
#include "common/mail.h"
#include "common/via.h"
#include "ctl/format.h"
#include "ctl/wrap.h"

#define INDENT "    "
#define HANG 4

static const char *
colour_of(unsigned int what)
{
	switch (what) {
	case EVENT_DELIVERED:
		return "\033[32m";
	case EVENT_DEFERRED:
	case EVENT_HELD:
	case EVENT_WARNED:
	case EVENT_TRIED:
	case EVENT_REDIRECTED:
		return "\033[33m";
	case EVENT_FAILED:
	case EVENT_REMOVED:
	case EVENT_BOUNCED:
	case EVENT_EXPIRED:
		return "\033[31m";
	default:
		return "\033[0m";
	}
}

/* -- What happened to whom ------------------------------------------------ */

static void
print_head(const struct ctl *ctl, const struct message_ctl_event *e)
{
	FILE *out = ctl->out;

	fprintf(out, "%s %s %s%s%s", format_time_local(e->time).text,
	    id_format(e->id).text, ctl->colour ? colour_of(e->what) : "",
	    event_kind_name(e->what), ctl->colour ? "\033[0m" : "");
	if (e->what == EVENT_ACCEPTED) {
		fputs(" from ", out);
		format_print_sender(out, e->sender);
		fputs(" to", out);
	}
	if (e->address[0] != '\0') {
		fputc(' ', out);
		format_print(out, e->address);
	}
	fputc('\n', out);
}

static void
print_dropped(FILE *out, const struct message_ctl_event *e)
{
	if (e->dropped != 0)
		fprintf(out,
		    INDENT "(%" PRIu32
			   " events before this one were too many to be "
			   "kept)\n",
		    e->dropped);
}

/* -- The other end -------------------------------------------------------- */

/* "name [address]:25," as far as it is known. */
static void
print_host(FILE *out, const struct message_ctl_event *e)
{
	format_print(out, e->host);
	if (e->peer[0] != '\0') {
		fputs(e->host[0] != '\0' ? " [" : "[", out);
		format_print(out, e->peer);
		fputc(']', out);
		if (e->port != 0)
			fprintf(out, ":%u", (unsigned int)e->port);
	}
	fputc(',', out);
}

static void
print_tls(FILE *out, const struct message_ctl_event *e)
{
	if (e->tls_version[0] == '\0') {
		fputs(" plain text,", out);
		return;
	}
	fputc(' ', out);
	format_print(out, e->tls_version);
	fputc(' ', out);
	format_print(out, e->tls_cipher);
	fputc(',', out);
}

/* -- How it came ---------------------------------------------------------- */

static void
print_client(FILE *out, const struct message_ctl_event *e)
{
	if (e->protocol == 0 || e->recipient != 0)
		return;
	fputs(INDENT "by ", out);
	if (e->peer[0] == '\0')
		fputs("this host,", out);
	else {
		print_host(out, e);
		print_tls(out, e);
	}
	if (e->helo[0] != '\0') {
		fputs(" HELO ", out);
		format_print(out, e->helo);
		fputc(',', out);
	}
	if (e->user[0] != '\0') {
		fputs(" logged in as ", out);
		format_print(out, e->user);
		fputc(',', out);
	}
	fprintf(out, " %s, %" PRIu64 " octets\n",
	    smtp_protocol_name(e->protocol - 1U), e->size);
}

static void
print_rule(FILE *out, const struct message_ctl_event *e)
{
	if (e->rule == 0)
		return;
	fprintf(out, INDENT "by the rule in line %" PRIu32, e->rule);
	if (e->config[0] != '\0') {
		fputs(" of ", out);
		format_print(out, e->config);
	}
	fputc('\n', out);
}

static void
print_step(FILE *out, const struct via_step *step)
{
	fputs(step->mailbox[0] != '\0' ? INDENT "by the alias " : INDENT "by ",
	    out);
	format_print(out, step->key);
	if (step->table[0] != '\0') {
		fputs(" of the table ", out);
		format_print(out, step->table);
	}
	if (step->mailbox[0] != '\0') {
		fputs(" of the mailbox ", out);
		format_print(out, step->mailbox);
	}
	if (step->file[0] != '\0') {
		fputs(" in ", out);
		format_print(out, step->file);
		if (step->line != 0)
			fprintf(out, ":%" PRIu32, step->line);
	}
	fputc('\n', out);
}

static void
print_via(FILE *out, const struct message_ctl_event *e)
{
	const char *cursor = e->via;
	struct via_step step;
	enum via_kind kind;

	if (e->original[0] != '\0' && strcmp(e->original, e->address) != 0) {
		fputs(INDENT "given as ", out);
		format_print(out, e->original);
		fputc('\n', out);
	}
	while ((kind = via_next(&cursor, &step)) == VIA_STEP)
		print_step(out, &step);
	if (kind == VIA_MORE)
		fputs(INDENT "by more aliases\n", out);
}

static void
print_route(FILE *out, const struct message_ctl_event *e)
{
	fputs(INDENT, out);
	if (e->route == ROUTE_MAILBOX + 1) {
		fputs("to the mailbox ", out);
		format_print(out, e->name);
		fputs(" of ", out);
		format_print(out, e->owner);
		fputs(", ", out);
	} else if (e->route == ROUTE_RELAY + 1) {
		fputs("to the relay ", out);
		format_print(out, e->name);
		fputs(", ", out);
	} else if (e->route == ROUTE_MX + 1)
		fputs("to the mail hosts of its domain, ", out);
	fputs("in line for ", out);
	format_print(out, e->destination);
	fputc('\n', out);
}

static void
print_accepted(FILE *out, const struct message_ctl_event *e)
{
	print_client(out, e);
	print_rule(out, e);
	print_via(out, e);
	if (e->destination[0] != '\0')
		print_route(out, e);
}

/* -- How it went on -------------------------------------------------------- */

static void
print_attempt(FILE *out, const struct message_ctl_event *e)
{
	fputs(INDENT, out);
	if (e->host[0] != '\0' || e->peer[0] != '\0') {
		print_host(out, e);
		if (e->peer[0] != '\0')
			print_tls(out, e);
		fputc(' ', out);
	}
	if (e->attempt != 0)
		fprintf(out, "attempt %" PRIu32 ", ", e->attempt);
	fprintf(out, "in %" PRIu32 " ms", e->took);
	if (e->next_try != 0)
		fprintf(out, ", next %s", format_time_local(e->next_try).text);
	fputc('\n', out);
}

static void
print_by(FILE *out, const struct message_ctl_event *e)
{
	const struct passwd *user = getpwuid((uid_t)(e->by - 1));

	if (user == NULL) {
		fprintf(out, INDENT "by uid %" PRIu64 "\n", e->by - 1);
		return;
	}
	fputs(INDENT "by ", out);
	format_print(out, user->pw_name);
	fprintf(out, " (uid %" PRIu64 ")\n", e->by - 1);
}

static bool
is_attempt(const struct message_ctl_event *e)
{
	return e->attempt != 0 || e->what == EVENT_TRIED;
}

static void
print(const struct ctl *ctl, const struct message_ctl_event *e)
{
	print_head(ctl, e);
	print_dropped(ctl->out, e);
	if (e->what == EVENT_ACCEPTED)
		print_accepted(ctl->out, e);
	else if (is_attempt(e))
		print_attempt(ctl->out, e);
	else
		format_print_lines(ctl->out, e->host, INDENT);
	if (e->by != 0)
		print_by(ctl->out, e);
	if (e->report != 0)
		fprintf(ctl->out, INDENT "its sender is told in %s\n",
		    id_format(e->report).text);
	format_print_lines(ctl->out, e->detail, INDENT);
}

void
event_print(const struct ctl *ctl, const struct message_ctl_event *e)
{
	struct wrap wrap;

	wrap_begin_always(&wrap, ctl);
	print(&wrap.ctl, e);
	wrap_end(&wrap, HANG);
}
