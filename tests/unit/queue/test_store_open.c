/* Where the names of a store's files are written to the disk. */
#include <sys/stat.h>

#include "tests/unit/queue/test.h"

static struct house house;
static unsigned int folders; /* that were synced */
static int error;	     /* of the next one */

int __real_fsync(int fd);
int __wrap_fsync(int fd);

int
__wrap_fsync(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		folders++;
		if (error != 0) {
			errno = error;
			return -1;
		}
	}
	return __real_fsync(fd);
}

static int
set_up(void **state)
{
	(void)state;
	folders = 0;
	error = 0;
	house_open(&house, 1 * MIB);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	house_close(&house);
	return 0;
}

/* A message that is on the disk in a file without a name is lost. */
static void
test_the_folder_is_synced(void **state)
{
	(void)state;
	assert_int_equal(folders, 1);
}

static void
test_a_folder_that_cannot_be_written(void **state)
{
	(void)state;
	store_close(&house.store);
	error = EIO;
	errno = 0;
	assert_null(store_open(house.directory, MIB));
	assert_int_equal(errno, EIO);
	error = 0;
	house.store = store_open(house.directory, MIB);
	assert_non_null(house.store);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_the_folder_is_synced),
		TEST(test_a_folder_that_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
