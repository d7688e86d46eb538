#include "common/config_unexpected.h"

#include <stdlib.h>
#include <string.h>

#include "common/config_words.h"
#include "common/printable.h"
#include "config_grammar.h"

/* More than these would not help anyone. */
#define EXPECTED_SHOWN 6
#define WORD_SHOWN 64

static bool
is_among(const char *const *expected, const char *name)
{
	for (; *expected != NULL; expected++)
		if (strcmp(*expected, name) == 0)
			return true;
	return false;
}

static unsigned int
count_of(const char *const *expected)
{
	unsigned int count = 0;

	while (expected[count] != NULL)
		count++;
	return count;
}

/* "`a`, `b` or a number" */
static void
print_expected(FILE *out, const char *const *expected)
{
	unsigned int count = count_of(expected);

	for (unsigned int i = 0; i < count; i++) {
		bool class = strncmp(expected[i], "a ", 2) == 0 ||
			     strncmp(expected[i], "an ", 3) == 0;

		if (i > 0)
			fputs(i + 1 == count ? " or " : ", ", out);
		fprintf(out, class ? "%s" : "`%s`", expected[i]);
	}
}

/* NULL if no word that could stand here is near. */
static const char *
suggestion(const struct config_lexer *l, const char *const *expected)
{
	struct nearest_word nearest;

	if (l->token.text == NULL || lexer_quotes(l))
		return NULL;
	nearest_word_start(&nearest, l->token.text);
	for (; *expected != NULL; expected++)
		if (lexer_is_keyword(*expected))
			nearest_word_try(&nearest, *expected);
	return nearest.best;
}

static void
print_found(FILE *out, const struct config_lexer *l)
{
	char shown[WORD_SHOWN];

	if (l->token.text == NULL) {
		fputs("the end of the file", out);
		return;
	}
	printable_copy(shown, sizeof(shown), l->token.text);
	fprintf(out, lexer_quotes(l) ? "\"%s\"" : "`%s`", shown);
}

/* A word that was written without its quotes: the most common slip. */
static bool
lacks_quotes(const struct config_lexer *l, const char *const *expected)
{
	return (l->kind == T_WORD || l->kind == T_NUMBER ||
		   l->kind == T_NETWORK) &&
	       is_among(expected, "a text in quotes");
}

static void
print_problem(
    FILE *out, const struct config_lexer *l, const char *const *expected)
{
	const char *near = suggestion(l, expected);
	bool at_statement = is_among(expected, "hostname");

	print_found(out, l);
	if (lacks_quotes(l, expected) && near == NULL) {
		fputs(" must be written in quotes", out);
		return;
	}
	fputs(at_statement && l->token.first ? " does not begin a statement"
	      : l->kind == T_WORD	     ? " is not understood here"
					     : " does not belong here",
	    out);
	if (near != NULL)
		fprintf(out, "; did you mean `%s`?", near);
	else if (!at_statement && count_of(expected) <= EXPECTED_SHOWN) {
		fputs(": expected ", out);
		print_expected(out, expected);
	}
}

bool
build_recover(struct config_build *b)
{
	bool again = b->new_statement;

	b->new_statement = false;
	if (!again)
		lexer_skip(&b->lexer);
	return again;
}

typedef void print_message(
    FILE *, const struct config_lexer *, const char *const *expected);

static void
report(struct config_build *b, size_t offset, print_message *print,
    const char *const *expected)
{
	char *message = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&message, &length);

	if (out == NULL) {
		b->no_memory = true;
		return;
	}
	print(out, &b->lexer, expected);
	if (fclose(out) == 0)
		source_error(b->lexer.source, offset, "%s", message);
	else
		b->no_memory = true;
	free(message);
}

static void
print_cut_off(
    FILE *out, const struct config_lexer *l, const char *const *expected)
{
	(void)l;
	fputs("the statement is not complete: expected ", out);
	print_expected(out, expected);
}

void
build_unexpected(struct config_build *b, const char *const *expected)
{
	const struct config_lexer *l = &b->lexer;
	const char *advice = NULL;

	/* The next statement begins, but this one is not whole: the place is
	 * where its rest should be. */
	if (lexer_at_statement(l) && !is_among(expected, "hostname")) {
		b->new_statement = true;
		report(b, l->previous.offset + l->previous.length,
		    print_cut_off, expected);
		return;
	}
	if (l->token.text != NULL && !lexer_quotes(l))
		advice = later_word_advice(l->token.text);
	if (advice != NULL)
		build_error(b, &l->token, "not supported yet: %s", advice);
	else
		report(b, l->token.offset, print_problem, expected);
}
