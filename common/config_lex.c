#include "common/config_lex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/config_words.h"
#include "common/limits.h"
#include "config_grammar.h"

enum begins {
	NEVER,
	ON_A_NEW_LINE, /* the word is also used inside statements */
	ALWAYS,
};

struct keyword {
	const char *word;
	int kind;
	enum begins begins; /* a statement */
};

static const struct keyword keywords[] = {
	{ "accept", T_ACCEPT, ALWAYS },
	{ "address", T_ADDRESS, NEVER },
	{ "admin", T_ADMIN, ALWAYS },
	{ "after", T_AFTER, NEVER },
	{ "aliases", T_ALIASES, NEVER },
	{ "any", T_ANY, NEVER },
	{ "authenticated", T_AUTHENTICATED, NEVER },
	{ "connections", T_CONNECTIONS, NEVER },
	{ "deliver", T_DELIVER, NEVER },
	{ "domain", T_DOMAIN, NEVER },
	{ "file", T_FILE, NEVER },
	{ "for", T_FOR, NEVER },
	{ "forward", T_FORWARD, NEVER },
	{ "from", T_FROM, NEVER },
	{ "history", T_HISTORY, ALWAYS },
	{ "hostname", T_HOSTNAME, ALWAYS },
	{ "limit", T_LIMIT, ALWAYS },
	{ "listen", T_LISTEN, ALWAYS },
	{ "local", T_LOCAL, NEVER },
	{ "mailbox", T_MAILBOX, ON_A_NEW_LINE },
	{ "maildir", T_MAILDIR, NEVER },
	{ "message", T_MESSAGE, NEVER },
	{ "on", T_ON, NEVER },
	{ "per", T_PER, NEVER },
	{ "port", T_PORT, NEVER },
	{ "recipients", T_RECIPIENTS, NEVER },
	{ "reject", T_REJECT, ALWAYS },
	{ "relay", T_RELAY, ON_A_NEW_LINE },
	{ "resolver", T_RESOLVER, ALWAYS },
	{ "retry", T_RETRY, ALWAYS },
	{ "run", T_RUN, ALWAYS },
	{ "sender", T_SENDER, NEVER },
	{ "size", T_SIZE, NEVER },
	{ "spool", T_SPOOL, ALWAYS },
	{ "store", T_STORE, NEVER },
	{ "stub", T_STUB, NEVER },
	{ "system", T_SYSTEM, NEVER },
	{ "table", T_TABLE, ON_A_NEW_LINE },
	{ "to", T_TO, NEVER },
	{ "users", T_USERS, NEVER },
	{ "via", T_VIA, NEVER },
	{ "warn", T_WARN, ALWAYS },
	{ "with", T_WITH, NEVER },
	{ "workers", T_WORKERS, NEVER },
};

static const struct keyword *
keyword_find(const char *word)
{
	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++)
		if (strcmp(keywords[i].word, word) == 0)
			return &keywords[i];
	return NULL;
}

bool
lexer_is_keyword(const char *word)
{
	return keyword_find(word) != NULL;
}

int
lexer_open(struct config_lexer *l, struct config_source *source)
{
	static const char mark[] = "\xef\xbb\xbf"; /* some editors' BOM */

	*l = (struct config_lexer){
		.source = source, .line = 1, .line_is_empty = true
	};
	if (source->length > LIMIT_CONFIG_SIZE) {
		errno = EFBIG;
		return -1;
	}
	/* Every token has at least one octet in the source, and needs no
	 * more in the pool than those and a NUL. */
	l->pool = malloc(2 * source->length + 1);
	if (l->pool == NULL)
		return -1;
	if (source->length >= 3 && memcmp(source->text, mark, 3) == 0)
		l->at = 3;
	return 0;
}

void
lexer_close(struct config_lexer *l)
{
	free(l->pool);
	l->pool = NULL;
}

static int
peek(const struct config_lexer *l)
{
	if (l->at == l->source->length)
		return -1;
	return (unsigned char)l->source->text[l->at];
}

static void
skip_space(struct config_lexer *l)
{
	int c;

	while ((c = peek(l)) != -1) {
		if (c == '#') {
			while (peek(l) != -1 && peek(l) != '\n')
				l->at++;
			continue;
		}
		if (c == '\n') {
			l->line++;
			l->line_is_empty = true;
		} else if (c != ' ' && c != '\t' && c != '\r')
			return;
		l->at++;
	}
}

static void
pool_add(struct config_lexer *l, int c)
{
	l->pool[l->pool_used++] = (char)c;
}

static bool
is_word(int c)
{
	return c > ' ' && c != 0x7f && c != '"' && c != '{' && c != '}' &&
	       c != '#' && c != ',' && c != ';' && c != '=';
}

