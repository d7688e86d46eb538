#include "queue/dsn_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/content.h"
#include "common/mail.h"
#include "queue/dsn_field.h"
#include "queue/dsn_original.h"

#define BOUNDARY_SIZE 64

enum returned { RETURN_NOTHING, RETURN_HEADER, RETURN_ALL };

/* What a report is made with, besides what it says. */
struct making {
	const struct dsn_report *report;
	FILE *out;
	enum returned returned;
	bool is_8bit;
	bool any_failed;
	bool any_delayed;
	char boundary[BOUNDARY_SIZE];
};

/* -- Before writing -------------------------------------------------------- */

static void
look_at_recipients(struct making *m)
{
	for (unsigned int i = 0; i < m->report->count; i++) {
		enum dsn_action action = m->report->recipients[i].action;

		m->any_failed |= action == DSN_FAILED;
		m->any_delayed |= action == DSN_DELAYED;
	}
}

/* RFC 3461 4.3: RET is about failure; other reports have no use for more than
 * the header. */
static void
choose_returned(struct making *m)
{
	const struct dsn_report *r = m->report;

	m->returned = r->original == NULL ? RETURN_NOTHING : RETURN_HEADER;
	if (m->returned == RETURN_NOTHING || !m->any_failed ||
	    r->ret == DSN_RET_HDRS || !r->original_is_whole ||
	    r->original_length > DSN_RETURN_MOST)
		return;
	if (dsn_original_is_sound(r->original, r->original_length, &m->is_8bit))
		m->returned = RETURN_ALL;
	else
		m->is_8bit = false;
}

/* Only the message could hold such a line. */
static void
choose_boundary(struct making *m)
{
	const struct dsn_report *r = m->report;
	unsigned int number = 0;

	do
		snprintf(m->boundary, sizeof(m->boundary), "=_report_%.20s_%u",
		    r->id, number++);
	while (m->returned != RETURN_NOTHING &&
	       memmem(r->original, r->original_length, m->boundary,
		   strlen(m->boundary)) != NULL);
}

/* -- The header ------------------------------------------------------------ */

static const char *
subject_of(const struct making *m)
{
	if (m->report->is_notice)
		return "A message from this host can be given to nobody";
	if (m->any_failed)
		return "Your message could not be delivered";
	return m->any_delayed ? "Your message is delayed"
			      : "Your message was delivered";
}

static void
put_header(const struct making *m)
{
	const struct dsn_report *r = m->report;
	char id[DSN_MESSAGE_ID_SIZE] = "";

	dsn_field_date(m->out, "Date", r->now);
	dsn_field_format(
	    m->out, "From", "Mail system <MAILER-DAEMON@%s>", r->hostname);
	dsn_field_format(m->out, "To", "<%s>", r->to);
	dsn_field_put(m->out, "Subject", subject_of(m));
	dsn_field_format(m->out, "Message-ID", "<%s.%" PRIu64 ".report@%s>",
	    r->id, r->now, r->hostname);
	if (r->original != NULL)
		dsn_original_message_id(r->original, r->original_length, id);
	dsn_field_put(m->out, "In-Reply-To", id);
	dsn_field_put(m->out, "References", id);
	/* RFC 3834 5: no machine answers this. */
	dsn_field_put(m->out, "Auto-Submitted", "auto-replied");
	dsn_field_put(m->out, "MIME-Version", "1.0");
	fprintf(m->out,
	    "Content-Type: multipart/report; report-type=delivery-status;\r\n"
	    " boundary=\"%s\"\r\n",
	    m->boundary);
	dsn_field_put(
	    m->out, "Content-Transfer-Encoding", m->is_8bit ? "8bit" : "7bit");
	fputs("\r\n", m->out);
}

static void
begin_part(const struct making *m, const char *type)
{
	fprintf(m->out, "\r\n--%s\r\nContent-Type: %s\r\n", m->boundary, type);
}

/* -- For people ------------------------------------------------------------ */

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
		return "It was handed to a host that sends no reports, for:";
	}
	return "";
}

