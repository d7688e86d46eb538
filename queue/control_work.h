/*
 * One question of a control client, and the work of answering it, in steps.
 *
 * Knows the messages of the control link and what may be asked of the queue
 * (query.h), not sockets or time. Changes go through query_act(), query_pause()
 * and redirector_ask() only.
 */
#ifndef QUEUE_CONTROL_WORK_H
#define QUEUE_CONTROL_WORK_H

#include "common/message.h"

struct channel;
struct control_peer;
struct control_work;

/* An answer is written until so many messages wait for the client to read. */
#define CONTROL_BACKLOG 256

enum control_progress {
	CONTROL_MORE,  /* call again, when the client has read */
	CONTROL_WAITS, /* call again after `wake` */
	CONTROL_DONE,  /* CTL_END was sent */
};

/* Whether this peer may ask it is looked up in a table; if not, the answer
 * says so. Lends the channel. `wake` is called when a commit that the work
 * waited for is done. NULL with EPROTO if it is not a question that may be
 * asked; ENOMEM. */
struct control_work *control_work_new(struct channel *,
    const struct message *question, const struct control_peer *,
    void (*wake)(void *context), void *context)
    __attribute__((warn_unused_result));
enum control_progress control_work_step(struct control_work *)
    __attribute__((warn_unused_result));
/* What has been asked for and is not done yet may still happen; accepts
 * none. */
void control_work_free(struct control_work **);

#endif
