/* Who is told of what: RFC 3461 4.1, warnings, notices. */
#include "queue/tell.h"
#include "tests/unit/queue/test.h"

#define HOUR UINT64_C(3600)

static const uint64_t arrival = UINT64_C(1800000000000);

static struct row_message
a_message(void)
{
	return (struct row_message){
		.arrival = arrival,
		.sender = "s@example.net",
		.client_address = "192.0.2.1",
		.helo = "h",
	};
}

static enum tell_what
ask(unsigned int notify, enum recipient_state recipient, uint64_t age,
    uint8_t told)
{
	struct row_message m = a_message();
	struct row_recipient r = {
		.state = (uint8_t)recipient,
		.notify = (uint8_t)notify,
		.told = told,
		.attempts = 1,
	};

	return tell_what(&m, &r, 4 * HOUR, arrival + age * 1000);
}

static void
test_failures(void **state)
{
	(void)state;
	assert_int_equal(ask(0, RECIPIENT_FAILED, 0, 0), TELL_FAILURE);
	assert_int_equal(
	    ask(DSN_NOTIFY_FAILURE, RECIPIENT_FAILED, 0, 0), TELL_FAILURE);
	assert_int_equal(
	    ask(DSN_NOTIFY_NEVER, RECIPIENT_FAILED, 0, 0), TELL_NOTHING);
	assert_int_equal(
	    ask(0, RECIPIENT_FAILED, 0, DSN_TOLD_GIVEN_UP), TELL_NOTHING);
	assert_int_equal(
	    ask(DSN_NOTIFY_SUCCESS | DSN_NOTIFY_DELAY, RECIPIENT_FAILED, 0, 0),
	    TELL_NOTHING);
}

static void
test_delays(void **state)
{
	(void)state;
	assert_int_equal(
	    ask(0, RECIPIENT_WAITING, 4 * HOUR - 1, 0), TELL_NOTHING);
	assert_int_equal(ask(0, RECIPIENT_WAITING, 4 * HOUR, 0), TELL_DELAY);
	assert_int_equal(
	    ask(0, RECIPIENT_WAITING, 4 * HOUR, DSN_TOLD_DELAY), TELL_NOTHING);
	assert_int_equal(ask(0, RECIPIENT_HELD, 4 * HOUR, 0), TELL_NOTHING);
	assert_int_equal(
	    ask(DSN_NOTIFY_FAILURE, RECIPIENT_WAITING, 4 * HOUR, 0),
	    TELL_NOTHING);
	assert_int_equal(
	    ask(DSN_NOTIFY_DELAY, RECIPIENT_WAITING, 4 * HOUR, 0), TELL_DELAY);
}

static void
test_warnings_can_be_off_and_wait_for_a_reason(void **state)
{
	struct row_message m = a_message();
	struct row_recipient r = {
		.state = RECIPIENT_WAITING, .attempts = 1, .reply = ""
	};

	(void)state;
	assert_int_equal(tell_what(&m, &r, 1, arrival + 5000), TELL_DELAY);
	assert_int_equal(tell_what(&m, &r, 0, arrival + 5000), TELL_NOTHING);
	r.attempts = 0;
	assert_int_equal(tell_what(&m, &r, 1, arrival + 5000), TELL_NOTHING);
	/* Or for a reason that another's attempt has brought. */
	r.reply = "4.4.1 no answer";
	assert_int_equal(tell_what(&m, &r, 1, arrival + 5000), TELL_DELAY);
}

static void
test_mail_without_a_sender(void **state)
{
	struct row_message m = a_message();
	struct row_recipient r = { .state = RECIPIENT_FAILED, .attempts = 1 };

	(void)state;
	m.sender = "";
	assert_int_equal(tell_what(&m, &r, 1, arrival + 5000), TELL_FAILURE);
	r.state = RECIPIENT_WAITING;
	assert_int_equal(tell_what(&m, &r, 1, arrival + 5000), TELL_NOTHING);
}

static void
test_success(void **state)
{
	struct row_message m = a_message();
	struct row_recipient r = { .kind = ROUTE_MX,
		.notify = DSN_NOTIFY_SUCCESS };

	(void)state;
	assert_true(tell_success(&m, &r, true));
	/* The next host has DSN: it is its duty. */
	assert_false(tell_success(&m, &r, false));
	r.kind = ROUTE_MAILBOX;
	assert_true(tell_success(&m, &r, false));
	r.notify = DSN_NOTIFY_FAILURE;
	assert_false(tell_success(&m, &r, false));
	r.notify = 0;
	assert_false(tell_success(&m, &r, false));
	r.notify = DSN_NOTIFY_SUCCESS;
	m.sender = "";
	assert_false(tell_success(&m, &r, false));
	assert_int_equal(
	    ask(DSN_NOTIFY_SUCCESS, RECIPIENT_DELIVERED, 0, 0), TELL_SUCCESS);
}

/* Only what we made ourselves is a notice, whatever a client calls itself. */
static void
test_notices(void **state)
{
	struct row_message m = a_message();
	struct row_recipient r = { .state = RECIPIENT_FAILED };

	(void)state;
	m.sender = "";
	m.helo = TELL_HELO_NOTICE;
	assert_false(tell_is_notice(&m));
	m.client_address = "";
	assert_true(tell_is_notice(&m));
	assert_int_equal(tell_what(&m, &r, 1, arrival), TELL_NOTHING);
	m.helo = TELL_HELO_REPORT;
	assert_false(tell_is_notice(&m));
	assert_int_equal(tell_what(&m, &r, 1, arrival), TELL_FAILURE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_delays),
		cmocka_unit_test(
		    test_warnings_can_be_off_and_wait_for_a_reason),
		cmocka_unit_test(test_mail_without_a_sender),
		cmocka_unit_test(test_success),
		cmocka_unit_test(test_notices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