static void
paragraph(const struct making *m, const char *text)
{
	dsn_field_paragraph(m->out, 0, text);
	fputs("\r\n", m->out);
}

static void
tell_recipient(const struct making *m, const struct dsn_recipient *to)
{
	char *line = NULL;

	fprintf(m->out, "    <%.600s>\r\n", to->address);
	if (strcasecmp(to->address, to->original) != 0)
		fprintf(m->out, "    (sent to <%.600s>)\r\n", to->original);
	if (asprintf(&line, "%s%s%s",
		to->host[0] != '\0' ? to->host : "this host",
		to->reply[0] != '\0' ? " said: " : " gave no reason",
		to->reply) != -1) {
		dsn_field_paragraph(m->out, 8, line);
		free(line);
	}
	fputs("\r\n", m->out);
}

static void
tell_action(const struct making *m, enum dsn_action action)
{
	bool begun = false;

	for (unsigned int i = 0; i < m->report->count; i++) {
		const struct dsn_recipient *to = &m->report->recipients[i];

		if (to->action != action)
			continue;
		if (!begun)
			paragraph(m, words_of(action));
		begun = true;
		tell_recipient(m, to);
	}
}

static void
tell_what_to_do(const struct making *m)
{
	if (m->any_delayed)
		paragraph(m, "What is delayed is tried again by itself: you "
			     "need not send it again. You will be told if it "
			     "cannot be delivered in the end.");
	if (!m->any_failed)
		return;
	if (m->report->is_notice) {
		paragraph(m, "Its sender could not be told, so this comes to "
			     "you, the administrator. Nothing more is sent "
			     "about it.");
		return;
	}
	paragraph(m, "What could not be delivered is not tried again. Please "
		     "look whether the address is right. If it is, the reason "
		     "that is given above tells the administrator of the "
		     "other side what is wrong there.");
}

static void
put_words(const struct making *m)
{
	const struct dsn_report *r = m->report;
	char *line = NULL;

	begin_part(m, "text/plain; charset=us-ascii");
	fputs("\r\n", m->out);
	if (asprintf(&line,
		"This is the mail system of %s, about the message %s%s%s%s.",
		r->hostname, r->id, r->is_notice ? " from <" : " that you sent",
		r->is_notice ? r->sender : "", r->is_notice ? ">" : "") != -1) {
		paragraph(m, line);
		free(line);
	}
	tell_action(m, DSN_FAILED);
	tell_action(m, DSN_DELAYED);
	tell_action(m, DSN_DELIVERED);
	tell_action(m, DSN_RELAYED);
	tell_what_to_do(m);
	if (m->returned == RETURN_HEADER)
		paragraph(m, "The header of the message follows.");
	else if (m->returned == RETURN_ALL)
		paragraph(m, "The message follows.");
}

/* -- For programs ---------------------------------------------------------- */

/* What xtext says, in place: it is a valid one (common/dsn.h), or stays as it
 * is. */
static char *
decode(const char *xtext)
{
	char *text = strdup(xtext), *to = text;

	if (text == NULL)
		return NULL;
	for (const char *from = xtext; *from != '\0'; to++) {
		char digits[3] = "";

		if (*from == '+' && from[1] != '\0' && from[2] != '\0') {
			memcpy(digits, from + 1, 2);
			*to = (char)strtoul(digits, NULL, 16);
			from += 3;
		} else
			*to = *from++;
	}
	*to = '\0';
	return text;
}

static void
put_decoded(const struct making *m, const char *name, const char *xtext)
{
	char *text = decode(xtext);

	if (text != NULL)
		dsn_field_put(m->out, name, text);
	free(text);
}

static void
put_orcpt(const struct making *m, const struct dsn_recipient *to)
{
	if (to->orcpt[0] != '\0')
		put_decoded(m, "Original-Recipient", to->orcpt);
	else if (strcasecmp(to->address, to->original) != 0)
		dsn_field_format(
		    m->out, "Original-Recipient", "rfc822; %s", to->original);
}

