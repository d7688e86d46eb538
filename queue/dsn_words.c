#include "queue/dsn_words.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "queue/dsn_address.h"
#include "queue/dsn_field.h"
#include "queue/dsn_original.h"
#include "queue/dsn_report.h"

static bool
has_action(const struct dsn_report *r, enum dsn_action action)
{
	for (unsigned int i = 0; i < r->count; i++)
		if (r->recipients[i].action == action)
			return true;
	return false;
}

const char *
dsn_words_subject(const struct dsn_report *r)
{
	if (r->is_notice)
		return "A message from this host can be given to nobody";
	if (has_action(r, DSN_FAILED))
		return "Your message could not be delivered";
	if (has_action(r, DSN_DELAYED))
		return "Your message is delayed";
	return has_action(r, DSN_DELIVERED) ? "Your message was delivered"
					    : "Your message was handed on";
}

/* A reply may be in the language of those who run that host. */
bool
dsn_words_are_utf8(const struct dsn_report *r)
{
	bool found = dsn_address_is_utf8(r->to) ||
		     (r->is_notice && dsn_address_is_utf8(r->sender));

	for (unsigned int i = 0; i < r->count && !found; i++)
		found = dsn_address_is_utf8(r->recipients[i].address) ||
			dsn_address_is_utf8(r->recipients[i].original) ||
			dsn_address_is_utf8(r->recipients[i].reply);
	return found;
}

/* -- Lines ----------------------------------------------------------------- */

static void
paragraph(FILE *out, const char *text)
{
	dsn_field_paragraph(out, 0, text);
	fputs("\r\n", out);
}

/* Indented, as all that strangers wrote: so it is never the boundary. An address
 * is not parted, so that it can be used as it stands there. */
static void
put_address(
    FILE *out, const char *before, const char *address, const char *after)
{
	char *line = NULL;

	if (asprintf(&line, "%s<%s>%s", before, address, after) == -1)
		return;
	dsn_field_line_utf8(out, 4, line);
	free(line);
}

static const char *
date_of(uint64_t seconds, char *text, size_t size)
{
	time_t time = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&time, &tm) == NULL ||
	    strftime(text, size, "%A, %d %B %Y at %H:%M UTC", &tm) == 0)
		text[0] = '\0';
	return text;
}

/* -- About what ------------------------------------------------------------ */

static void
put_message(FILE *out, const struct dsn_report *r)
{
	char date[64], subject[DSN_SUBJECT_SIZE] = "", *line = NULL;

	if (r->original != NULL)
		dsn_original_subject(r->original, r->original_length, subject);
	if (asprintf(&line,
		"This is the mail system of %s. It is about %s on %s%s",
		r->hostname,
		r->is_notice ? "a message that came"
			     : "the message that you sent",
		date_of(r->arrival, date, sizeof(date)),
		subject[0] != '\0' ? ", with the subject:" : ".") != -1) {
		paragraph(out, line);
		free(line);
	}
	if (subject[0] != '\0') {
		dsn_field_paragraph(out, 4, subject);
		fputs("\r\n", out);
	}
	if (r->is_notice && r->sender[0] == '\0')
		paragraph(out, "It has no sender who could be told.");
	else if (r->is_notice) {
		paragraph(out, "Its sender is:");
		put_address(out, "", r->sender, "");
		fputs("\r\n", out);
	}
}

/* -- To whom --------------------------------------------------------------- */

static const char *
words_of(enum dsn_action action)
{
	switch (action) {
	case DSN_FAILED:
		return "It could not be delivered to:";
	case DSN_DELAYED:
		return "It has not been delivered yet to:";
	case DSN_DELIVERED:
		return "It was delivered to:";
	case DSN_RELAYED:
		return "It was handed to another host, which will not say "
		       "whether it was delivered, for:";
	case DSN_EXPANDED:
		return "It was accepted, and goes on to several others, for:";
	}
	return "";
}

/* Each line of a reply on a line of its own. */
static void
put_reply(FILE *out, const char *reply)
{
	void (*put)(FILE *, int, const char *) = dsn_address_is_utf8(reply)
						     ? dsn_field_paragraph_utf8
						     : dsn_field_paragraph;
	char *copy = strdup(reply), *rest = copy, *line;

	while (copy != NULL && (line = strsep(&rest, "\r\n")) != NULL)
		if (*line != '\0')
			put(out, 8, line);
	free(copy);
}

