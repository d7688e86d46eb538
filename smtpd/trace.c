#include "smtpd/trace.h"

#include <stdio.h>
#include <string.h>

#include "common/id.h"

/* A place in a text of LIMIT_TRACE; what does not fit is left out. Room is kept
 * for the empty line that may follow. */
struct pen {
	char *text;
	size_t length;
};

static void
put_octet(struct pen *p, char c)
{
	if (p->length < LIMIT_TRACE - 3)
		p->text[p->length++] = c;
}

static void
put(struct pen *p, const char *text)
{
	while (*text != '\0')
		put_octet(p, *text++);
}

/* Text from outside. The few octets of `unsafe` would change the structure. */
static void
put_outside(struct pen *p, const char *text, const char *unsafe)
{
	for (; *text != '\0'; text++)
		put_octet(p, *text <= 0x20 || *text >= 0x7f ||
				     strchr(unsafe, *text) != NULL
				 ? '?'
				 : *text);
}

/* RFC 5322 3.3, in UTC; the names do not depend on a locale. */
static void
put_date(struct pen *p, time_t when)
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	char text[160];
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	snprintf(text, sizeof(text), "%s, %d %s %d %02d:%02d:%02d +0000",
	    days[(unsigned int)tm.tm_wday % 7], tm.tm_mday,
	    months[(unsigned int)tm.tm_mon % 12], 1900 + tm.tm_year, tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
	put(p, text);
}

static void
put_client(struct pen *p, const struct trace *t)
{
	put(p, "from ");
	put_outside(p, t->helo, "();");
	put(p, " (");
	put_outside(
	    p, t->client_name[0] != '\0' ? t->client_name : "unknown", "();");
	put(p, strchr(t->client_address, ':') != NULL ? " [IPv6:" : " [");
	put_outside(p, t->client_address, "()[];");
	put(p, "])");
}

/* A quoted local part may hold spaces, parentheses and semicolons: inside the
 * quotes, and so the angle brackets, they mean nothing. */
static void
put_recipient(struct pen *p, const char *recipient)
{
	put(p, "for <");
	for (; *recipient != '\0'; recipient++)
		put_octet(p,
		    *recipient < 0x20 || *recipient >= 0x7f ? '?' : *recipient);
	put(p, ">;");
}

size_t
trace_format(char to[LIMIT_TRACE], const struct trace *t)
{
	struct pen p = { to, 0 };

	put(&p, "Received: ");
	put_client(&p, t);
	put(&p, "\r\n\tby ");
	put_outside(&p, t->hostname, "();");
	put(&p, " (postern) with ");
	put(&p, smtp_protocol_name((unsigned int)t->protocol));
	put(&p, " id ");
	put(&p, id_format(t->id).text);
	if (t->recipient != NULL) {
		put(&p, "\r\n\t");
		put_recipient(&p, t->recipient);
		put(&p, " ");
	} else
		put(&p, ";\r\n\t");
	put_date(&p, t->time);
	put(&p, "\r\n");
	to[p.length] = '\0';
	return p.length;
}
