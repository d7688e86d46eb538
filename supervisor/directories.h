/*
 * What has to be there before anything runs: the run directory with the empty
 * root of the programs, the spool with the queue's own directory, and the lock
 * that keeps a second supervisor out. Exits with a message if it cannot.
 */
#ifndef SUPERVISOR_DIRECTORIES_H
#define SUPERVISOR_DIRECTORIES_H

#include "common/config.h"

void directories_make(const struct config *);
/* RUN/postern.pid, held until the process ends. */
void directories_lock(const struct config *);
/* Writes our pid into it; after the fork. */
void directories_sign(void);
/* Leaves it empty. It stays, since removing it would race with the next. */
void directories_unsign(void);

#endif
