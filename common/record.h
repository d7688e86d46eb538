/*
 * One record on a plain SOCK_SEQPACKET socket: one datagram is one message,
 * with at most one descriptor. No event loop, so that it also serves start-up
 * and the workers and tools that have none; common/channel.h is the link on
 * the event loop, made of these.
 */
#ifndef COMMON_RECORD_H
#define COMMON_RECORD_H

#include <sys/types.h>

#include <stddef.h>

#include "common/message.h"

/* Reads one message. `record` must have LIMIT_RECORD octets and lends to the
 * message; its descriptor is the caller's. 1 a message, 0 end of file, -1 with
 * errno (EPROTO: the peer broke the protocol; EAGAIN if `flags` has
 * MSG_DONTWAIT and nothing is there). */
int record_read(int fd, void *record, struct message *, enum program self,
    enum program peer, int flags) __attribute__((warn_unused_result));

/* Sends one message. Lends its descriptor, which stays the caller's. -1 with
 * errno. */
int record_write(int fd, const struct message *, int flags)
    __attribute__((warn_unused_result));

/* Sends one that is encoded already, and lends the descriptor `passed` unless
 * that is -1. -1 with errno. */
int record_send(int fd, const void *record, size_t length, int passed,
    int flags) __attribute__((warn_unused_result));

#endif
