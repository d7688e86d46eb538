/*
 * What the commands of postern-store share.
 *
 * A command has up to four parts. `prepare` and `finish` run as the caller,
 * open and rename what is the caller's, and look into nothing. `work` runs in a
 * child in a sandbox of its own, as the queue's user: it opens the store, and
 * its end, whatever it is, is only an exit code; `tidy` likewise, after it. All return one of sysexits(3)
 * and have said on standard error what went wrong.
 */
#ifndef QUEUE_TOOL_TOOL_H
#define QUEUE_TOOL_TOOL_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct store;

/* Whose the store is. */
#define TOOL_USER "postern-queue"

struct tool {
	const struct config *config;
	const char *directory; /* of the store, as the caller sees it */
	const char *place;     /* as `work` sees it */
	const char *file;      /* the argument, or NULL */
	bool json;
	bool compact;
	int fd;		/* of the file; -1: none */
	char *partial;	/* its name until it is whole */
	char *complete; /* and then */
};

int check_prepare(struct tool *);
int check_work(struct tool *);

int backup_prepare(struct tool *);
int backup_work(struct tool *);
int backup_finish(struct tool *, int code);
int restore_prepare(struct tool *); /* source.c */
int restore_work(struct tool *);
int compact_work(struct tool *);
/* Takes away the copy that one of these two left half done. */
int exchange_tidy(struct tool *);

int dump_work(struct tool *);
int load_work(struct tool *);

/* Does it begin as a file of LMDB does? -1 with errno; EUCLEAN: it does not. */
int source_check(int fd) __attribute__((warn_unused_result));

/* "postern-store: " and a line. */
void tool_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Says why the store could not be opened, read or written, by errno; the exit
 * code for that. */
int tool_fail(const struct tool *, const char *what);
/* Opens the store to look at it, which must have this postern's schema. NULL:
 * `code` says why, and so has standard error. */
struct store *tool_open(const struct tool *, int *code);
/* Has all of standard output been written? */
int tool_flush(int code);

#endif