static bool
is_number(const char *word)
{
	if (*word < '0' || *word > '9')
		return false;
	for (; *word != '\0'; word++)
		if (!((*word >= '0' && *word <= '9') ||
			(*word >= 'a' && *word <= 'z') ||
			(*word >= 'A' && *word <= 'Z')))
			return false;
	return true;
}

static int
word_kind(const char *word)
{
	const struct keyword *keyword = keyword_find(word);
	struct network network;

	if (keyword != NULL)
		return keyword->kind;
	if (strcmp(word, "*") == 0)
		return T_STAR;
	if (is_number(word))
		return T_NUMBER;
	return network_parse(word, &network) == 0 ? T_NETWORK : T_WORD;
}

static int
read_word(struct config_lexer *l, const char *text)
{
	while (is_word(peek(l))) {
		pool_add(l, peek(l));
		l->at++;
	}
	pool_add(l, '\0');
	return word_kind(text);
}

/* Reports what is wrong at an octet and leaves it behind. */
static int
bad_octet(struct config_lexer *l, const char *what)
{
	source_error(l->source, l->at, "%s", what);
	l->at++;
	return T_YYerror;
}

/* What follows in a text that is wrong would only make more errors. */
static int
bad_string(struct config_lexer *l, size_t offset, const char *what)
{
	source_error(l->source, offset, "%s", what);
	while (peek(l) != -1 && peek(l) != '\n')
		l->at++;
	return T_YYerror;
}

static int
read_string(struct config_lexer *l)
{
	int c;

	l->at++;
	while ((c = peek(l)) != '"') {
		if (c == -1 || c == '\n' || c == '\r')
			return bad_string(l, l->token.offset,
			    "this text has no closing quote on its line");
		if (c < ' ' || c == 0x7f)
			return bad_string(l, l->at,
			    "a control character in a text in quotes");
		if (c == '\\') {
			l->at++;
			c = peek(l);
			if (c != '"' && c != '\\')
				return bad_string(l, l->at,
				    "after a backslash only \" or \\ may "
				    "stand; write \\\\ for a backslash");
		}
		pool_add(l, c);
		l->at++;
	}
	l->at++;
	pool_add(l, '\0');
	return T_STRING;
}

static int
read_token(struct config_lexer *l, const char *text)
{
	int c = peek(l);

	if (c == -1)
		return T_YYEOF;
	if (is_word(c))
		return read_word(l, text);
	if (c == '"')
		return read_string(l);
	if (c == ',' || c == ';' || c == '=')
		return bad_octet(l,
		    "no comma, semicolon or equals sign is used here; words "
		    "are parted by spaces");
	if (c != '{' && c != '}')
		return bad_octet(l, "a control character");
	l->at++;
	pool_add(l, c);
	pool_add(l, '\0');
	return c == '{' ? T_OPEN : T_CLOSE;
}

bool
lexer_quotes(const struct config_lexer *l)
{
	return l->kind == T_STRING;
}

bool
lexer_at_statement(const struct config_lexer *l)
{
	const struct keyword *keyword;

	if (l->kind == T_YYEOF)
		return true;
	if (l->kind == T_STRING || l->token.text == NULL)
		return false;
	keyword = keyword_find(l->token.text);
	if (keyword == NULL)
		return l->token.first &&
		       later_word_starts_statement(l->token.text);
	return keyword->begins == ALWAYS ||
	       (keyword->begins == ON_A_NEW_LINE && l->token.first);
}

void
lexer_skip(struct config_lexer *l)
{
	l->skipping = true;
}

static void
read_one(struct config_lexer *l)
{
	const char *text = l->pool + l->pool_used;

	l->previous = l->token;
	skip_space(l);
	l->token = (struct config_token){
		.text = text,
		.offset = l->at,
		.line = l->line,
		.first = l->line_is_empty,
	};
	l->line_is_empty = false;
	l->kind = read_token(l, text);
	l->token.length = l->at - l->token.offset;
	if (l->kind == T_YYerror || l->kind == T_YYEOF) {
		l->token.text = NULL;
		l->pool_used = (size_t)(text - l->pool);
	}
}

/* After an error the next statement may begin with a slip, too. */
static bool
may_be_statement(const struct config_lexer *l)
{
	return lexer_at_statement(l) || (l->kind == T_WORD && l->token.first);
}

int
lexer_next(struct config_lexer *l, struct config_token *token)
{
	do
		read_one(l);
	while (l->skipping && !may_be_statement(l));
	l->skipping = false;
	*token = l->token;
	return l->kind;
}
