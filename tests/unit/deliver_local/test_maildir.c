/* Delivery into a Maildir, as a user that is not root. */
#include "deliver/local/maildir.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>
#include <cmocka.h>

#include "common/content.h"
#include "deliver/local/intake.h"
#include "deliver/local/place.h"
#include "tests/unit/deliver_local/as_user.h"

#define ADDRESS "tester@example.org"
#define HOST "mail.example.org"

/* For use in the child, where cmocka is not: says where, and fails. */
#define CHECK(condition)                                                   \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
			    #condition);                                   \
			return 1;                                          \
		}                                                          \
	} while (0)

static struct letter letters[INTAKE_COPIES];
static struct copy copies[INTAKE_COPIES];
static struct copy *pointers[INTAKE_COPIES];

static void
write_letter(unsigned int i, const void *content, size_t size)
{
	struct letter *letter = &letters[i];

	letter->id = 1000 + i;
	letter->size = size;
	letter->fd = content_create();
	if (content_write(letter->fd, content, size) == -1 ||
	    content_seal(letter->fd) == -1)
		abort();
	strlcpy(letter->sender, "from@example.net", sizeof(letter->sender));
	copies[i].letter = letter;
	strlcpy(copies[i].address, ADDRESS, sizeof(copies[i].address));
	pointers[i] = &copies[i];
}

static bool awaited = true;

static bool
is_awaited(const void *context)
{
	return *(const bool *)context;
}

static int
deliver(struct scratch *s, unsigned int count)
{
	struct place place;
	struct result why;

	CHECK(place_open(&place, &s->owner, "~/Maildir", &why) == 0);
	maildir_deliver(&place, HOST, pointers, count, is_awaited, &awaited);
	place_close(&place);
	return 0;
}

/* The one file in new: its name and content. */
static int
read_one(struct scratch *s, char name[256], char *content, size_t size)
{
	DIR *directory = opendir(scratch_path(s, "Maildir/new"));
	char path[PATH_MAX];
	struct dirent *entry;
	size_t n;
	FILE *f;

	CHECK(directory != NULL);
	do
		entry = readdir(directory);
	while (entry != NULL && entry->d_name[0] == '.');
	CHECK(entry != NULL);
	strlcpy(name, entry->d_name, 256);
	strlcpy(path, scratch_path(s, "Maildir/new/"), sizeof(path));
	strlcat(path, name, sizeof(path));
	f = fopen(path, "r");
	CHECK(f != NULL);
	n = fread(content, 1, size - 1, f);
	content[n] = '\0';
	fclose(f);
	closedir(directory);
	return 0;
}

/* -- The system calls that make a delivery durable, watched ----------------- */

static char calls[1024]; /* a letter each: see below */
static size_t call_count;
static unsigned int fail_at; /* the call of that number fails; 0: none */
static int fail_with;

static int
note(char letter)
{
	if (call_count < sizeof(calls) - 1)
		calls[call_count++] = letter;
	if (call_count != fail_at)
		return 0;
	errno = fail_with;
	return -1;
}

