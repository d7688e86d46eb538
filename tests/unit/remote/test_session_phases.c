/*
 * Every phase of a session with two recipients, and everything that can
 * happen in it: what is reported, and where the session stands after it.
 */
#include "test.h"

#include <bsd/string.h>

#include "script.h"

enum phase {
	PHASE_GREETING,
	PHASE_EHLO,
	PHASE_HELO,
	PHASE_MAIL,
	PHASE_RCPT, /* of the second; the first is accepted */
	PHASE_DATA,
	PHASE_CONTENT,
	PHASE_DOT,
	PHASES
};

enum happening {
	SAYS_250,
	SAYS_354,
	SAYS_450,
	SAYS_550,
	SAYS_421,
	SAYS_GARBAGE,
	DROPS,
	SILENT,
	HAPPENINGS
};

static const char *const names[PHASES] = { "greeting", "EHLO", "HELO", "MAIL",
	"RCPT", "DATA", "content", "dot" };

static const char *const says[HAPPENINGS] = {
	[SAYS_250] = "250 yes",
	[SAYS_354] = "354 go",
	[SAYS_450] = "450 later",
	[SAYS_550] = "550 no",
	[SAYS_421] = "421 bye",
	[SAYS_GARBAGE] = "hello?",
};

static const char deferred_and_lost[] =
    "0 deferred/destination 1 deferred/destination lost/destination";

/* Reports as "recipient outcome/scope", then the state, or the end and its
 * scope. */
static const char *const want[PHASES][HAPPENINGS] = {
	[PHASE_GREETING] = {
	    [SAYS_250] = "ehlo",
	    [SAYS_354] = "lost/destination",
	    [SAYS_450] = "temporary/destination",
	    [SAYS_550] = "temporary/destination",
	    [SAYS_421] = "lost/destination",
	    [SAYS_GARBAGE] = "lost/destination",
	    [DROPS] = "lost/destination",
	    [SILENT] = "lost/destination",
	},
	[PHASE_EHLO] = {
	    [SAYS_250] = "envelope",
	    [SAYS_354] = "lost/destination",
	    [SAYS_450] = "temporary/destination",
	    [SAYS_550] = "helo",
	    [SAYS_421] = "lost/destination",
	    [SAYS_GARBAGE] = "lost/destination",
	    [DROPS] = "lost/destination",
	    [SILENT] = "lost/destination",
	},
	[PHASE_HELO] = {
	    [SAYS_250] = "envelope",
	    [SAYS_354] = "lost/destination",
	    [SAYS_450] = "temporary/destination",
	    [SAYS_550] = "permanent/destination",
	    [SAYS_421] = "lost/destination",
	    [SAYS_GARBAGE] = "lost/destination",
	    [DROPS] = "lost/destination",
	    [SILENT] = "lost/destination",
	},
	[PHASE_MAIL] = {
	    [SAYS_250] = "envelope",
	    [SAYS_354] = "lost/destination",
	    [SAYS_450] = "temporary/message",
	    [SAYS_550] = "0 failed/message 1 failed/message ready",
	    [SAYS_421] = "lost/destination",
	    [SAYS_GARBAGE] = "lost/destination",
	    [DROPS] = "lost/destination",
	    [SILENT] = "lost/destination",
	},
	[PHASE_RCPT] = {
	    [SAYS_250] = "envelope",
	    [SAYS_354] = "lost/destination",
	    [SAYS_450] = "1 deferred/recipient envelope",
	    [SAYS_550] = "1 failed/recipient envelope",
	    [SAYS_421] = "lost/destination",
	    [SAYS_GARBAGE] = "lost/destination",
	    [DROPS] = "lost/destination",
	    [SILENT] = "lost/destination",
	},
	[PHASE_DATA] = {
	    [SAYS_250] = "lost/destination",
	    [SAYS_354] = "content",
	    [SAYS_450] = "0 deferred/message 1 deferred/message rset",
	    [SAYS_550] = "0 failed/message 1 failed/message rset",
	    [SAYS_421] = "lost/destination",
	    [SAYS_GARBAGE] = "lost/destination",
	    [DROPS] = "lost/destination",
	    [SILENT] = "lost/destination",
	},
	[PHASE_CONTENT] = {
	    [SAYS_250] = "lost/destination",
	    [SAYS_354] = "lost/destination",
	    [SAYS_450] =
		"0 deferred/message 1 deferred/message lost/destination",
	    [SAYS_550] = "0 failed/message 1 failed/message lost/destination",
	    [SAYS_421] = deferred_and_lost,
	    [SAYS_GARBAGE] = "lost/destination",
	    [DROPS] = "lost/destination",
	    [SILENT] = "lost/destination",
	},
	[PHASE_DOT] = {
	    [SAYS_250] = "0 delivered/recipient 1 delivered/recipient ready",
	    [SAYS_354] = deferred_and_lost,
	    [SAYS_450] = "0 deferred/message 1 deferred/message ready",
	    [SAYS_550] = "0 failed/message 1 failed/message ready",
	    [SAYS_421] = deferred_and_lost,
	    [SAYS_GARBAGE] = deferred_and_lost,
	    [DROPS] = deferred_and_lost,
	    [SILENT] = deferred_and_lost,
	},
};