static void
put_recipient(const struct making *m, const struct dsn_recipient *to)
{
	char status[DSN_STATUS_SIZE];

	dsn_status_of(to->action, to->reply, status);
	fputs("\r\n", m->out);
	put_orcpt(m, to);
	dsn_field_format(m->out, "Final-Recipient", "rfc822; %s", to->address);
	dsn_field_put(m->out, "Action", dsn_action_name(to->action));
	dsn_field_put(m->out, "Status", status);
	if (to->host[0] != '\0')
		dsn_field_format(m->out, "Remote-MTA", "dns; %s", to->host);
	if (to->reply[0] != '\0')
		dsn_field_format(m->out, "Diagnostic-Code", "%s; %s",
		    dsn_status_is_smtp(to->reply) ? "smtp" : "x-postern",
		    to->reply);
	if (to->last != 0)
		dsn_field_date(m->out, "Last-Attempt-Date", to->last);
	if (to->action == DSN_DELAYED && to->retry_until != 0)
		dsn_field_date(m->out, "Will-Retry-Until", to->retry_until);
}

static void
put_status(const struct making *m)
{
	const struct dsn_report *r = m->report;

	begin_part(m, "message/delivery-status");
	fputs("\r\n", m->out);
	if (r->envid[0] != '\0')
		put_decoded(m, "Original-Envelope-Id", r->envid);
	dsn_field_format(m->out, "Reporting-MTA", "dns; %s", r->hostname);
	dsn_field_put(m->out, "X-Postern-Id", r->id);
	dsn_field_date(m->out, "Arrival-Date", r->arrival);
	for (unsigned int i = 0; i < r->count; i++)
		put_recipient(m, &r->recipients[i]);
}

/* -- What comes back ------------------------------------------------------- */

/* Line by line, 7-bit: this is a text about a header, and nobody's message. */
static void
put_returned_header(const struct making *m)
{
	const char *data = m->report->original;
	size_t length = dsn_original_header(data, m->report->original_length);
	size_t column = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c == '\r')
			continue;
		if (c == '\n' || column == 990) {
			fputs("\r\n", m->out);
			column = 0;
		}
		if (c == '\n')
			continue;
		fputc(c > '~' || (c < ' ' && c != '\t') ? '?' : c, m->out);
		column++;
	}
}

static void
put_returned(const struct making *m)
{
	const struct dsn_report *r = m->report;

	if (m->returned == RETURN_NOTHING)
		return;
	if (m->returned == RETURN_HEADER) {
		begin_part(m, "text/rfc822-headers; charset=us-ascii");
		fputs("\r\n", m->out);
		put_returned_header(m);
		return;
	}
	begin_part(m, "message/rfc822");
	dsn_field_put(
	    m->out, "Content-Transfer-Encoding", m->is_8bit ? "8bit" : "7bit");
	fputs("\r\n", m->out);
	fwrite(r->original, 1, r->original_length, m->out);
}

/* -- All of it ------------------------------------------------------------- */

static int
seal(const char *data, size_t size)
{
	int fd = content_create(), error;

	if (fd == -1)
		return -1;
	if (content_write(fd, data, size) == 0 && content_seal(fd) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static void
put_all(const struct making *m)
{
	put_header(m);
	put_words(m);
	put_status(m);
	put_returned(m);
	fprintf(m->out, "\r\n--%s--\r\n", m->boundary);
}

int
dsn_report_make(const struct dsn_report *report, struct dsn_made *made)
{
	struct making m = { .report = report };
	char *data = NULL;
	size_t size = 0;
	bool failed;
	int fd = -1;

	look_at_recipients(&m);
	choose_returned(&m);
	choose_boundary(&m);
	m.out = open_memstream(&data, &size);
	if (m.out == NULL)
		return -1;
	put_all(&m);
	failed = ferror(m.out) != 0;
	failed |= fclose(m.out) != 0;
	if (failed)
		errno = ENOMEM;
	else
		fd = seal(data, size);
	free(data);
	*made = (struct dsn_made){ .size = size, .is_8bit = m.is_8bit };
	return fd;
}
