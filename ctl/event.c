#include "ctl/event.h"

#include <sys/types.h>

#include <inttypes.h>
#include <pwd.h>
#include <string.h>

#include "common/id.h"
#include "common/mail.h"
#include "common/via.h"
#include "ctl/fold.h"
#include "ctl/format.h"

#define INDENT 4
#define LONGEST_HOST (2 * LIMIT_DOMAIN)

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

static unsigned int
width_of(const struct ctl *ctl)
{
	return ctl->terminal && ctl->width > FOLD_WIDTH / 2 ? ctl->width
							    : FOLD_WIDTH;
}

static void
begin(struct fold *f, const struct ctl *ctl)
{
	fold_begin(f, ctl->out, width_of(ctl), INDENT, 0);
}

/* -- What happened to whom ------------------------------------------------ */

static void
print_head(const struct ctl *ctl, const struct message_ctl_event *e)
{
	struct format_text time = format_time_local(e->time);
	const char *id = id_format(e->id).text,
		   *what = event_kind_name(e->what);
	unsigned int column =
	    (unsigned int)(strlen(time.text) + strlen(id) + strlen(what) + 2);
	struct fold f;

	fprintf(ctl->out, "%s %s %s%s%s", time.text, id,
	    ctl->colour ? colour_of(e->what) : "", what,
	    ctl->colour ? "\033[0m" : "");
	fold_begin(&f, ctl->out, width_of(ctl), INDENT, column);
	if (e->what == EVENT_ACCEPTED) {
		fold_word(&f, "from");
		fold_word(&f, e->sender[0] != '\0' ? e->sender : "<>");
		fold_word(&f, "to");
	}
	if (e->address[0] != '\0')
		fold_word(&f, e->address);
	fold_end(&f);
}

static void
print_dropped(const struct ctl *ctl, const struct message_ctl_event *e)
{
	struct fold f;

	if (e->dropped == 0)
		return;
	begin(&f, ctl);
	fold_format(&f, "(%" PRIu32, e->dropped);
	fold_words(&f, "events before this one were too many to be kept)");
	fold_end(&f);
}

/* -- The other end -------------------------------------------------------- */

/* "name [address]:25", as far as it is known. */
static void
add_host(struct fold *f, const struct message_ctl_event *e)
{
	char text[LONGEST_HOST];

	if (e->peer[0] == '\0') {
		fold_format(f, "%s,", e->host);
		return;
	}
	if (e->host[0] != '\0')
		fold_word(f, e->host);
	if (e->port != 0)
		snprintf(text, sizeof(text), "[%s]:%u,", e->peer,
		    (unsigned int)e->port);
	else
		snprintf(text, sizeof(text), "[%s],", e->peer);
	fold_word(f, text);
}

static void
add_tls(struct fold *f, const struct message_ctl_event *e)
{
	if (e->tls_version[0] == '\0')
		fold_words(f, "plain text,");
	else {
		fold_word(f, e->tls_version);
		fold_format(f, "%s,", e->tls_cipher);
	}
}

/* -- How it came ---------------------------------------------------------- */

static void
print_client(const struct ctl *ctl, const struct message_ctl_event *e)
{
	struct fold f;

	if (e->protocol == 0 || e->recipient != 0)
		return;
	begin(&f, ctl);
	if (e->peer[0] == '\0')
		fold_words(&f, "by this host,");
	else {
		fold_word(&f, "by");
		add_host(&f, e);
		add_tls(&f, e);
	}
	if (e->helo[0] != '\0') {
		fold_word(&f, "HELO");
		fold_format(&f, "%s,", e->helo);
	}
	if (e->user[0] != '\0') {
		fold_words(&f, "logged in as");
		fold_format(&f, "%s,", e->user);
	}
	fold_format(&f, "%s,", smtp_protocol_name(e->protocol - 1U));
	fold_format(&f, "%" PRIu64, e->size);
	fold_word(&f, "octets");
	fold_end(&f);
}

static void
print_rule(const struct ctl *ctl, const struct message_ctl_event *e)
{
	struct fold f;

	if (e->rule == 0)
		return;
	begin(&f, ctl);
	fold_words(&f, "by the rule in line");
	fold_format(&f, "%" PRIu32, e->rule);
	if (e->config[0] != '\0') {
		fold_word(&f, "of");
		fold_word(&f, e->config);
	}
	fold_end(&f);
}

static void
print_step(const struct ctl *ctl, const struct via_step *step)
{
	struct fold f;

	begin(&f, ctl);
	fold_words(&f, step->mailbox[0] != '\0' ? "by the alias" : "by");
	fold_word(&f, step->key);
	if (step->table[0] != '\0') {
		fold_words(&f, "of the table");
		fold_word(&f, step->table);
	}
	if (step->mailbox[0] != '\0') {
		fold_words(&f, "of the mailbox");
		fold_word(&f, step->mailbox);
	}
	if (step->file[0] != '\0') {
		fold_word(&f, "in");
		if (step->line != 0)
			fold_format(&f, "%s:%" PRIu32, step->file, step->line);
		else
			fold_word(&f, step->file);
	}
	fold_end(&f);
}

