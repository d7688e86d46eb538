#include "smtpd/session_line.h"

#include <string.h>

#include "common/limits.h"
#include "smtpd/command.h"
#include "smtpd/session_core.h"
#include "smtpd/session_verb.h"

/* Throws away up to and including the next CRLF. */
static size_t
take_discarded(struct session *s, const uint8_t *in, size_t length)
{
	const uint8_t *at = in, *end = in + length, *lf;
	enum session_discard discard = s->discard;

	while ((lf = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		bool cr = lf == in ? s->discard_cr : lf[-1] == '\r';

		at = lf + 1;
		if (!cr)
			continue;
		s->discard = DISCARD_NOTHING;
		s->commands++;
		if (discard == DISCARD_LONG)
			session_refuse(s, 500, "5.5.2 Line too long");
		return (size_t)(at - in);
	}
	s->discard_cr = end[-1] == '\r';
	return length;
}

static void
discard_line(struct session *s, enum session_discard how)
{
	s->discard = how;
	s->discard_cr = false;
}

/* May this line be looked at? While verdicts are awaited only another RCPT
 * may go ahead of them. */
static bool
must_wait(const struct session *s, const uint8_t *in, size_t length)
{
	unsigned int pending = session_pending(s);

	return pending >= SESSION_PENDING ||
	       (pending > 0 && length > 0 && in[0] != 'R' && in[0] != 'r');
}

static size_t
take_line(struct session *s, const uint8_t *in, size_t length)
{
	size_t most = length < LIMIT_COMMAND_LINE ? length : LIMIT_COMMAND_LINE;
	const uint8_t *lf = memchr(in, '\n', most);
	char line[LIMIT_COMMAND_LINE + 1];
	struct command command;
	size_t taken, text;

	if (must_wait(s, in, length) ||
	    (lf == NULL && length < LIMIT_COMMAND_LINE))
		return 0;
	if ((lf == NULL || lf == in || lf[-1] != '\r') &&
	    session_pending(s) > 0)
		return 0;
	if (lf == NULL) {
		discard_line(s, DISCARD_LONG);
		return take_discarded(s, in, length);
	}
	taken = (size_t)(lf + 1 - in);
	if (lf == in || lf[-1] != '\r') {
		/* Answered at once, for the person who typed it; but what
		 * follows up to a CRLF is still the same line. */
		discard_line(s, DISCARD_ANSWERED);
		session_refuse(s, 500, "5.5.2 Lines end in CR LF, not in LF");
		return taken;
	}
	text = taken - 2;
	memcpy(line, in, text);
	line[text] = '\0';
	command_parse(line, text, &command);
	return session_command(s, &command, length > taken) ? taken : 0;
}

size_t
session_take_line(struct session *s, const uint8_t *in, size_t length)
{
	return s->discard != DISCARD_NOTHING ? take_discarded(s, in, length)
					     : take_line(s, in, length);
}
