/* Which replies are the same, and in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <bsd/string.h>

#include "ctl/reason.h"

struct sample {
	const char *reply, *reason;
};

static const struct sample samples[] = {
	{ "", "" },
	{ "450 4.2.0 come back later", "450 4.2.0 come back later" },
	{ "450", "450" },
	{ "451-", "451" },
	{ "4.4.1 Connection to 192.0.2.7 timed out",
	    "4.4.1 Connection to # timed out" },
	{ "4.4.1 Connection to 2001:db8::a:1 timed out",
	    "4.4.1 Connection to # timed out" },
	{ "4.4.1 Connection to [2001:db8::25]:25 failed",
	    "4.4.1 Connection to [#]:# failed" },
	{ "450 4.2.1 <bob.smith+x@other.test>: mailbox full",
	    "450 4.2.1 <*>: mailbox full" },
	{ "550 bob@other.test. is unknown", "550 *. is unknown" },
	{ "450 4.7.1 Greylisted, see http://grey.test/help?r=x.test&id=4f2",
	    "450 4.7.1 Greylisted, see http://grey.test/help?r=x.test&id=#f#" },
	{ "451 4.7.1 Try again in 300 seconds",
	    "451 4.7.1 Try again in # seconds" },
	{ "450-4.2.1 The user is receiving mail\r\n"
	  "450-4.2.1 too quickly. For more go to\r\n"
	  "450 4.2.1  https://s.test a640c23a62f3a-a9e5f2b5ffasi.12 - gsmtp",
	    "450 4.2.1 The user is receiving mail too quickly. For more go to "
	    "https://s.test # - gsmtp" },
	{ "421 mx12.example.com busy", "421 mx#.example.com busy" },
	{ "host mx1.x.test said: 450 4.3.0 busy (in reply to RCPT)",
	    "host mx#.x.test said: # 4.3.0 busy (in reply to RCPT)" },
	{ "450 4XyZ12AbCdz: queue full", "450 #: queue full" },
	{ "450 a  b\t c ", "450 a b c" },
	{ "450 10.0.0.1, 10.0.0.2", "450 #, #" },
	{ "450 5.1.1.1 is an address", "450 # is an address" },
	{ "450 user@ @host @", "450 user@ @host @" },
	{ "450 bo\xc3\xaete pleine", "450 bo\xc3\xaete pleine" },
};

static void
says_the_same_of_like_replies(void **state)
{
	char reason[REASON_MOST + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		reason_normalise(reason, samples[i].reply);
		assert_string_equal(reason, samples[i].reason);
	}
}

/* What was normalised stays as it is. */
static void
is_done_once(void **state)
{
	char once[REASON_MOST + 1], twice[REASON_MOST + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		reason_normalise(once, samples[i].reply);
		reason_normalise(twice, once);
		assert_string_equal(once, twice);
	}
}

static void
is_bounded(void **state)
{
	char reason[REASON_MOST + 1], reply[3000];

	(void)state;
	memset(reply, 'x', sizeof(reply));
	reply[sizeof(reply) - 1] = '\0';
	reason_normalise(reason, reply);
	assert_int_equal(strlen(reason), REASON_MOST);
	/* Not within a character: 159 octets, and two of two do not fit. */
	memset(reply, 'x', REASON_MOST - 1);
	strlcpy(reply + REASON_MOST - 1, "\xc3\xa9\xc3\xa9",
	    sizeof(reply) - REASON_MOST + 1);
	reason_normalise(reason, reply);
	assert_int_equal(strlen(reason), REASON_MOST - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_the_same_of_like_replies),
		cmocka_unit_test(is_done_once),
		cmocka_unit_test(is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
