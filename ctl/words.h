/*
 * The words of a command line that are no options: they name messages.
 */
#ifndef CTL_WORDS_H
#define CTL_WORDS_H

#include <stdint.h>

#include "common/message.h"
#include "ctl/ctl.h"
#include "ctl/options.h"

/* The options of a command that takes nothing else. EX_OK, EX_USAGE. */
int words_none(const struct command *, int count, char **words,
    struct options *) __attribute__((warn_unused_result));
/* The options, and the one word that the command needs. EX_OK, EX_USAGE. */
int words_one(const struct command *, int count, char **words, struct options *,
    const char **word) __attribute__((warn_unused_result));
/* EX_OK, or EX_DATAERR having said that it is not an id. */
int words_id(const char *, uint64_t *id) __attribute__((warn_unused_result));

#endif
