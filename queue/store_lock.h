/*
 * Who may do what with the files of a store: locks on single octets of the
 * file "owner" beside them. A lock is held as long as its descriptor is open,
 * and ends with the process.
 */
#ifndef QUEUE_STORE_LOCK_H
#define QUEUE_STORE_LOCK_H

enum store_lock {
	/* Writes it: two would deliver everything twice. */
	STORE_LOCK_OWNER,
	/* Looks on, beside an owner or alone. */
	STORE_LOCK_READER,
	/* Exchanges the files: no owner, and no readers, who would share
	 * LMDB's table of readers with those of another file. */
	STORE_LOCK_EXCHANGE,
};

/* A descriptor. -1 with errno; EBUSY: another process is in the way. Only a
 * reader does not make the file: ENOENT then. */
int store_lock(const char *directory, enum store_lock)
    __attribute__((warn_unused_result));

#endif
