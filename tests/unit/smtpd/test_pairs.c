/* All pairs: every command in every state, every event in every state. After
 * each the session is in a state that the table names, has answered exactly
 * once, and takes a whole message as if nothing had been (unless it ended). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/smtpd/play.h"

/* The states in which a command can come, and two finer ones. */
enum scene {
	SCENE_GREETED,
	SCENE_READY,
	SCENE_MAIL,
	SCENE_ASKED,	/* one RCPT, not answered */
	SCENE_REFUSED,	/* one RCPT, refused */
	SCENE_ACCEPTED, /* one RCPT, accepted */
	SCENE_LOST,	/* accepted, then the router went */
	SCENE_DATA,
	SCENE_OUTCOME,
	SCENES
};

#define COMMAND_SCENES SCENE_DATA

static const char *const scene_names[SCENES] = { "greeted", "ready", "mail",
	"asked", "refused", "accepted", "lost", "data", "outcome" };

static void
enter(struct play *p, enum scene scene)
{
	play_begin(p);
	if (scene >= SCENE_READY)
		play_say(p, "EHLO a.example\r\n");
	if (scene >= SCENE_MAIL)
		play_say(p, "MAIL FROM:<a@b.example>\r\n");
	if (scene >= SCENE_ASKED)
		play_say(p, "RCPT TO:<c@d.example>\r\n");
	if (scene == SCENE_REFUSED)
		play_verdict(p, 550);
	else if (scene >= SCENE_ACCEPTED)
		play_verdict(p, 250);
	if (scene == SCENE_LOST)
		session_router_lost(p->session);
	if (scene >= SCENE_DATA)
		play_say(p, "DATA\r\n");
	if (scene == SCENE_OUTCOME)
		play_say(p, ".\r\n");
	play_script(p);
	p->replies = p->last_code = 0;
}

/* The session serves on: after RSET (or EHLO) a message goes through. */
static void
check_alive(struct play *p)
{
	if (p->closes > 0) {
		play_say(p, "NOOP\r\n");
		assert_int_equal(p->closes, 1);
		return;
	}
	play_say(p, "EHLO again.example\r\n");
	assert_int_equal(p->last_code, 250);
	assert_null(session_transaction(p->session));
	assert_int_equal(p->opens, p->ends);
	assert_true(play_message(p));
}

struct pair {
	const char *line;
	/* The reply in each scene; 0: it waits, and then is as in the scene
	 * where the router has accepted. -1: asked of the router. */
	int codes[COMMAND_SCENES];
};

#define ASKS (-1)

static const struct pair pairs[] = {
	/*  greeted ready mail asked refused accepted lost */
	{ "EHLO x.example", { 250, 250, 250, 0, 250, 250, 250 } },
	{ "EHLO", { 501, 501, 501, 0, 501, 501, 501 } },
	{ "HELO x.example", { 250, 250, 250, 0, 250, 250, 250 } },
	{ "HELO a b", { 501, 501, 501, 0, 501, 501, 501 } },
	{ "MAIL FROM:<>", { 503, 250, 503, 0, 503, 503, 503 } },
	{ "MAIL FROM:<", { 503, 501, 503, 0, 503, 503, 503 } },
	{ "MAIL FROM:<> SIZE=x", { 503, 501, 503, 0, 503, 503, 503 } },
	{ "MAIL FROM:<> SIZE=1001", { 503, 552, 503, 0, 503, 503, 503 } },
	{ "MAIL FROM:<> X=Y", { 503, 555, 503, 0, 503, 503, 503 } },
	{ "MAIL FROM:<> BODY=BINARYMIME", { 503, 504, 503, 0, 503, 503, 503 } },
	{ "RCPT TO:<e@f.example>", { 503, 503, ASKS, ASKS, ASKS, ASKS, 451 } },
	{ "RCPT TO:<>", { 503, 503, 501, 0, 501, 501, 501 } },
	{ "RCPT TO:<e@f.example> X", { 503, 503, 555, 0, 555, 555, 555 } },
	{ "DATA", { 503, 503, 503, 0, 554, 354, 451 } },
	{ "DATA x", { 503, 503, 501, 0, 501, 501, 501 } },
	{ "RSET", { 250, 250, 250, 0, 250, 250, 250 } },
	{ "RSET x", { 501, 501, 501, 0, 501, 501, 501 } },
	{ "NOOP", { 250, 250, 250, 0, 250, 250, 250 } },
	{ "VRFY a", { 252, 252, 252, 0, 252, 252, 252 } },
	{ "VRFY", { 501, 501, 501, 0, 501, 501, 501 } },
	{ "HELP", { 214, 214, 214, 0, 214, 214, 214 } },
	{ "QUIT", { 221, 221, 221, 0, 221, 221, 221 } },
	{ "QUIT x", { 501, 501, 501, 0, 501, 501, 501 } },
	{ "EXPN a", { 502, 502, 502, 0, 502, 502, 502 } },
	{ "STARTTLS", { 502, 502, 502, 0, 502, 502, 502 } },
	{ "GET / HTTP/1.1", { 554, 554, 554, 0, 554, 554, 554 } },
	{ "FOO", { 500, 500, 500, 0, 500, 500, 500 } },
	{ "", { 500, 500, 500, 0, 500, 500, 500 } },
	{ "NOOP \x01", { 500, 500, 500, 0, 500, 500, 500 } },
	{ "NOOP\nNOOP", { 500, 500, 500, 0, 500, 500, 500 } },
};

