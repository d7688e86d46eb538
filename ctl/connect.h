/*
 * A conversation with a running postern over one of its control sockets:
 * RUN/control is the queue's, RUN/users as well for those who may not use that
 * one, RUN/supervisor the supervisor's.
 *
 * One question at a time; every answer ends in CTL_END. Whatever goes wrong
 * has been said on standard error when a verb returns something else than
 * EX_OK. No answer within CONNECT_PATIENCE seconds is EX_TEMPFAIL.
 */
#ifndef CTL_CONNECT_H
#define CTL_CONNECT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/message.h"
#include "common/program.h"
#include "ctl/ctl.h"

#define CONNECT_PATIENCE 30

struct connection {
	int fd;
	enum program server;
	uint32_t handle;
	bool is_user; /* who hears of their own mail only */
	/* Where the answer is written to, which ends it with EX_IOERR if that
	 * fails: nobody would read the rest. NULL: nowhere. */
	FILE *out;
	/* Who has other things to do while an answer comes: called whenever
	 * `watch` has something to read or a signal came, and once a second if
	 * nothing does. False ends it with EX_TEMPFAIL, which is not said.
	 * NULL: nobody. */
	bool (*attend)(void *context);
	void *context;
	int watch;
	/* From the last CTL_END. */
	uint64_t count;
	char text[LIMIT_REPLY + 1];
};

/* Gets each message before CTL_END, with what it lends. EX_OK goes on,
 * EX_PROTOCOL says that it is not one that belongs here. */
typedef int connect_receive(const struct message *, void *context);

int connect_open(struct connection *, const char *run, enum program server)
    __attribute__((warn_unused_result));
/* Sends the question and reads the whole answer. `quiet`: what the server adds
 * in words is left to the caller. */
int connect_ask(struct connection *, struct message *question,
    connect_receive *receive, void *context, bool quiet)
    __attribute__((warn_unused_result));
void connect_close(struct connection *);

/* The whole of it for one question to the queue, that changes nothing. */
int connect_ask_queue(const struct ctl *, struct message *question,
    connect_receive *receive, void *context)
    __attribute__((warn_unused_result));

/* For answers that are CTL_END alone. */
int connect_receive_none(const struct message *, void *context);

#endif
