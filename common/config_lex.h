/*
 * The words of the configuration language: names and texts in quotes, numbers
 * with their unit, addresses and networks, keywords, braces, and comments
 * from # to the end of the line.
 *
 * A token's text lies in the lexer's own memory and lives as long as it.
 */
#ifndef COMMON_CONFIG_LEX_H
#define COMMON_CONFIG_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config_source.h"

struct config_token {
	const char *text;  /* a string without its quotes; NULL for none */
	size_t offset;	   /* where it is in the source */
	size_t length;	   /* there, with its quotes */
	unsigned int line; /* from 1 */
	bool first;	   /* nothing but space before it on its line */
};

struct config_lexer {
	struct config_source *source;
	size_t at;
	unsigned int line;
	bool line_is_empty; /* so far */
	char *pool;	    /* the texts of all tokens, one after another */
	size_t pool_used;
	bool skipping; /* to the next statement, after an error */
	int kind;      /* of `token` */
	struct config_token token, previous;
};

/* -1 with errno if there is no memory. The source is lent. */
int lexer_open(struct config_lexer *, struct config_source *)
    __attribute__((warn_unused_result));
void lexer_close(struct config_lexer *);

/* The next token's kind (config_grammar.y); its token in `token`. What is not
 * a token is reported, and the parser told to recover. */
int lexer_next(struct config_lexer *, struct config_token *token);

/* After an error: what follows is left out up to where the next statement
 * seems to begin. */
void lexer_skip(struct config_lexer *);

/* The current token begins a statement, as far as can be told from it. */
bool lexer_at_statement(const struct config_lexer *);

/* The current token is a text in quotes. */
bool lexer_quotes(const struct config_lexer *);

/* Is it a word of the language? */
bool lexer_is_keyword(const char *);

#endif
