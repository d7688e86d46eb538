/* What the worker takes from the queue, and what it does not. */
#include "deliver/local/intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/content.h"
#include "common/mail.h"
#include "common/message.h"

static struct intake in;

static int
content(const char *text, bool seal)
{
	int fd = content_create();

	assert_int_not_equal(fd, -1);
	assert_int_equal(content_write(fd, text, strlen(text)), 0);
	if (seal)
		assert_int_equal(content_seal(fd), 0);
	return fd;
}

static struct message
deliver(uint32_t handle, uint32_t recipients)
{
	struct message m = MESSAGE_INIT(MESSAGE_DELIVER, handle);

	m.fd = content("x\r\n", true);
	m.deliver.id = 7;
	m.deliver.sender = "a@example.net";
	m.deliver.kind = ROUTE_MAILBOX;
	m.deliver.name = "people";
	m.deliver.next_hop = "";
	m.deliver.size = 3;
	m.deliver.recipients = recipients;
	return m;
}

static struct message
deliver_to(uint32_t handle, uint32_t number)
{
	struct message m = MESSAGE_INIT(MESSAGE_DELIVER_TO, handle);

	m.deliver_to.number = number;
	m.deliver_to.address = "b@example.org";
	m.deliver_to.original = "c@example.org";
	return m;
}

/* As the worker does: what was not taken is closed. */
static int
take(struct message m)
{
	int result = intake_take(&in, &m);

	if (m.fd != -1)
		close(m.fd);
	return result;
}

static int
begin(void **state)
{
	(void)state;
	intake_begin(&in);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	in.current = NULL;
	intake_release(&in);
	return 0;
}

static void
test_one_letter(void **state)
{
	(void)state;
	assert_int_equal(take(deliver(5, 2)), 0);
	assert_int_equal(in.copy_count, 0);
	assert_int_equal(take(deliver_to(5, 10)), 0);
	assert_int_equal(take(deliver_to(5, 11)), 0);
	assert_int_equal(in.copy_count, 2);
	assert_null(in.current);
	assert_int_equal(in.copies[1].number, 11);
	assert_string_equal(in.copies[1].address, "b@example.org");
	assert_int_equal(in.copies[1].letter->handle, 5);
	assert_string_equal(in.copies[1].letter->sender, "a@example.net");
	intake_release(&in);
	assert_int_equal(in.copy_count, 0);
	assert_int_equal(in.letter_count, 0);
}

/* A letter whose copies are not all there outlives the batch. */
static void
test_letter_stays(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(take(deliver(1, 1)), 0);
	assert_int_equal(take(deliver_to(1, 0)), 0);
	assert_int_equal(take(deliver(2, 2)), 0);
	assert_int_equal(take(deliver_to(2, 0)), 0);
	fd = in.copies[1].letter->fd;
	intake_release(&in);
	assert_int_equal(in.letter_count, 1);
	assert_int_equal(content_check(fd, 3), 0);
	assert_int_equal(take(deliver_to(2, 1)), 0);
	assert_int_equal(in.copies[0].letter->fd, fd);
	intake_release(&in);
	assert_int_equal(in.letter_count, 0);
	assert_int_equal(content_check(fd, 3), -1);
}

static void
test_room(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < INTAKE_COPIES; i++) {
		assert_true(intake_has_room(&in));
		assert_int_equal(take(deliver(i, 1)), 0);
		assert_int_equal(take(deliver_to(i, 0)), 0);
	}
	assert_false(intake_has_room(&in));
	assert_int_equal(take(deliver_to(INTAKE_COPIES - 1, 1)), -1);
	intake_release(&in);
	assert_true(intake_has_room(&in));
}

static void
test_many_copies(void **state)
{
	(void)state;
	assert_int_equal(take(deliver(1, 3 * INTAKE_COPIES)), 0);
	for (uint32_t i = 0; i < 3 * INTAKE_COPIES; i++) {
		if (!intake_has_room(&in))
			intake_release(&in);
		assert_int_equal(take(deliver_to(1, i)), 0);
	}
	assert_null(in.current);
	assert_int_equal(take(deliver_to(1, 0)), -1);
}

static void
test_order(void **state)
{
	struct message other = MESSAGE_INIT(MESSAGE_HIRE, 1);

	(void)state;
	other.hire.user = "x";
	assert_int_equal(take(other), -1);
	assert_int_equal(take(deliver_to(1, 0)), -1); /* of no letter */
	assert_int_equal(take(deliver(1, 1)), 0);
	assert_int_equal(take(deliver(2, 1)), -1); /* the first is not whole */
	assert_int_equal(take(deliver_to(2, 0)), -1); /* of another */
	assert_int_equal(take(deliver_to(1, 0)), 0);
	assert_int_equal(take(deliver_to(1, 0)), -1); /* one too many */
}

static void
test_fields(void **state)
{
	struct message m;

	(void)state;
#define REFUSED(change)                               \
	do {                                          \
		m = deliver(1, 1);                    \
		change;                               \
		assert_int_equal(take(m), -1);        \
		assert_int_equal(in.letter_count, 0); \
	} while (0)
	REFUSED(m.deliver.kind = ROUTE_MX);
	REFUSED(m.deliver.kind = 200);
	REFUSED(m.deliver.recipients = 0);
	REFUSED(m.deliver.recipients = LIMIT_EXPANSION + 1);
	REFUSED(m.deliver.size = 4);
	REFUSED(m.deliver.size = UINT64_MAX);
	REFUSED(m.deliver.sender = "not an address");
	REFUSED(m.deliver.sender = "a@example.net>\nX: y");
	REFUSED((close(m.fd), m.fd = content("x\r\n", false)));
#undef REFUSED
	m = deliver(1, 1);
	m.deliver.sender = ""; /* a bounce */
	assert_int_equal(take(m), 0);
	m = deliver_to(1, 0);
	m.deliver_to.address = "b@example.org\nX: y";
	assert_int_equal(take(m), -1);
	m.deliver_to.address = "";
	assert_int_equal(take(m), -1);
	m.deliver_to.address = "postmaster";
	assert_int_equal(take(m), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_letter, begin, end),
		cmocka_unit_test_setup_teardown(test_letter_stays, begin, end),
		cmocka_unit_test_setup_teardown(test_room, begin, end),
		cmocka_unit_test_setup_teardown(test_many_copies, begin, end),
		cmocka_unit_test_setup_teardown(test_order, begin, end),
		cmocka_unit_test_setup_teardown(test_fields, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
