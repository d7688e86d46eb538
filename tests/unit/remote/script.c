#include "script.h"

#include <bsd/string.h>

#include "test.h"

static const char *const scopes[] = {
	[REPORT_SCOPE_RECIPIENT] = "recipient",
	[REPORT_SCOPE_MESSAGE] = "message",
	[REPORT_SCOPE_DESTINATION] = "destination",
};

static const char *const kinds[] = {
	[SESSION_END_QUIT] = "quit",
	[SESSION_END_LOST] = "lost",
	[SESSION_END_TEMPORARY] = "temporary",
	[SESSION_END_PERMANENT] = "permanent",
	[SESSION_END_LOOP] = "loop",
};

const char *
end_kind_name(enum session_end_kind kind)
{
	return kinds[kind];
}

static void
on_settled(void *context, unsigned int recipient, enum report_outcome outcome,
    enum report_scope scope, const char *reply)
{
	struct play *p = context;
	char line[4096];

	assert_true(recipient < p->transaction->count);
	snprintf(line, sizeof(line), "%u %s %s %.3000s\n", recipient,
	    report_outcome_name(outcome), scopes[scope], reply);
	strlcat(p->reports, line, sizeof(p->reports));
}

static struct transaction *
make_transaction(unsigned int recipients, enum smtp_body body)
{
	struct transaction *t =
	    transaction_new("s@src.test", body, 1000, recipients);
	char address[32];

	assert_non_null(t);
	for (unsigned int i = 0; i < recipients; i++) {
		snprintf(address, sizeof(address), "r%u@dst.test", i);
		assert_int_equal(transaction_add(t, i, address, 0, ""), 0);
	}
	return t;
}

void
play_open(struct play *p, unsigned int recipients, enum smtp_body body)
{
	memset(p, 0, sizeof(*p));
	p->session = session_new(HOSTNAME, ROUTE_MX);
	assert_non_null(p->session);
	p->transaction = make_transaction(recipients, body);
}

void
play_close(struct play *p)
{
	session_free(&p->session);
	transaction_free(&p->transaction);
}

/* What the client says is whole lines. */
static void
listen_to(struct play *p)
{
	char buffer[SESSION_COMMAND_SIZE + 512];
	size_t n;

	while ((n = session_output(p->session, buffer, sizeof(buffer))) > 0) {
		assert_true(n <= sizeof(buffer));
		assert_memory_equal(buffer + n - 2, "\r\n", 2);
		assert_null(memchr(buffer, '\0', n));
		buffer[n] = '\0';
		assert_true(strlcat(p->said, buffer, sizeof(p->said)) <
			    sizeof(p->said));
	}
}

void
play_begin(struct play *p)
{
	p->effect = session_begin(p->session, p->transaction, on_settled, p);
	listen_to(p);
}

void
play_feed(struct play *p, const char *data, size_t length)
{
	size_t used;

	do {
		p->effect = session_feed(p->session, data, length, &used);
		assert_true(used <= length);
		data += used;
		length -= used;
		if (p->effect == SESSION_GREETED)
			play_begin(p);
		listen_to(p);
	} while (length > 0 && p->effect != SESSION_ENDED);
}

void
play_say(struct play *p, const char *line)
{
	char wire[4096];

	snprintf(wire, sizeof(wire), "%s\r\n", line);
	play_feed(p, wire, strlen(wire));
}

void
play_drop(struct play *p, const char *reason)
{
	p->effect = session_lost(p->session, reason);
}

void
play_time_out(struct play *p)
{
	assert_true(session_timeout(p->session) > 0);
	p->effect = session_timed_out(p->session);
}

/* Takes the first line off `text`, and compares. */
static void
expect_line(char *text, const char *want, const char *end)
{
	char *stop = strstr(text, end);
	size_t length = stop == NULL ? strlen(text) : (size_t)(stop - text);

	if (want[0] == '\0') {
		assert_string_equal(text, "");
		return;
	}
	if (length != strlen(want) || strncmp(text, want, length) != 0)
		fail_msg("want \"%s\", have \"%s\"", want, text);
	stop = stop == NULL ? text + length : stop + strlen(end);
	memmove(text, stop, strlen(stop) + 1);
}

static void
expect_effect(struct play *p, const char *want)
{
	char have[64];

	switch (p->effect) {
	case SESSION_NOTHING:
		strlcpy(have, "nothing", sizeof(have));
		break;
	case SESSION_GREETED:
		strlcpy(have, "greeted", sizeof(have));
		break;
	case SESSION_SEND_CONTENT:
		strlcpy(have, "content", sizeof(have));
		break;
	case SESSION_DONE:
		strlcpy(have, "done", sizeof(have));
		break;
	case SESSION_ENDED:
		snprintf(have, sizeof(have), "ended %s",
		    end_kind_name(session_end(p->session)->kind));
		break;
	}
	assert_string_equal(have, want);
}

static void
script_line(struct play *p, const char *line)
{
	const char *rest =
	    strchr(line, ' ') == NULL ? "" : strchr(line, ' ') + 1;

	if (line[0] == '>')
		play_say(p, rest);
	else if (line[0] == '<')
		expect_line(p->said, rest, "\r\n");
	else if (line[0] == '#')
		expect_line(p->reports, rest, "\n");
	else if (line[0] == '=')
		expect_effect(p, rest);
	else if (strcmp(line, "sent") == 0)
		session_content_sent(p->session);
	else if (strcmp(line, "relay") == 0) {
		session_free(&p->session);
		p->session = session_new(HOSTNAME, ROUTE_RELAY);
		assert_non_null(p->session);
	} else if (strcmp(line, "begin") == 0) {
		transaction_free(&p->transaction);
		p->transaction = make_transaction(1, SMTP_BODY_7BIT);
		play_begin(p);
	} else if (strcmp(line, "rest") == 0) {
		transaction_compact(p->transaction);
		play_begin(p);
	} else if (strcmp(line, "quit") == 0) {
		session_quit(p->session);
		listen_to(p);
	} else if (strncmp(line, "drop", 4) == 0)
		play_drop(p, rest[0] == '\0' ? NULL : rest);
	else if (strcmp(line, "timeout") == 0)
		play_time_out(p);
	else
		fail_msg("bad script line: %s", line);
}

void
script_run(struct play *p, const char *const *lines)
{
	for (; *lines != NULL; lines++)
		script_line(p, *lines);
}

void
script(unsigned int recipients, enum smtp_body body, const char *const *lines)
{
	struct play p;

	play_open(&p, recipients, body);
	script_run(&p, lines);
	play_close(&p);
}
