/* Content on its way in: whole, sealed, bounded. */
#include <sys/resource.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/content.h"
#include "common/limits.h"
#include "smtpd/intake.h"

/* Octets that differ from place to place. */
static uint8_t
octet_at(size_t at)
{
	return (uint8_t)(at * 31 + at / 251);
}

static void
fill(struct intake *i, size_t total, size_t step)
{
	uint8_t *piece = malloc(step);

	assert_non_null(piece);
	for (size_t at = 0; at < total;) {
		size_t n = total - at < step ? total - at : step;

		for (size_t k = 0; k < n; k++)
			piece[k] = octet_at(at + k);
		assert_int_equal(intake_add(i, piece, n), 0);
		at += n;
	}
	free(piece);
}

static void
check_whole(size_t total, size_t step)
{
	struct intake *i = intake_new();
	const uint8_t *content;
	uint64_t size;
	int fd;

	assert_non_null(i);
	fill(i, total, step);
	fd = intake_finish(i, &size);
	assert_int_not_equal(fd, -1);
	intake_free(&i);
	assert_null(i);
	assert_int_equal(size, total);
	assert_int_equal(content_check(fd, size), 0);
	content = content_map(fd, size);
	assert_non_null(content);
	for (size_t at = 0; at < total; at++)
		if (content[at] != octet_at(at))
			fail_msg("octet %zu of %zu", at, total);
	content_unmap(content, size);
	close(fd);
}

static void
test_sizes(void **unused)
{
	static const size_t sizes[] = { 0, 1, 8191, 8192, 8193, 65535, 65536,
		65537, 131072, 131073, 1000000 };
	static const size_t steps[] = { 100, 8192, 65536, 65537, 200000 };

	(void)unused;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++)
			check_whole(sizes[i], steps[k]);
}

/* All messages together have a bound, and what was freed can be used again. */
static void
test_bound(void **unused)
{
	const size_t step = (size_t)INTAKE_BUFFER * 16;
	uint8_t *piece = calloc(1, step);
	struct intake *one = intake_new(), *other = intake_new();
	uint64_t added = 0;

	(void)unused;
	assert_non_null(piece);
	assert_non_null(one);
	assert_non_null(other);
	/* In steps, each written to the memfd: 64 MiB are enough to see that
	 * both count against the same bound. */
	while (added < 64 * step) {
		assert_int_equal(intake_add(one, piece, step), 0);
		added += step;
	}
	assert_int_equal(intake_add(other, piece,
			     (size_t)(LIMIT_CONTENT_IN_HAND - added + 1)),
	    -1);
	assert_int_equal(errno, ENOBUFS);
	intake_free(&one);
	assert_int_equal(intake_add(other, piece, step), 0);
	intake_free(&other);
	free(piece);
}

/* What is finished counts until it is freed: it is held elsewhere. */
static void
test_bound_after_the_end(void **unused)
{
	const size_t length = (size_t)INTAKE_BUFFER * 16;
	uint8_t *piece = calloc(1, length);
	struct intake *one = intake_new(), *other = intake_new();
	uint64_t size;
	int fd;

	(void)unused;
	assert_non_null(piece);
	assert_non_null(one);
	assert_non_null(other);
	assert_true(intake_has_room(LIMIT_CONTENT_IN_HAND));
	assert_false(intake_has_room(LIMIT_CONTENT_IN_HAND + 1));
	assert_int_equal(intake_add(one, piece, length), 0);
	fd = intake_finish(one, &size);
	assert_int_not_equal(fd, -1);
	assert_true(intake_has_room(LIMIT_CONTENT_IN_HAND - length));
	assert_false(intake_has_room(LIMIT_CONTENT_IN_HAND - length + 1));
	/* What did not fit leaves nothing behind. */
	assert_int_equal(intake_add(other, piece, 1000), 0);
	assert_int_equal(
	    intake_add(other, piece, (size_t)(LIMIT_CONTENT_IN_HAND - length)),
	    -1);
	assert_int_equal(errno, ENOBUFS);
	assert_true(intake_has_room(LIMIT_CONTENT_IN_HAND - length));
	intake_free(&one);
	assert_true(intake_has_room(LIMIT_CONTENT_IN_HAND));
	intake_free(&other);
	assert_true(intake_has_room(LIMIT_CONTENT_IN_HAND));
	close(fd);
	free(piece);
}

/* Without a descriptor to be had it says so. */
static void
test_no_descriptor(void **unused)
{
	struct intake *i = intake_new();
	struct rlimit before, none;
	uint64_t size;
	int failed;

	(void)unused;
	assert_non_null(i);
	assert_int_equal(intake_add(i, "x", 1), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	failed = intake_finish(i, &size);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(failed, -1);
	intake_free(&i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_bound_after_the_end),
		cmocka_unit_test(test_no_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
