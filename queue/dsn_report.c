#include "queue/dsn_report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/content.h"
#include "common/mail.h"
#include "queue/dsn_address.h"
#include "queue/dsn_field.h"
#include "queue/dsn_original.h"
#include "queue/dsn_words.h"

#define BOUNDARY_SIZE 64

/* What a report is made with, besides what it says. */
struct making {
	const struct dsn_report *report;
	FILE *out;
	enum dsn_returned returned;
	bool is_original_8bit;
	bool is_original_utf8; /* its header */
	bool are_words_utf8;
	bool is_utf8; /* the header, and the fields */
	char boundary[BOUNDARY_SIZE];
};

/* -- Before writing -------------------------------------------------------- */

static bool
any_failed(const struct dsn_report *r)
{
	for (unsigned int i = 0; i < r->count; i++)
		if (r->recipients[i].action == DSN_FAILED)
			return true;
	return false;
}

/* RFC 3461 4.3: RET is about failure; other reports have no use for more than
 * the header. */
static enum dsn_returned
choose_returned(const struct dsn_report *r, bool *is_8bit)
{
	if (r->original == NULL)
		return DSN_RETURN_NOTHING;
	if (!any_failed(r) || r->ret == DSN_RET_HDRS)
		return DSN_RETURN_HEADER;
	if (!r->original_is_whole || r->original_length > DSN_RETURN_MOST)
		return DSN_RETURN_LARGE;
	if (dsn_original_is_sound(r->original, r->original_length, is_8bit))
		return DSN_RETURN_ALL;
	*is_8bit = false;
	return DSN_RETURN_UNSOUND;
}

static bool
returns_header(const struct making *m)
{
	return m->returned != DSN_RETURN_NOTHING &&
	       m->returned != DSN_RETURN_ALL;
}

/* RFC 6533 4.5: a header in UTF-8 comes back as it is only to those who can
 * have sent it. */
static void
prepare(struct making *m)
{
	const struct dsn_report *r = m->report;

	m->returned = choose_returned(r, &m->is_original_8bit);
	m->are_words_utf8 = dsn_words_are_utf8(r);
	m->is_utf8 = dsn_address_is_utf8(r->to);
	m->is_original_utf8 =
	    m->is_utf8 && r->original != NULL &&
	    dsn_original_is_utf8(r->original, r->original_length);
	m->is_original_8bit |= returns_header(m) && m->is_original_utf8;
}

static bool
is_8bit(const struct making *m)
{
	return m->is_original_8bit || m->are_words_utf8 || m->is_utf8;
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
	while (m->returned != DSN_RETURN_NOTHING &&
	       memmem(r->original, r->original_length, m->boundary,
		   strlen(m->boundary)) != NULL);
}

/* -- The header ------------------------------------------------------------ */

static void
put_encoding(const struct making *m, bool is_8bit)
{
	dsn_field_put(
	    m->out, "Content-Transfer-Encoding", is_8bit ? "8bit" : "7bit");
}

static void
begin_part(const struct making *m, const char *description, const char *type,
    bool is_8bit)
{
	fprintf(m->out, "\r\n--%s\r\nContent-Type: %s\r\n", m->boundary, type);
	put_encoding(m, is_8bit);
	dsn_field_put(m->out, "Content-Description", description);
	fputs("\r\n", m->out);
}

static void
put_to(const struct making *m)
{
	char *value = NULL;

	if (asprintf(&value, "<%s>", m->report->to) == -1)
		return;
	dsn_field_put_exact_utf8(m->out, "To", value);
	free(value);
}

static void
put_header(const struct making *m)
{
	const struct dsn_report *r = m->report;
	char id[DSN_MESSAGE_ID_SIZE] = "";

	dsn_field_date(m->out, "Date", r->now);
	dsn_field_format(
	    m->out, "From", "Mail system <MAILER-DAEMON@%s>", r->hostname);
	put_to(m);
	dsn_field_put(m->out, "Subject", dsn_words_subject(r));
	dsn_field_format(m->out, "Message-ID",
	    "<%s.%" PRIu64 DSN_MESSAGE_ID_END "%s>", r->id, r->now,
	    r->hostname);
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
	put_encoding(m, is_8bit(m));
	fputs("\r\n", m->out);
}

/* -- For programs ---------------------------------------------------------- */

/* RFC 3461 6.3: Original-Recipient is what came as ORCPT, or not there. The
 * address before the aliases of this host has a field of our own. */
