#include "tests/unit/router/test.h"

#include "router/parcels.h"
#include "router/transaction.h"

/* A transaction that only says what becomes of it. */
struct transaction {
	char name;
};

static char told[200];
static struct parcels parcels;
static struct handles link_one, link_two;

static void
note(const char *what, char name, unsigned int code)
{
	size_t length = strlen(told);

	snprintf(told + length, sizeof(told) - length, "%s %c %u\n", what, name,
	    code);
}

void
transaction_free(struct transaction **pointer)
{
	if (*pointer != NULL)
		note("free", (*pointer)->name, 0);
	free(*pointer);
	*pointer = NULL;
}

uint64_t
transaction_size(const struct transaction *t)
{
	return (uint64_t)t->name - 'a' + 1;
}

void
transaction_log(const struct transaction *t, const struct reply *reply)
{
	note("log", t->name, reply->code);
}

static void
on_outcome(void *owner, const struct reply *reply)
{
	note("tell", *(const char *)owner, reply->code);
}

static const struct reply ok = { 250, "2.0.0 Ok" };
static const struct reply later = { 451, "4.3.0 Later" };
static char names[] = "abcd";

static struct parcel *
add(unsigned int which)
{
	struct transaction *t = calloc(1, sizeof(*t));
	struct parcel *p;

	assert_non_null(t);
	t->name = names[which];
	p = parcels_add(&parcels, t, &names[which]);
	assert_non_null(p);
	assert_ptr_equal(parcel_transaction(p), t);
	return p;
}

static int
set_up(void **context)
{
	(void)context;
	told[0] = '\0';
	parcels_init(&parcels, on_outcome);
	handles_init(&link_one);
	handles_init(&link_two);
	return 0;
}

static int
tear_down(void **context)
{
	(void)context;
	parcels_clear(&parcels);
	return 0;
}

static void
they_wait_in_order(void **context)
{
	struct parcel *a = add(0), *b = add(1);

	(void)context;
	assert_int_equal(parcels.count, 2);
	assert_ptr_equal(parcels_next(&parcels), a);
	parcels_assign(&parcels, a, &link_one);
	assert_ptr_equal(handles_find(&link_one, parcel_handle(a)), a);
	assert_ptr_equal(parcels_next(&parcels), b);
	assert_int_equal(parcels.octets, 1);
	parcels_assign(&parcels, b, &link_one);
	assert_int_equal(parcels.octets, 3);
	assert_null(parcels_next(&parcels));
	parcels_finish(&parcels, a, &ok);
	assert_int_equal(parcels.octets, 2);
	assert_string_equal(told, "log a 250\ntell a 250\nfree a 0\n");
	assert_int_equal(parcels.count, 1);
}

static void
a_handle_is_free_again(void **context)
{
	struct parcel *a = add(0);

	(void)context;
	parcels_assign(&parcels, a, &link_one);
	parcels_finish(&parcels, a, &ok);
	assert_true(handles_are_idle(&link_one));
}

/* Those of the other link, and those that wait, are not concerned. */
static void
a_link_fails(void **context)
{
	(void)context;
	parcels_assign(&parcels, add(0), &link_one);
	parcels_assign(&parcels, add(1), &link_two);
	parcels_assign(&parcels, add(2), &link_one);
	(void)add(3);
	parcels_finish_sent(&parcels, &link_one, &later);
	assert_string_equal(told, "log a 451\ntell a 451\nfree a 0\n"
				  "log c 451\ntell c 451\nfree c 0\n");
	told[0] = '\0';
	parcels_finish_waiting(&parcels, &later);
	assert_string_equal(told, "log d 451\ntell d 451\nfree d 0\n");
	assert_int_equal(parcels.count, 1);
}

/* What was sent may still be answered, but nobody is told of that. */
static void
the_old_are_answered(void **context)
{
	struct monotime now = monotime_now();
	struct parcel *a = add(0);

	(void)context;
	parcels_assign(&parcels, a, &link_one);
	(void)add(1);
	parcels_answer_older(&parcels, monotime_add_ms(now, -1000), &later);
	assert_string_equal(told, "");
	parcels_answer_older(&parcels, monotime_add_ms(now, 60000), &later);
	assert_string_equal(
	    told, "log a 451\ntell a 451\nlog b 451\ntell b 451\nfree b 0\n");
	told[0] = '\0';
	parcels_answer_older(&parcels, monotime_add_ms(now, 60000), &later);
	assert_string_equal(told, "");
	assert_ptr_equal(handles_find(&link_one, parcel_handle(a)), a);
	parcels_finish(&parcels, a, &ok);
	assert_string_equal(told, "log a 250\nfree a 0\n");
}

/* What waits is forgotten; what was sent keeps its place. */
static void
an_owner_goes(void **context)
{
	struct parcel *a = add(0), *b = add(1);

	(void)context;
	parcels_assign(&parcels, a, &link_one);
	parcels_abandon(&parcels, b);
	assert_string_equal(told, "free b 0\n");
	parcels_abandon(&parcels, a);
	assert_int_equal(parcels.count, 1);
	/* The queue has it still. */
	assert_int_equal(parcels.octets, 1);
	told[0] = '\0';
	parcels_finish(&parcels, a, &ok);
	assert_string_equal(told, "log a 250\nfree a 0\n");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    they_wait_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_handle_is_free_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_link_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    the_old_are_answered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    an_owner_goes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