/* A reply without the code of one is what this host noted. */
static void
put_reason(
    FILE *out, const struct dsn_report *r, const struct dsn_recipient *to)
{
	bool is_other =
	    to->host[0] != '\0' && strcmp(to->host, r->hostname) != 0;
	char *line = NULL;

	if (to->reply[0] == '\0') {
		dsn_field_paragraph(out, 4, "No reason is known.");
		return;
	}
	if (!is_other)
		dsn_field_paragraph(out, 4,
		    to->untried ? "It was not tried. This host says:"
				: "This host says:");
	else if (asprintf(&line, "%s%s%s",
		     dsn_status_is_smtp(to->reply) ? "" : "The attempt with ",
		     to->host,
		     dsn_status_is_smtp(to->reply) ? " said:" : " failed:") !=
		 -1) {
		dsn_field_paragraph(out, 4, line);
		free(line);
	}
	put_reply(out, to->reply);
}

static void
put_recipient(
    FILE *out, const struct dsn_report *r, const struct dsn_recipient *to)
{
	char date[64], *line = NULL;

	put_address(out, "", to->address, "");
	if (strcasecmp(to->address, to->original) != 0)
		put_address(out, "(you wrote to ", to->original, ")");
	if (to->reply[0] != '\0' || to->action == DSN_FAILED ||
	    to->action == DSN_DELAYED)
		put_reason(out, r, to);
	if (to->action == DSN_FAILED && dsn_status_is_given_up(to->reply))
		dsn_field_paragraph(out, 4,
		    "That was no final answer, but it is not tried again.");
	if (to->action == DSN_DELAYED && to->retry_until != 0 &&
	    asprintf(&line, "It will be tried until %s.",
		date_of(to->retry_until, date, sizeof(date))) != -1) {
		dsn_field_paragraph(out, 4, line);
		free(line);
	}
	fputs("\r\n", out);
}

static void
put_action(FILE *out, const struct dsn_report *r, enum dsn_action action)
{
	if (!has_action(r, action))
		return;
	paragraph(out, words_of(action));
	for (unsigned int i = 0; i < r->count; i++)
		if (r->recipients[i].action == action)
			put_recipient(out, r, &r->recipients[i]);
}

/* -- What to do ------------------------------------------------------------ */

static void
put_advice(FILE *out, const struct dsn_report *r)
{
	if (has_action(r, DSN_DELAYED))
		paragraph(out,
		    "What is delayed is tried again by itself: you need not "
		    "send it again. You will be told if it cannot be delivered "
		    "in the end.");
	if (!has_action(r, DSN_FAILED))
		return;
	if (r->is_notice)
		paragraph(out,
		    "Its sender could not be told, so this comes to you, the "
		    "administrator. Nothing more is sent about it.");
	else
		paragraph(out,
		    "What could not be delivered is not tried again. Please "
		    "look whether the address is right. If it is, ask those "
		    "whom you write to in another way, and show the reason "
		    "above to whoever looks after their mail: it says what is "
		    "wrong there.");
}

static const char *
words_about(enum dsn_returned returned)
{
	switch (returned) {
	case DSN_RETURN_NOTHING:
		return "The message itself cannot be read any more.";
	case DSN_RETURN_HEADER:
		return "The header of the message follows.";
	case DSN_RETURN_LARGE:
		return "The message is too large to come back: only its header "
		       "follows.";
	case DSN_RETURN_UNSOUND:
		return "The message holds what cannot be sent back: only its "
		       "header follows.";
	case DSN_RETURN_ALL:
		return "The message follows.";
	}
	return "";
}

void
dsn_words_put(FILE *out, const struct dsn_report *r, enum dsn_returned returned)
{
	char *line = NULL;

	put_message(out, r);
	put_action(out, r, DSN_FAILED);
	put_action(out, r, DSN_DELAYED);
	put_action(out, r, DSN_DELIVERED);
	put_action(out, r, DSN_RELAYED);
	put_action(out, r, DSN_EXPANDED);
	put_advice(out, r);
	if (asprintf(&line, "%s Here it has the number %s.",
		words_about(returned), r->id) == -1)
		return;
	paragraph(out, line);
	free(line);
}