/* A command that keeps the transaction as it is leaves the same scene. */
static void
check_unharmed(struct play *p, enum scene scene, int code)
{
	const struct transaction *t = session_transaction(p->session);

	if (code < 500 || p->closes > 0)
		return;
	assert_int_equal(t != NULL, scene >= SCENE_MAIL);
	if (t != NULL && (scene == SCENE_ACCEPTED || scene == SCENE_LOST))
		assert_int_equal(t->accepted, 1);
	if (scene == SCENE_ACCEPTED)
		assert_int_equal(p->opens, p->ends + 1);
}

static void
check_pair(const struct pair *pair, enum scene scene)
{
	static struct play p;
	int code = pair->codes[scene];
	char line[256];

	enter(&p, scene);
	snprintf(line, sizeof(line), "%s\r\n", pair->line);
	play_say(&p, line);
	if (code == 0) {
		/* Not looked at until the router has answered. */
		assert_int_equal(p.replies, 0);
		assert_true(p.input_length > 0);
		play_verdict(&p, 250);
		assert_int_equal(p.replies, 2);
		p.replies = 1;
		code = pair->codes[SCENE_ACCEPTED];
		scene = SCENE_ACCEPTED;
	} else if (code == ASKS) {
		assert_int_equal(p.replies, 0);
		if (scene == SCENE_ASKED) {
			play_verdict(&p, 250);
			p.replies = 0;
		}
		play_verdict(&p, 250);
		code = 250;
	}
	if ((int)p.last_code != code || p.replies != 1)
		print_error("%s: %s\n", scene_names[scene], pair->line);
	assert_int_equal(p.last_code, code);
	assert_int_equal(p.replies, 1);
	assert_int_equal(p.input_length, 0);
	check_unharmed(&p, scene, code);
	if (code == 354) {
		play_say(&p, ".\r\n");
		play_outcome(&p, 250);
	}
	check_alive(&p);
	play_end(&p);
}

static void
test_commands(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		for (unsigned int scene = 0; scene < COMMAND_SCENES; scene++)
			check_pair(&pairs[i], (enum scene)scene);
}

/* -- Events ----------------------------------------------------------------- */

struct happening {
	const char *name;
	void (*happen)(struct play *);
	/* How many replies it makes in each scene, the code of the last, and
	 * whether the session ends. */
	struct {
		unsigned int replies, code, closes;
	} result[SCENES];
};

static void
lose_router(struct play *p)
{
	session_router_lost(p->session);
}

static void
time_out(struct play *p)
{
	session_timeout(p->session);
}

static void
drain(struct play *p)
{
	session_drain(p->session);
}

static void
stop(struct play *p)
{
	session_stop(p->session);
}

static void
verdict(struct play *p)
{
	if (session_verdict(p->session, 0, PLAY_ID, 250, "v") == -1)
		lose_router(p); /* as the link does with a peer that lies */
}

static void
outcome(struct play *p)
{
	if (session_outcome(p->session, 250, "o") == -1)
		lose_router(p);
}

/* clang-format off */
static const struct happening happenings[] = {
	/*  greeted      ready        mail         asked
	 *  refused      accepted     lost         data         outcome */
	{ "router lost", lose_router, {
	    { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 }, { 1, 451, 0 },
	    { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 },
	    { 1, 451, 0 } } },
	{ "time out", time_out, {
	    { 1, 421, 1 }, { 1, 421, 1 }, { 1, 421, 1 }, { 1, 451, 0 },
	    { 1, 421, 1 }, { 1, 421, 1 }, { 1, 421, 1 }, { 1, 421, 1 },
	    { 1, 451, 0 } } },
	{ "drain", drain, {
	    { 1, 421, 1 }, { 1, 421, 1 }, { 0, 0, 0 }, { 0, 0, 0 },
	    { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 },
	    { 0, 0, 0 } } },
	{ "stop", stop, {
	    { 1, 421, 1 }, { 1, 421, 1 }, { 1, 421, 1 }, { 1, 421, 1 },
	    { 1, 421, 1 }, { 1, 421, 1 }, { 1, 421, 1 }, { 1, 421, 1 },
	    { 1, 421, 1 } } },
	{ "verdict", verdict, {
	    { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 }, { 1, 250, 0 },
	    { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 },
	    { 1, 451, 0 } } },
	{ "outcome", outcome, {
	    { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 }, { 1, 451, 0 },
	    { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 },
	    { 1, 250, 0 } } },
};
/* clang-format on */

static void
check_happening(const struct happening *h, enum scene scene)
{
	static struct play p;
	unsigned int replies = h->result[scene].replies;

	enter(&p, scene);
	h->happen(&p);
	if (p.replies != replies || p.closes != h->result[scene].closes)
		print_error("%s: %s\n", scene_names[scene], h->name);
	assert_int_equal(p.replies, replies);
	assert_int_equal(p.last_code, h->result[scene].code);
	assert_int_equal(p.closes, h->result[scene].closes);
	/* What is in hand comes to its end, one way or another. */
	if (p.asked > p.answered && h->happen != verdict)
		play_verdict(&p, 550);
	if (session_state(p.session) == SESSION_DATA)
		play_say(&p, ".\r\n");
	if (session_state(p.session) == SESSION_OUTCOME)
		play_outcome(&p, 250);
	if (h->happen != drain)
		check_alive(&p);
	play_end(&p);
}

static void
test_events(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(happenings) / sizeof(happenings[0]); i++)
		for (unsigned int scene = 0; scene < SCENES; scene++)
			check_happening(&happenings[i], (enum scene)scene);
}

/* The connection ends in every scene; play_end() counts. */
static void
test_gone(void **unused)
{
	static struct play p;

	(void)unused;
	for (unsigned int scene = 0; scene < SCENES; scene++) {
		bool open;

		enter(&p, (enum scene)scene);
		open = p.opens > p.ends;
		play_end(&p);
		if (open)
			assert_int_equal(p.last_end, SESSION_END_GONE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