/* Brings the session to where the reply of this phase is awaited. */
static void
go_to(struct play *p, enum phase phase, bool pipelining)
{
	if (phase > PHASE_GREETING)
		play_say(p, "220 mx");
	if (phase == PHASE_HELO)
		play_say(p, "500 what?");
	if (phase > PHASE_HELO) {
		play_say(p, "250-mx");
		play_say(p, pipelining ? "250 PIPELINING" : "250 SIZE");
	}
	if (phase > PHASE_MAIL) {
		play_say(p, "250 ok");
		play_say(p, "250 ok");
	}
	if (phase > PHASE_RCPT)
		play_say(p, "250 ok");
	if (phase > PHASE_DATA)
		play_say(p, "354 go");
	if (phase > PHASE_CONTENT)
		session_content_sent(p->session);
	assert_string_equal(p->reports, "");
}

static void
happen(struct play *p, enum happening what)
{
	if (what == DROPS)
		play_drop(p, NULL);
	else if (what == SILENT)
		play_time_out(p);
	else
		play_say(p, says[what]);
}

/* "N outcome scope reply\n" of each report as "N outcome/scope ". */
static void
summarise(struct play *p, char *text, size_t size)
{
	char outcome[16], scope[16];

	text[0] = '\0';
	for (char *line = strtok(p->reports, "\n"); line != NULL;
	     line = strtok(NULL, "\n")) {
		size_t length = strlen(text);

		/* a recipient's number has one digit here */
		assert_int_equal(
		    sscanf(line + 1, "%15s %15s", outcome, scope), 2);
		snprintf(text + length, size - length, "%c %s/%s ", line[0],
		    outcome, scope);
	}
	if (p->effect == SESSION_ENDED) {
		const struct session_end *end = session_end(p->session);

		assert_true(strlen(end->reason) > 4);
		strlcat(text, end_kind_name(end->kind), size);
		strlcat(text,
		    end->scope == REPORT_SCOPE_MESSAGE ? "/message"
						       : "/destination",
		    size);
	} else
		strlcat(
		    text, session_state_name(session_state(p->session)), size);
}

static void
check(enum phase phase, enum happening what, bool pipelining)
{
	struct play p;
	char have[512];

	play_open(&p, 2, SMTP_BODY_7BIT);
	go_to(&p, phase, pipelining);
	happen(&p, what);
	/* The replies to what was sent together with a refused MAIL. */
	if (phase == PHASE_MAIL && what == SAYS_550 && pipelining)
		for (int i = 0; i < 3; i++)
			play_say(&p, "503 no");
	summarise(&p, have, sizeof(have));
	if (strcmp(have, want[phase][what]) != 0)
		fail_msg("%s, %s, pipelining %d: want \"%s\", have \"%s\"",
		    names[phase], says[what] != NULL ? says[what] : "no answer",
		    pipelining, want[phase][what], have);
	play_close(&p);
}

static void
test_all(void **unused)
{
	(void)unused;
	for (unsigned int phase = 0; phase < PHASES; phase++)
		for (unsigned int what = 0; what < HAPPENINGS; what++) {
			assert_non_null(want[phase][what]);
			check((enum phase)phase, (enum happening)what, false);
			check((enum phase)phase, (enum happening)what, true);
		}
}

/* RFC 7504: a host that takes no mail, ever. */
static void
test_521(void **unused)
{
	struct play p;

	(void)unused;
	play_open(&p, 1, SMTP_BODY_7BIT);
	play_say(&p, "521 mx takes no mail");
	assert_int_equal(p.effect, SESSION_ENDED);
	assert_int_equal(session_end(p.session)->kind, SESSION_END_PERMANENT);
	assert_string_equal(
	    session_end(p.session)->reason, "521 mx takes no mail");
	play_close(&p);
}

/* The words tell where it stood. */
static void
test_reasons(void **unused)
{
	static const char doubt[] =
	    "4.4.2 timed out while waiting for the reply to the content: it "
	    "may have been accepted, and may arrive twice";
	static const char *const reasons[PHASES] = {
		[PHASE_GREETING] =
		    "4.4.2 timed out while waiting for the greeting",
		[PHASE_EHLO] =
		    "4.4.2 timed out while waiting for the reply to EHLO",
		[PHASE_HELO] =
		    "4.4.2 timed out while waiting for the reply to HELO",
		[PHASE_MAIL] =
		    "4.4.2 timed out while waiting for the reply to MAIL",
		[PHASE_RCPT] =
		    "4.4.2 timed out while waiting for the reply to RCPT",
		[PHASE_DATA] =
		    "4.4.2 timed out while waiting for the reply to DATA",
		[PHASE_CONTENT] =
		    "4.4.2 timed out while waiting for room for the content",
		[PHASE_DOT] = doubt,
	};

	(void)unused;
	for (unsigned int phase = 0; phase < PHASES; phase++) {
		struct play p;

		play_open(&p, 2, SMTP_BODY_7BIT);
		go_to(&p, (enum phase)phase, true);
		play_time_out(&p);
		assert_string_equal(
		    session_end(p.session)->reason, reasons[phase]);
		play_close(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_521),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
