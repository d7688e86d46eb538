#include "common/content.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/common/unit.h"

static int
content_of(const char *text, size_t length)
{
	int fd = content_create();

	assert_true(fd != -1);
	assert_int_equal(content_write(fd, text, length), 0);
	return fd;
}

static void
sealed_content_is_accepted_and_read(void **state)
{
	int fd = content_of("From: a\r\n", 9);
	const uint8_t *map;

	(void)state;
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(content_seal(fd), 0);
	assert_int_equal(content_check(fd, 9), 0);
	map = content_map(fd, 9);
	assert_non_null(map);
	assert_memory_equal(map, "From: a\r\n", 9);
	content_unmap(map, 9);
	close(fd);
}

static void
sealed_content_does_not_change(void **state)
{
	int fd = content_of("abc", 3);
	void *map;

	(void)state;
	assert_int_equal(content_seal(fd), 0);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 1), -1);
	assert_int_equal(ftruncate(fd, 100), -1);
	map = mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_equal(map, MAP_FAILED);
	assert_int_equal(content_check(fd, 3), 0);
	close(fd);
}

/* Each seal is demanded: with any one left out it is not content. */
static void
every_seal_is_needed(void **state)
{
	static const int seals[] = { F_SEAL_WRITE, F_SEAL_SHRINK, F_SEAL_GROW,
		F_SEAL_SEAL };

	(void)state;
	for (unsigned int set = 0; set < 16; set++) {
		int fd = content_of("abc", 3), wanted = 0;

		for (unsigned int i = 0; i < 4; i++)
			if ((set & 1u << i) != 0)
				wanted |= seals[i];
		assert_int_equal(fcntl(fd, F_ADD_SEALS, wanted), 0);
		errno = 0;
		assert_int_equal(content_check(fd, 3), set == 15 ? 0 : -1);
		if (set != 15)
			assert_int_equal(errno, EPROTO);
		close(fd);
	}
}

static void
the_size_must_be_exact(void **state)
{
	int fd = content_of("abc", 3);

	(void)state;
	assert_int_equal(content_seal(fd), 0);
	assert_int_equal(content_check(fd, 2), -1);
	assert_int_equal(content_check(fd, 4), -1);
	assert_int_equal(content_check(fd, UINT64_MAX), -1);
	assert_int_equal(content_check(fd, 0), -1);
	close(fd);
}

static void
empty_content_is_content(void **state)
{
	int fd = content_of("", 0);
	const uint8_t *map;

	(void)state;
	assert_int_equal(content_seal(fd), 0);
	assert_int_equal(content_check(fd, 0), 0);
	map = content_map(fd, 0);
	assert_non_null(map);
	content_unmap(map, 0);
	close(fd);
}

/* What else a broken neighbour could pass. */
static void
other_files_are_refused(void **state)
{
	char path[] = "/tmp/postern-content-XXXXXX";
	int file = mkstemp(path), null = open("/dev/null", O_RDONLY);
	int directory = open("/", O_RDONLY | O_DIRECTORY), ends[2];

	(void)state;
	assert_true(file != -1 && null != -1 && directory != -1);
	assert_int_equal(pipe(ends), 0);
	unlink(path);
	assert_int_equal(content_check(file, 0), -1);
	assert_int_equal(content_check(null, 0), -1);
	assert_int_equal(content_check(directory, 0), -1);
	assert_int_equal(content_check(ends[0], 0), -1);
	assert_int_equal(content_check(-1, 0), -1);
	close(file);
	close(null);
	close(directory);
	close(ends[0]);
	close(ends[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sealed_content_is_accepted_and_read),
		cmocka_unit_test(sealed_content_does_not_change),
		cmocka_unit_test(every_seal_is_needed),
		cmocka_unit_test(the_size_must_be_exact),
		cmocka_unit_test(empty_content_is_content),
		cmocka_unit_test(other_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