static void
print_via(const struct ctl *ctl, const struct message_ctl_event *e)
{
	const char *cursor = e->via;
	struct via_step step;
	enum via_kind kind;
	struct fold f;

	if (e->original[0] != '\0' && strcmp(e->original, e->address) != 0) {
		begin(&f, ctl);
		fold_words(&f, "given as");
		fold_word(&f, e->original);
		fold_end(&f);
	}
	while ((kind = via_next(&cursor, &step)) == VIA_STEP)
		print_step(ctl, &step);
	if (kind == VIA_MORE)
		fprintf(ctl->out, "%*sby more aliases\n", INDENT, "");
}

static void
print_route(const struct ctl *ctl, const struct message_ctl_event *e)
{
	struct fold f;

	begin(&f, ctl);
	if (e->route == ROUTE_MAILBOX + 1) {
		fold_words(&f, "to the mailbox");
		fold_word(&f, e->name);
		fold_word(&f, "of");
		fold_format(&f, "%s,", e->owner);
	} else if (e->route == ROUTE_RELAY + 1) {
		fold_words(&f, "to the relay");
		fold_format(&f, "%s,", e->name);
	} else if (e->route == ROUTE_MX + 1)
		fold_words(&f, "to the mail hosts of its domain,");
	fold_words(&f, "in line for");
	fold_word(&f, e->destination);
	fold_end(&f);
}

static void
print_accepted(const struct ctl *ctl, const struct message_ctl_event *e)
{
	print_client(ctl, e);
	print_rule(ctl, e);
	print_via(ctl, e);
	if (e->destination[0] != '\0')
		print_route(ctl, e);
}

/* -- How it went on -------------------------------------------------------- */

static void
print_attempt(const struct ctl *ctl, const struct message_ctl_event *e)
{
	struct fold f;

	begin(&f, ctl);
	if (e->host[0] != '\0' || e->peer[0] != '\0')
		add_host(&f, e);
	if (e->peer[0] != '\0')
		add_tls(&f, e);
	if (e->attempt != 0) {
		fold_word(&f, "attempt");
		fold_format(&f, "%" PRIu32 ",", e->attempt);
	}
	fold_word(&f, "in");
	fold_format(&f, "%" PRIu32, e->took);
	fold_word(&f, e->next_try != 0 ? "ms," : "ms");
	if (e->next_try != 0) {
		fold_word(&f, "next");
		fold_words(&f, format_time_local(e->next_try).text);
	}
	fold_end(&f);
}

static void
print_by(const struct ctl *ctl, const struct message_ctl_event *e)
{
	const struct passwd *user = getpwuid((uid_t)(e->by - 1));
	struct fold f;

	begin(&f, ctl);
	fold_word(&f, "by");
	if (user != NULL)
		fold_word(&f, user->pw_name);
	fold_format(
	    &f, user != NULL ? "(uid %" PRIu64 ")" : "uid %" PRIu64, e->by - 1);
	fold_end(&f);
}

static void
print_report(const struct ctl *ctl, const struct message_ctl_event *e)
{
	struct fold f;

	begin(&f, ctl);
	fold_words(&f, "its sender is told in");
	fold_word(&f, id_format(e->report).text);
	fold_end(&f);
}

/* A line of a reply is a paragraph. */
static void
print_detail(const struct ctl *ctl, const char *text)
{
	char line[LIMIT_REPLY + 1];
	struct fold f;

	while (*text != '\0') {
		size_t length = strcspn(text, "\n"), kept = length;

		if (kept > 0 && text[kept - 1] == '\r')
			kept--;
		snprintf(line, sizeof(line), "%.*s", (int)kept, text);
		begin(&f, ctl);
		fold_words(&f, line);
		fold_end(&f);
		text += length;
		if (*text == '\n')
			text++;
	}
}

static bool
is_attempt(const struct message_ctl_event *e)
{
	return e->attempt != 0 || e->what == EVENT_TRIED;
}

void
event_print(const struct ctl *ctl, const struct message_ctl_event *e)
{
	print_head(ctl, e);
	print_dropped(ctl, e);
	if (e->what == EVENT_ACCEPTED)
		print_accepted(ctl, e);
	else if (is_attempt(e))
		print_attempt(ctl, e);
	else if (e->host[0] != '\0')
		print_detail(ctl, e->host);
	if (e->by != 0)
		print_by(ctl, e);
	if (e->report != 0)
		print_report(ctl, e);
	print_detail(ctl, e->detail);
}
