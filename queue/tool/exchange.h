/*
 * Another data file in place of the store's, in one step: whatever happens
 * meanwhile, there is the old store or the new one. The old one is kept beside
 * it. For whoever holds STORE_LOCK_EXCHANGE.
 */
#ifndef QUEUE_TOOL_EXCHANGE_H
#define QUEUE_TOOL_EXCHANGE_H

struct tool;

/* A new, empty file in the store's folder; -1 with errno. */
int exchange_begin(const struct tool *) __attribute__((warn_unused_result));
/* As the work sees it. */
const char *exchange_path(const struct tool *);
/* It is written: flush it to the disk. Closes it. -1 with errno. */
int exchange_written(int fd_take) __attribute__((warn_unused_result));
/* Puts it in place, and says where the old one is. Or -1 with errno, and
 * nothing has changed. */
int exchange_commit(const struct tool *) __attribute__((warn_unused_result));
void exchange_abort(const struct tool *);

#endif
