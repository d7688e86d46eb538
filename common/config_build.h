/*
 * What the grammar does for each statement: it checks the words by
 * themselves, reports what is wrong at its place, and adds to the
 * configuration. What it cannot know yet (is that name defined?) is kept for
 * config_check.c.
 */
#ifndef COMMON_CONFIG_BUILD_H
#define COMMON_CONFIG_BUILD_H

#include <stdbool.h>

#include "common/config.h"
#include "common/config_lex.h"
#include "common/config_number.h"

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

/* Reports that the token read last is not one of those, by their names. */
void build_unexpected(struct config_build *, const char *const *expected);

/* After an error: true if the token read last begins a new statement and is
 * to be parsed again; otherwise it is to be left out, with all that follows
 * up to a new statement. */
bool build_recover(struct config_build *);

/* Frees what is under construction, not the configuration. */
void build_free(struct config_build *);

#define TOKEN const struct config_token *
/* Tables, listeners, mailboxes, relays: config_build.c. */
void build_values_start(struct config_build *);
void build_value(struct config_build *, TOKEN value);
void build_table_list(struct config_build *, TOKEN name);
void build_table_file(struct config_build *, TOKEN name, TOKEN path);
void build_listen(struct config_build *, TOKEN where, TOKEN port);
void build_mailbox(
    struct config_build *, TOKEN name, TOKEN users, TOKEN aliases, TOKEN path);
void build_relay(struct config_build *, TOKEN name, TOKEN via, TOKEN port);

/* Settings: config_setting.c. */
void build_hostname(struct config_build *, TOKEN at, TOKEN name);
void build_spool(struct config_build *, TOKEN at, TOKEN path);
void build_run(struct config_build *, TOKEN at, TOKEN path);
void build_admin(struct config_build *, TOKEN at, TOKEN address);
void build_forward(struct config_build *, TOKEN server);
void build_stub(struct config_build *, TOKEN domain, TOKEN server);
void build_message_size(struct config_build *, TOKEN at, TOKEN size);
void build_store_size(struct config_build *, TOKEN at, TOKEN size);
void build_recipients(struct config_build *, TOKEN at, TOKEN count);
void build_connections(struct config_build *, TOKEN at, TOKEN count);
void build_connections_all(struct config_build *, TOKEN at, TOKEN count);
void build_workers(struct config_build *, TOKEN at, TOKEN count);
void build_retry(
    struct config_build *, TOKEN at, TOKEN from, TOKEN to, TOKEN period);
void build_history(struct config_build *, TOKEN at, TOKEN period);

/* Rules: config_rule.c. */
void build_rule_clear(struct rule_config *);
void build_rule_start(struct config_build *, TOKEN at);
void build_from_any(struct config_build *, TOKEN at);
void build_from_local(struct config_build *, TOKEN at);
void build_from_authenticated(struct config_build *, TOKEN at);
void build_from_address(struct config_build *, TOKEN at);
void build_from_network(struct config_build *, TOKEN network);
void build_sender(struct config_build *, TOKEN at, TOKEN address);
void build_sender_domain(struct config_build *, TOKEN at, TOKEN domain);
void build_sender_domain_table(struct config_build *, TOKEN at, TOKEN table);
void build_to_any(struct config_build *, TOKEN at);
void build_to(struct config_build *, TOKEN at, TOKEN address);
void build_to_domain(struct config_build *, TOKEN at, TOKEN domain);
void build_to_domain_table(struct config_build *, TOKEN at, TOKEN table);
void build_rule_mailbox(struct config_build *, TOKEN name);
void build_rule_relay(struct config_build *, TOKEN name);
void build_rule_reject(struct config_build *, TOKEN reply);
void build_rule_end(struct config_build *);
#undef TOKEN

/* Help for all of them: reports an error at a token. */
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
/* A domain or an address literal, in lower case; NULL after reporting. */
char *build_domain(struct config_build *, const struct config_token *);
/* A network that is written with its host bits zero. */
bool build_network(
    struct config_build *, const struct config_token *, struct network *);
/* The canonical text of a single address; NULL if it is none, unreported. */
char *build_single_address(struct config_build *, const char *);
/* An absolute path of at most so many octets; NULL after reporting. */
char *build_path(struct config_build *, const struct config_token *, size_t);
/* A number within bounds; false after reporting. */
bool build_number(struct config_build *, const struct config_token *,
    enum number_unit, uint64_t least, uint64_t most, uint64_t *);
/* The canonical text of an address; NULL after reporting. */
char *build_address(
    struct config_build *, const struct config_token *, unsigned int rules);

#endif
