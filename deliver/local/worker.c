#include "deliver/local/worker.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/config.h"
#include "common/log.h"
#include "common/record.h"
#include "common/sandbox.h"
#include "deliver/local/intake.h"
#include "deliver/local/maildir.h"
#include "deliver/local/place.h"

/* A batch has a descriptor for each letter and for each file; some more for
 * the channel, the log and the directories. */
#define OPEN_FILES (INTAKE_LETTERS + INTAKE_COPIES + 64)

/* Long enough for the queue to read the last reports. */
#define PAUSE_MS 1000

static struct intake intake;
static bool unusable; /* a mailbox could not be opened */
/* A mailbox that was delivered to and is still to be tidied. */
static const struct mailbox_config *untidy;

/* -- The cage -------------------------------------------------------------- */

static void
confine(const struct worker *w)
{
	struct sandbox cage = {
		.paths = place_roots(w->config, &w->owner),
		.calls = SANDBOX_FILES_READ | SANDBOX_FILES_WRITE,
		.open_files = OPEN_FILES,
	};

	if (cage.paths == NULL)
		log_fatal(EX_OSERR, "mailbox paths");
	umask(077);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error to report */
	sandbox_enter(&cage);
}

/* -- Delivering ------------------------------------------------------------ */

static void
place_all(
    struct copy *const *copies, unsigned int count, const struct result *result)
{
	for (unsigned int i = 0; i < count; i++)
		copies[i]->result = *result;
}

/* Is the queue still there to hear a report? */
static bool
is_awaited(const void *context)
{
	const struct worker *w = context;
	struct pollfd p = { .fd = w->fd };

	return poll(&p, 1, 0) == 0;
}

static void
deliver_maildir(const struct worker *w, const struct mailbox_config *mailbox,
    struct copy *const *copies, unsigned int count)
{
	struct result why;
	struct place place;

	if (place_open(&place, &w->owner, mailbox->path, &why) == -1) {
		place_all(copies, count, &why);
		unusable = true;
		return;
	}
	maildir_deliver(
	    &place, w->config->hostname, copies, count, is_awaited, w);
	place_close(&place);
	untidy = mailbox;
}

/* Once in a worker's life, and after its first reports: nobody waits. */
static void
tidy(const struct worker *w)
{
	static bool done;
	struct result why;
	struct place place;

	if (done || untidy == NULL)
		return;
	done = true;
	if (place_open(&place, &w->owner, untidy->path, &why) == -1)
		return;
	maildir_tidy(&place, time(NULL));
	place_close(&place);
}

/* All of them are for the mailbox of that name. The queue knows only the name;
 * what it means is read from the configuration of today. */
static void
deliver_group(const struct worker *w, const char *name,
    struct copy *const *copies, unsigned int count)
{
	const struct mailbox_config *mailbox = config_mailbox(w->config, name);
	struct result unknown;

	if (mailbox == NULL) {
		result_set(&unknown, REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT,
		    "4.3.5 Mailbox \"%s\" is not in the configuration", name);
		place_all(copies, count, &unknown);
		return;
	}
	switch (mailbox->format) {
	case MAILBOX_MAILDIR:
		deliver_maildir(w, mailbox, copies, count);
		break;
	}
}

static void
deliver_batch(const struct worker *w)
{
	struct copy *group[INTAKE_COPIES];

	for (unsigned int i = 0; i < intake.copy_count; i++) {
		const char *name = intake.copies[i].letter->mailbox;
		unsigned int count = 0;

		if (intake.copies[i].placed)
			continue;
		for (unsigned int j = i; j < intake.copy_count; j++) {
			struct copy *copy = &intake.copies[j];

			if (strcmp(copy->letter->mailbox, name) != 0)
				continue;
			copy->placed = true;
			group[count++] = copy;
		}
		deliver_group(w, name, group, count);
	}
}

/* -- Talking with the queue ------------------------------------------------ */

/* Waits for one copy, then takes what else is there. 1: there is a batch;
 * 0: end of file; -1 with errno. */
static int
gather(const struct worker *w)
{
	static uint8_t record[LIMIT_RECORD];
	struct message m = MESSAGE_INIT(MESSAGE_NONE, 0);
	int got, taken;

	while (intake_has_room(&intake)) {
		got = record_read(w->fd, record, &m, PROGRAM_LOCAL,
		    PROGRAM_QUEUE, intake.copy_count > 0 ? MSG_DONTWAIT : 0);
		if (got == -1 && errno == EAGAIN)
			break;
		if (got != 1)
			return got;
		taken = intake_take(&intake, &m);
		if (m.fd != -1)
			close(message_take_fd(&m));
		if (taken == -1) {
			errno = EPROTO;
			return -1;
		}
	}
	return 1;
}

static int
report_batch(const struct worker *w)
{
	for (unsigned int i = 0; i < intake.copy_count; i++) {
		const struct copy *copy = &intake.copies[i];
		struct message m =
		    MESSAGE_INIT(MESSAGE_REPORT, copy->letter->handle);

		m.report.number = copy->number;
		m.report.outcome = (uint8_t)copy->result.outcome;
		m.report.scope = (uint8_t)copy->result.scope;
		m.report.host = w->config->hostname;
		m.report.reply = copy->result.reply;
		if (record_write(w->fd, &m, 0) == -1)
			return -1;
	}
	return 0;
}

/* What makes a mailbox usable again may be new to this worker's cage (a home
 * that was mended, a Maildir that was made anew), so the worker ends as soon
 * as the queue pauses, and the next one looks afresh. */
static bool
is_wanted(const struct worker *w)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	return !unusable || poll(&p, 1, PAUSE_MS) != 0;
}

void
worker_run(const struct worker *w)
{
	int got = 0;

	confine(w);
	intake_begin(&intake);
	while (is_wanted(w) && (got = gather(w)) == 1) {
		deliver_batch(w);
		if (report_batch(w) == -1)
			break; /* the queue has gone */
		intake_release(&intake);
		tidy(w);
	}
	if (got == -1)
		log_warn("worker-link user=\"%s\" error=\"%s\"",
		    log_text(w->owner.login), strerror(errno));
	exit(0);
}