static bool
is_directory(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

/* These stand in the way of the C library's. F: sync a file; D: a directory;
 * M: move; L: link; W: start to write back. */
int
fsync(int fd)
{
	if (note(is_directory(fd) ? 'D' : 'F') == -1)
		return -1;
	return (int)syscall(SYS_fsync, fd);
}

int
sync_file_range(int fd, off64_t from, off64_t count, unsigned int flags)
{
	if (note('W') == -1)
		return -1;
	return (int)syscall(SYS_sync_file_range, fd, from, count, flags);
}

int
renameat2(
    int from, const char *old, int to, const char *new, unsigned int flags)
{
	if (note('M') == -1)
		return -1;
	return (int)syscall(SYS_renameat2, from, old, to, new, flags);
}

int
linkat(int from, const char *old, int to, const char *new, int flags)
{
	if (note('L') == -1)
		return -1;
	return (int)syscall(SYS_linkat, from, old, to, new, flags);
}

/* Three messages into a Maildir that is there. */
static int
deliver_three(struct scratch *s, unsigned int failing, int error)
{
	struct place place;
	struct result why;

	CHECK(place_open(&place, &s->owner, "~/Maildir", &why) == 0);
	place_close(&place);
	for (unsigned int i = 0; i < 3; i++)
		write_letter(i, "A: b\r\n\r\n", 8);
	memset(calls, 0, sizeof(calls));
	call_count = 0;
	fail_at = failing;
	fail_with = error;
	CHECK(deliver(s, 3) == 0);
	return 0;
}

static int
check_outcome(struct scratch *s, const char *wanted_calls, int delivered)
{
	int count = 0;

	if (strcmp(calls, wanted_calls) != 0)
		fprintf(stderr, "calls: %s\n", calls);
	CHECK(strcmp(calls, wanted_calls) == 0);
	for (unsigned int i = 0; i < 3; i++)
		if (copies[i].result.outcome == REPORT_DELIVERED)
			count++;
		else
			CHECK(copies[i].result.outcome == REPORT_DEFERRED &&
			      strncmp(copies[i].result.reply, "4.", 2) == 0);
	CHECK(count == delivered);
	CHECK(scratch_count(s, "Maildir/new") == delivered);
	CHECK(scratch_count(s, "Maildir/tmp") == 0);
	return 0;
}

/* Each file is on disk before it has its name in new, and the names are before
 * anything is reported. */
static int
order_of_syncs(struct scratch *s)
{
	CHECK(deliver_three(s, 0, 0) == 0);
	return check_outcome(s, "WWWFFFMMMD", 3);
}

static int
file_not_synced(struct scratch *s)
{
	CHECK(deliver_three(s, 5, EIO) == 0);
	CHECK(copies[1].result.outcome == REPORT_DEFERRED);
	return check_outcome(s, "WWWFFFMMD", 2);
}

static int
new_not_synced(struct scratch *s)
{
	CHECK(deliver_three(s, 10, EIO) == 0);
	return check_outcome(s, "WWWFFFMMMD", 0);
}

static int
not_moved(struct scratch *s)
{
	CHECK(deliver_three(s, 7, EEXIST) == 0);
	return check_outcome(s, "WWWFFFMMMD", 2);
}

/* A file system that cannot move without replacing can link. */
static int
moved_by_link(struct scratch *s)
{
	CHECK(deliver_three(s, 7, EINVAL) == 0);
	return check_outcome(s, "WWWFFFMLMMD", 3);
}

static int
write_back_is_a_hint(struct scratch *s)
{
	CHECK(deliver_three(s, 1, ENOSYS) == 0);
	return check_outcome(s, "WWWFFFMMMD", 3);
}

/* -- Messages ---------------------------------------------------------------- */

static int
one_message(struct scratch *s)
{
	static const char in[] = "Return-Path: <forged@x>\r\nSubject: s\r\n"
				 "\r\nbody\r\n";
	static const char want[] = "Return-Path: <from@example.net>\n"
				   "Delivered-To: " ADDRESS "\n"
				   "Subject: s\n\nbody\n";
	char name[256], content[1024], sizes[64], path[PATH_MAX];
	struct stat st;

	write_letter(0, in, sizeof(in) - 1);
	CHECK(deliver(s, 1) == 0);
	CHECK(copies[0].result.outcome == REPORT_DELIVERED);
	CHECK(strncmp(copies[0].result.reply, "2.0.0 ", 6) == 0);
	CHECK(read_one(s, name, content, sizeof(content)) == 0);
	CHECK(strcmp(content, want) == 0);
	snprintf(sizes, sizeof(sizes), "." HOST ",S=%zu,W=%zu",
	    sizeof(want) - 1, sizeof(want) - 1 + 5);
	CHECK(strstr(name, sizes) != NULL);
	CHECK(strchr(name, ':') == NULL);
	strlcpy(path, scratch_path(s, "Maildir/new/"), sizeof(path));
	strlcat(path, name, sizeof(path));
	CHECK(stat(path, &st) == 0 && st.st_mode == (S_IFREG | 0600));
	CHECK(scratch_count(s, "Maildir/tmp") == 0);
	CHECK(scratch_count(s, "Maildir/cur") == 0);
	return 0;
}

static int
full_batch(struct scratch *s)
{
	for (unsigned int i = 0; i < INTAKE_COPIES; i++)
		write_letter(i, "A: b\r\n\r\nx\r\n", 11);
	CHECK(deliver(s, INTAKE_COPIES) == 0);
	for (unsigned int i = 0; i < INTAKE_COPIES; i++)
		CHECK(copies[i].result.outcome == REPORT_DELIVERED);
	CHECK(scratch_count(s, "Maildir/new") == INTAKE_COPIES);
	CHECK(scratch_count(s, "Maildir/tmp") == 0);
	return 0;
}

/* The queue went away: what it will send again is not delivered now. */
static int
nobody_waits(struct scratch *s)
{
	write_letter(0, "A: b\r\n\r\nx\r\n", 11);
	write_letter(1, "A: b\r\n\r\nx\r\n", 11);
	awaited = false;
	CHECK(deliver(s, 2) == 0);
	CHECK(copies[0].result.outcome == REPORT_DEFERRED);
	CHECK(copies[1].result.outcome == REPORT_DEFERRED);
	CHECK(scratch_count(s, "Maildir/new") == 0);
	CHECK(scratch_count(s, "Maildir/tmp") == 0);
	return 0;
}

/* Larger than every buffer, with line ends on all their edges. */
static int
large_message(struct scratch *s)
{
	size_t lines = 200000, size = 2 + 3 * lines;
	char *content = malloc(size), name[256], read[128];
	char sizes[64];

	CHECK(content != NULL);
	memcpy(content, "\r\n", 2);
	for (size_t i = 0; i < lines; i++)
		memcpy(content + 2 + 3 * i, "x\r\n", 3);
	write_letter(0, content, size);
	CHECK(deliver(s, 1) == 0);
	CHECK(copies[0].result.outcome == REPORT_DELIVERED);
	CHECK(read_one(s, name, read, sizeof(read)) == 0);
	snprintf(sizes, sizeof(sizes), ",S=%zu,W=%zu", 65 + 1 + 2 * lines,
	    65 + 1 + 2 * lines + lines + 3);
	CHECK(strstr(name, sizes) != NULL);
	free(content);
	return 0;
}

/* Each copy has its own result: a loop, one too large, two that are fine. */
static int
mixed_batch(struct scratch *s)
{
	static char huge[1 << 20];
	struct rlimit limit = { 65536, 65536 };

	memset(huge, 'x', sizeof(huge));
	write_letter(0, "A: b\r\n\r\n", 8);
	write_letter(1, huge, sizeof(huge));
	write_letter(2, "Delivered-To: " ADDRESS "\r\n\r\n", 36);
	write_letter(3, "A: b\r\n\r\n", 8);
	signal(SIGXFSZ, SIG_IGN);
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(deliver(s, 4) == 0);
	CHECK(copies[0].result.outcome == REPORT_DELIVERED);
	CHECK(copies[1].result.outcome == REPORT_DEFERRED);
	CHECK(strncmp(copies[1].result.reply, "4.3.1 ", 6) == 0);
	CHECK(copies[2].result.outcome == REPORT_FAILED);
	CHECK(strncmp(copies[2].result.reply, "5.4.6 ", 6) == 0);
	CHECK(copies[3].result.outcome == REPORT_DELIVERED);
	CHECK(scratch_count(s, "Maildir/new") == 2);
	CHECK(scratch_count(s, "Maildir/tmp") == 0);
	return 0;
}

static int
shut_tmp(struct scratch *s)
{
	struct place place;
	struct result why;

	CHECK(place_open(&place, &s->owner, "~/Maildir", &why) == 0);
	CHECK(chmod(scratch_path(s, "Maildir/tmp"), 0500) == 0);
	write_letter(0, "\r\n", 2);
	CHECK(deliver(s, 1) == 0);
	CHECK(copies[0].result.outcome == REPORT_DEFERRED);
	CHECK(strstr(copies[0].result.reply, "tmp") != NULL);
	CHECK(strstr(copies[0].result.reply, "Permission denied") != NULL);
	return 0;
}

/* The message is whole in tmp, but cannot get into new. */
static int
shut_new(struct scratch *s)
{
	struct place place;
	struct result why;

	CHECK(place_open(&place, &s->owner, "~/Maildir", &why) == 0);
	CHECK(chmod(scratch_path(s, "Maildir/new"), 0500) == 0);
	write_letter(0, "\r\n", 2);
	write_letter(1, "\r\n", 2);
	CHECK(deliver(s, 2) == 0);
	CHECK(copies[0].result.outcome == REPORT_DEFERRED);
	CHECK(copies[1].result.outcome == REPORT_DEFERRED);
	CHECK(strstr(copies[0].result.reply, "new") != NULL);
	CHECK(scratch_count(s, "Maildir/tmp") == 0);
	CHECK(scratch_count(s, "Maildir/new") == 0);
	return 0;
}

static int
age(struct scratch *s, const char *name, time_t modified)
{
	const struct timespec times[2] = { { .tv_sec = modified },
		{ .tv_sec = modified } };
	char path[PATH_MAX];
	int fd;

	strlcpy(path, scratch_path(s, "Maildir/tmp/"), sizeof(path));
	strlcat(path, name, sizeof(path));
	fd = creat(path, 0600);
	CHECK(fd != -1);
	CHECK(futimens(fd, times) == 0);
	close(fd);
	return 0;
}

/* The change time cannot be set, so it is `now` that lies ahead. */
static int
tidy(struct scratch *s)
{
	time_t now = time(NULL);
	struct place place;
	struct result why;

	CHECK(place_open(&place, &s->owner, "~/Maildir", &why) == 0);
	CHECK(age(s, "old", now) == 0);
	CHECK(age(s, "written-since", now + 3600) == 0);
	CHECK(mkdir(scratch_path(s, "Maildir/tmp/folder"), 0700) == 0);
	CHECK(symlink("old", scratch_path(s, "Maildir/tmp/link")) == 0);
	maildir_tidy(&place, now + 35 * 3600);
	CHECK(scratch_count(s, "Maildir/tmp") == 4);
	maildir_tidy(&place, now + 36 * 3600 + 60);
	CHECK(scratch_count(s, "Maildir/tmp") == 3);
	CHECK(access(scratch_path(s, "Maildir/tmp/old"), F_OK) == -1);
	place_close(&place);
	return 0;
}

#define TEST(name)                                                   \
	static void test_##name(void **state)                        \
	{                                                            \
		assert_int_equal(scratch_as_owner(*state, name), 0); \
	}
TEST(order_of_syncs)
TEST(file_not_synced)
TEST(new_not_synced)
TEST(not_moved)
TEST(moved_by_link)
TEST(write_back_is_a_hint)
TEST(one_message)
TEST(full_batch)
TEST(nobody_waits)
TEST(large_message)
TEST(mixed_batch)
TEST(shut_tmp)
TEST(shut_new)
TEST(tidy)
#undef TEST

int
main(void)
{
#define TEST(name)                       \
	cmocka_unit_test_setup_teardown( \
	    test_##name, scratch_make, scratch_remove)
	const struct CMUnitTest tests[] = {
		TEST(order_of_syncs),
		TEST(file_not_synced),
		TEST(new_not_synced),
		TEST(not_moved),
		TEST(moved_by_link),
		TEST(write_back_is_a_hint),
		TEST(one_message),
		TEST(full_batch),
		TEST(nobody_waits),
		TEST(large_message),
		TEST(mixed_batch),
		TEST(shut_tmp),
		TEST(shut_new),
		TEST(tidy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