static void
put_addresses(const struct making *m, const struct dsn_recipient *to)
{
	if (to->orcpt[0] != '\0')
		dsn_address_put_orcpt(
		    m->out, "Original-Recipient", to->orcpt, m->is_utf8);
	dsn_address_put(m->out, "Final-Recipient", to->address, m->is_utf8);
}

/* RFC 3464 2.3.5: not if this host tried to deliver it itself. */
static void
put_remote(const struct making *m, const struct dsn_recipient *to)
{
	if (strcmp(to->host, m->report->hostname) != 0)
		dsn_address_put_host(m->out, "Remote-MTA", to->host);
}

static void
put_recipient(const struct making *m, const struct dsn_recipient *to)
{
	char status[DSN_STATUS_SIZE];

	dsn_status_of(to->action, to->reply, status);
	fputs("\r\n", m->out);
	put_addresses(m, to);
	dsn_field_put(m->out, "Action", dsn_action_name(to->action));
	dsn_field_put(m->out, "Status", status);
	put_remote(m, to);
	if (to->reply[0] != '\0')
		dsn_field_format(m->out, "Diagnostic-Code", "%s; %s",
		    dsn_status_is_smtp(to->reply) ? "smtp" : "x-postern",
		    to->reply);
	if (to->last != 0)
		dsn_field_date(m->out, "Last-Attempt-Date", to->last);
	if (to->action == DSN_DELAYED && to->retry_until != 0)
		dsn_field_date(m->out, "Will-Retry-Until", to->retry_until);
	if (strcasecmp(to->address, to->original) != 0)
		dsn_address_put(
		    m->out, "X-Postern-Sent-To", to->original, m->is_utf8);
}

static void
put_status(const struct making *m)
{
	const struct dsn_report *r = m->report;

	begin_part(m, "The same, for programs",
	    m->is_utf8 ? "message/global-delivery-status"
		       : "message/delivery-status",
	    m->is_utf8);
	if (r->envid[0] != '\0')
		dsn_address_put_xtext(m->out, "Original-Envelope-Id", r->envid);
	dsn_field_format(m->out, "Reporting-MTA", "dns; %s", r->hostname);
	dsn_field_date(m->out, "Arrival-Date", r->arrival);
	dsn_field_put(m->out, "X-Postern-Id", r->id);
	for (unsigned int i = 0; i < r->count; i++)
		put_recipient(m, &r->recipients[i]);
}

/* -- What comes back ------------------------------------------------------- */

/* Line by line, and 7-bit unless it is UTF-8: this is a text about a header,
 * and nobody's message. What is left out could bring together a boundary that
 * was not there, so nothing is; and a line that is parted is folded, so that its
 * rest is no field of its own. */
static void
put_returned_header(const struct making *m)
{
	const char *data = m->report->original;
	size_t length = dsn_original_header(data, m->report->original_length);
	size_t column = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)data[i];
		bool is_good = (c >= ' ' && c <= '~') || c == '\t' ||
			       (m->is_original_utf8 && c >= 0x80);

		if (c == '\n') {
			fputs("\r\n", m->out);
			column = 0;
		}
		if (c == '\n' ||
		    (c == '\r' && i + 1 < length && data[i + 1] == '\n'))
			continue;
		/* Not within a character. */
		if (column >= 990 && (c & 0xc0) != 0x80) {
			fputs("\r\n ", m->out);
			column = 1;
		}
		fputc(is_good ? c : '?', m->out);
		column++;
	}
}

static void
put_returned(const struct making *m)
{
	const struct dsn_report *r = m->report;

	if (m->returned == DSN_RETURN_NOTHING)
		return;
	if (returns_header(m)) {
		begin_part(m, "The header of the message",
		    m->is_original_utf8 ? "message/global-headers"
					: "text/rfc822-headers; "
					  "charset=us-ascii",
		    m->is_original_utf8);
		put_returned_header(m);
		return;
	}
	begin_part(m, "The message",
	    m->is_original_utf8 ? "message/global" : "message/rfc822",
	    m->is_original_8bit);
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
	begin_part(m, "What happened",
	    m->are_words_utf8 ? "text/plain; charset=utf-8"
			      : "text/plain; charset=us-ascii",
	    m->are_words_utf8);
	dsn_words_put(m->out, m->report, m->returned);
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

	prepare(&m);
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
	*made = (struct dsn_made){
		.size = size,
		.is_8bit = is_8bit(&m),
		.is_utf8 = m.is_utf8,
	};
	return fd;
}
