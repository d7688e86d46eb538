#include "deliver/local/maildir.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/stdlib.h>

#include "deliver/local/copy_file.h"
#include "deliver/local/intake.h"
#include "deliver/local/maildir_name.h"
#include "deliver/local/place.h"

struct file {
	struct copy *copy;
	int fd;	    /* -1: closed */
	bool moved; /* into new */
	bool failed;
	struct copy_size size;
	char unique[MAILDIR_NAME_SIZE];
	char final[MAILDIR_NAME_SIZE];
};

struct batch {
	const struct place *place;
	const char *hostname;
	struct file files[INTAKE_COPIES];
	unsigned int count;
};

/* -- Failing --------------------------------------------------------------- */

/* The copy's result is set; nothing of it stays behind. */
static void
discard(const struct place *place, struct file *f)
{
	if (f->fd != -1)
		close(f->fd);
	f->fd = -1;
	if (f->moved)
		unlinkat(place->new, f->final, 0);
	else if (f->unique[0] != '\0')
		unlinkat(place->tmp, f->unique, 0);
	f->failed = true;
}

static void
fail(const struct place *place, struct file *f, const char *what)
{
	result_set_error(&f->copy->result, REPORT_SCOPE_RECIPIENT, errno, what);
	discard(place, f);
}

/* -- tmp ------------------------------------------------------------------- */

static void
make_unique(struct batch *b, struct file *f)
{
	static uint32_t counter;
	struct maildir_name name = {
		.pid = (uint32_t)getpid(),
		.id = f->copy->letter->id,
		.hostname = b->hostname,
	};
	struct timespec now;

	name.counter = counter++;
	clock_gettime(CLOCK_REALTIME, &now);
	name.seconds = (uint64_t)now.tv_sec;
	name.microseconds = (uint32_t)(now.tv_nsec / 1000);
	arc4random_buf(&name.random, sizeof(name.random));
	maildir_name_unique(&name, f->unique);
}

static void
write_file(struct batch *b, struct file *f)
{
	make_unique(b, f);
	f->fd = openat(b->place->tmp, f->unique,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (f->fd == -1) {
		result_set_error(&f->copy->result, REPORT_SCOPE_RECIPIENT,
		    errno, "Cannot create a file in tmp of the mailbox");
		f->failed = true;
		return;
	}
	if (copy_file_write(f->fd, f->copy, &f->size) == 0)
		return;
	if (errno == ELOOP) {
		result_set(&f->copy->result, REPORT_FAILED,
		    REPORT_SCOPE_RECIPIENT,
		    "5.4.6 Mail loop: already delivered to %s",
		    f->copy->address);
		discard(b->place, f);
	} else
		fail(b->place, f, "Cannot write to the mailbox");
}

/* Starts all the disk's work at once, so that no sync waits for another. It
 * is only a hint: the sync that follows is what counts. */
static void
start_write_back(struct batch *b)
{
	if (b->count < 2)
		return;
	for (unsigned int i = 0; i < b->count; i++)
		if (!b->files[i].failed)
			(void)sync_file_range(
			    b->files[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

static void
sync_file(struct batch *b, struct file *f)
{
	int fd = f->fd;

	if (fsync(fd) == -1) {
		fail(b->place, f, "Cannot sync the mailbox");
		return;
	}
	f->fd = -1;
	if (close(fd) == -1)
		fail(b->place, f, "Cannot close a file of the mailbox");
}

/* -- new ------------------------------------------------------------------- */

/* For file systems that cannot refuse to replace: a link never replaces. */
static int
move_by_link(const struct place *place, const struct file *f)
{
	if (linkat(place->tmp, f->unique, place->new, f->final, 0) == -1)
		return -1;
	(void)unlinkat(place->tmp, f->unique, 0);
	return 0;
}

static void
move_file(struct batch *b, struct file *f)
{
	const struct place *place = b->place;
	int moved;

	maildir_name_final(f->unique, f->size.octets, f->size.lines, f->final);
	moved = renameat2(
	    place->tmp, f->unique, place->new, f->final, RENAME_NOREPLACE);
	if (moved == -1 && (errno == EINVAL || errno == ENOSYS))
		moved = move_by_link(place, f);
	if (moved == -1)
		fail(place, f, "Cannot move a message to new of the mailbox");
	else
		f->moved = true;
}

/* Nobody waits for it any more. */
static void
give_back(struct batch *b, struct file *f)
{
	result_set(&f->copy->result, REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT,
	    "4.3.0 The delivery was interrupted");
	discard(b->place, f);
}

static void
sync_new(struct batch *b)
{
	bool synced = fsync(b->place->new) == 0;
	int error = errno;

	for (unsigned int i = 0; i < b->count; i++) {
		struct file *f = &b->files[i];

		if (f->failed)
			continue;
		errno = error;
		if (!synced)
			fail(b->place, f, "Cannot sync the mailbox");
		else
			result_set(&f->copy->result, REPORT_DELIVERED,
			    REPORT_SCOPE_RECIPIENT,
			    "2.0.0 Delivered to maildir");
	}
}

/* -- The batch ------------------------------------------------------------- */

static void
each(struct batch *b, void (*act)(struct batch *, struct file *))
{
	for (unsigned int i = 0; i < b->count; i++)
		if (!b->files[i].failed)
			act(b, &b->files[i]);
}

void
maildir_deliver(const struct place *place, const char *hostname,
    struct copy *const *copies, unsigned int count,
    bool (*is_awaited)(const void *context), const void *context)
{
	static struct batch b;

	memset(&b, 0, sizeof(b));
	b.place = place;
	b.hostname = hostname;
	b.count = count < INTAKE_COPIES ? count : INTAKE_COPIES;
	for (unsigned int i = 0; i < b.count; i++) {
		b.files[i].copy = copies[i];
		b.files[i].fd = -1;
	}
	each(&b, write_file);
	start_write_back(&b);
	each(&b, sync_file);
	if (!is_awaited(context)) {
		each(&b, give_back);
		return;
	}
	each(&b, move_file);
	sync_new(&b);
}
