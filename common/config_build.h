/*
 * A configuration under construction, and the help that its statements
 * (config_statement.h) have in common. What a statement cannot know yet (is
 * that name defined?) is kept for config_check.c.
 */
#ifndef COMMON_CONFIG_BUILD_H
#define COMMON_CONFIG_BUILD_H

#include <stdbool.h>

#include "common/config.h"
#include "common/config_lex.h"

enum config_thing { THING_TABLE, THING_MAILBOX, THING_RELAY, THING_LISTEN };

/* A use of a name, or the place where it was given. The token's text lives
 * as long as the lexer. */
struct config_name {
	enum config_thing thing;
	struct config_token token;
};

/* What the check of a rule must know beyond the rule. */
struct rule_place {
	struct config_token token; /* its first word */
	bool has_from, has_sender, has_to;
	bool wrong; /* reported already */
};

/* Statements that may be given once, for "it was given before". */
enum config_once {
	ONCE_HOSTNAME,
	ONCE_SPOOL,
	ONCE_RUN,
	ONCE_ADMIN,
	ONCE_MESSAGE_SIZE,
	ONCE_STORE_SIZE,
	ONCE_RECIPIENTS,
	ONCE_CONNECTIONS,
	ONCE_CONNECTIONS_ALL,
	ONCE_WORKERS,
	ONCE_RETRY,
	ONCE_WARN,
	ONCE_HISTORY,
	ONCE_COUNT
};

struct config_build {
	struct config_lexer lexer;
	struct config *config;
	bool no_memory;
	unsigned int once[ONCE_COUNT]; /* the line, or 0 */
	struct config_name *uses;
	unsigned int use_count;
	struct config_name *definitions;
	unsigned int definition_count;
	struct rule_place *places; /* one for each rule */
	bool new_statement;	   /* the error is that this one is cut off */
	/* What is under construction. */
	char **values;
	unsigned int value_count;
	struct rule_config rule;
	struct rule_place place;
	unsigned int forward_count;
	unsigned int network_count; /* in all rules */
};

/* The parser that bison makes. 0 if it came to the end of the text, with or
 * without errors. */
int yyparse(struct config_build *);

/* Frees what is under construction, not the configuration. */
void build_free(struct config_build *);

/* Reports an error at a token. */
void build_error(struct config_build *, const struct config_token *,
    const char *format, ...) __attribute__((format(printf, 3, 4)));
/* NULL once there is no memory, which is reported at the end. */
char *build_copy(struct config_build *, const char *);
/* An array of `count` that has room for one more, in place of the one given.
 * NULL, and that one stays, if there is no memory, or too many, reported. */
void *build_room(struct config_build *, const struct config_token *,
    void *array, unsigned int count, size_t size)
    __attribute__((warn_unused_result));
void build_use(
    struct config_build *, enum config_thing, const struct config_token *);
/* A name for a new thing: short, and not used before; false after
 * reporting. */
bool build_define(
    struct config_build *, enum config_thing, const struct config_token *);

#endif
