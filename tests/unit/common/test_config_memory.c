/*
 * A configuration is read while memory runs out, at each allocation in turn.
 * The linker puts what is here in the place of malloc(3) and its kin.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_load.h"
#include "tests/unit/common/unit.h"

static unsigned int allocations, fail_at; /* 0: never */

static bool
may_allocate(void)
{
	allocations++;
	if (allocations != fail_at)
		return true;
	errno = ENOMEM;
	return false;
}

void *__real_malloc(size_t);
void *__wrap_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__wrap_calloc(size_t, size_t);
char *__real_strdup(const char *);
char *__wrap_strdup(const char *);
void *__real_reallocarray(void *, size_t, size_t);
void *__wrap_reallocarray(void *, size_t, size_t);
FILE *__real_open_memstream(char **, size_t *);
FILE *__wrap_open_memstream(char **, size_t *);
int __wrap_asprintf(char **, const char *, ...)
    __attribute__((format(printf, 2, 3)));

void *
__wrap_malloc(size_t size)
{
	return may_allocate() ? __real_malloc(size) : NULL;
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return may_allocate() ? __real_calloc(count, size) : NULL;
}

char *
__wrap_strdup(const char *text)
{
	return may_allocate() ? __real_strdup(text) : NULL;
}

void *
__wrap_reallocarray(void *array, size_t count, size_t size)
{
	return may_allocate() ? __real_reallocarray(array, count, size) : NULL;
}

FILE *
__wrap_open_memstream(char **text, size_t *length)
{
	return may_allocate() ? __real_open_memstream(text, length) : NULL;
}

int
__wrap_asprintf(char **text, const char *format, ...)
{
	va_list arguments;
	int result = -1;

	va_start(arguments, format);
	if (may_allocate())
		result = vasprintf(text, format, arguments);
	va_end(arguments);
	return result;
}

static const char good[] =
    "hostname \"mail.example.org\" spool \"/s\" run \"/r\" admin \"a@b\"\n"
    "resolver forward \"192.0.2.1\" \"192.0.2.2\" \"192.0.2.3@53\"\n"
    "resolver stub \"example.net\" \"192.0.2.1\"\n"
    "table \"t\" { \"a\" \"b\" \"c\" \"d\" } table \"f\" file \"/f\"\n"
    "listen on 192.0.2.1 port 25 listen on 192.0.2.2 port 25\n"
    "mailbox \"m\" users table \"t\" aliases \"f\" deliver maildir \"~/M\"\n"
    "relay \"r\" via \"host.example.net\" relay \"s\" via 192.0.2.9\n"
    "accept to domain table \"t\" mailbox \"m\"\n"
    "accept from address 192.0.2.0/24 192.0.3.0/24 sender domain \"d\" relay\n"
    "accept from local sender \"a@b\" relay \"r\"\n"
    "accept sender domain table \"t\" to \"x@y\" mailbox \"m\"\n"
    "reject to domain \"z\" with \"450 4.7.1 later\"\n";

/* Errors need memory as well. */
static const char bad[] =
    "hostname mail\n"
    "listen on * port\n"
    "limit workers 100\n"
    "accept from address 192.0.2.1/24 relay\n"
    "table \"t\" { \"a\" \"b\" } accept to domain \"example.org\" foo\n";

/* How many allocations a text takes; then fails each of them in turn. No
 * failure may be overlooked: the result is none at all, with a word about it,
 * and nothing is left behind (which the sanitizer build looks at). */
static void
fail_each_allocation(const char *text, bool is_good)
{
	FILE *errors = tmpfile();
	unsigned int all;
	struct config *c;

	assert_non_null(errors);
	fail_at = 0;
	allocations = 0;
	c = config_parse("x", text, strlen(text), errors);
	all = allocations;
	assert_int_equal(c != NULL, is_good);
	config_free(&c);
	assert_true(all > 5);
	for (unsigned int n = 1; n <= all; n++) {
		rewind(errors);
		allocations = 0;
		fail_at = n;
		c = config_parse("x", text, strlen(text), errors);
		fail_at = 0;
		assert_null(c);
		assert_true(ftell(errors) > 0);
	}
	fclose(errors);
}

static void
a_good_text_fails_whole(void **state)
{
	(void)state;
	fail_each_allocation(good, true);
}

static void
a_bad_text_stays_bad(void **state)
{
	(void)state;
	fail_each_allocation(bad, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_text_fails_whole),
		cmocka_unit_test(a_bad_text_stays_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
