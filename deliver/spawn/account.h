/*
 * From a login name that the queue gave to the owner of a mailbox. The queue
 * is not believed: whose uid it is, is looked up here, and root and the
 * users of postern itself are refused.
 */
#ifndef DELIVER_SPAWN_ACCOUNT_H
#define DELIVER_SPAWN_ACCOUNT_H

#include "deliver/local/owner.h"
#include "deliver/local/result.h"

/* Before the sandbox: accounts are those of /etc/passwd, as in the router. */
void account_preload(void);

/* -1, and `why` says why there will be no worker: final if there is certainly
 * no such account, deferred if it could not be found out. */
int account_find(const char *login, struct owner *, struct result *why)
    __attribute__((warn_unused_result));

#endif
