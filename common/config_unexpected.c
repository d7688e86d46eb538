/* What to say where the grammar cannot go on. */
#include "common/config_build.h"

#include <stdlib.h>
#include <string.h>

#include "common/config_words.h"
#include "common/printable.h"

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

/* "`a`, `b` or a number" */
static void
print_expected(FILE *out, const char *const *expected)
{
	unsigned int count = 0;

	while (expected[count] != NULL)
		count++;
	for (unsigned int i = 0; i < count; i++) {
		bool class = strncmp(expected[i], "a ", 2) == 0 ||
			     strncmp(expected[i], "an ", 3) == 0;

		if (i > 0)
			fputs(i + 1 == count ? " or " : ", ", out);
		fprintf(out, class ? "%s" : "`%s`", expected[i]);
	}
}

static unsigned int
count_of(const char *const *expected)
{
	unsigned int count = 0;

	while (expected[count] != NULL)
		count++;
	return count;
}

static void
print_suggestion(
    FILE *out, const char *const *expected, const struct config_token *found)
{
	struct nearest_word nearest;

	nearest_word_start(&nearest, found->text);
	for (; *expected != NULL; expected++)
		if (lexer_is_keyword(*expected))
			nearest_word_try(&nearest, *expected);
	if (nearest.best != NULL)
		fprintf(out, "; did you mean `%s`?", nearest.best);
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
	return !lexer_quotes(l) && !lexer_at_statement(l) &&
	       expected[0] != NULL && is_among(expected, "a text in quotes") &&
	       !lexer_is_keyword(l->token.text);
}

static void
print_problem(
    FILE *out, const struct config_lexer *l, const char *const *expected)
{
	bool at_statement = is_among(expected, "hostname");

	print_found(out, l);
	if (at_statement && l->token.first) {
		fputs(" does not begin a statement", out);
		print_suggestion(out, expected, &l->token);
		return;
	}
	if (lacks_quotes(l, expected)) {
		fputs(" must be written in quotes", out);
		if (count_of(expected) > 1)
			print_suggestion(out, expected, &l->token);
		return;
	}
	fputs(" does not belong here", out);
	if (!at_statement && count_of(expected) <= EXPECTED_SHOWN) {
		fputs(": expected ", out);
		print_expected(out, expected);
	}
	if (l->token.text != NULL)
		print_suggestion(out, expected, &l->token);
}

/* The next statement begins, but this one is not whole: the place is here. */
static void
report_cut_off(struct config_build *b, const char *const *expected)
{
	const struct config_lexer *l = &b->lexer;
	char *message = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&message, &length);

	if (out == NULL) {
		b->no_memory = true;
		return;
	}
	fputs("the statement is not complete: expected ", out);
	print_expected(out, expected);
	fclose(out);
	source_error(
	    l->source, l->previous.offset + l->previous.length, "%s", message);
	free(message);
}

void
build_unexpected(struct config_build *b, const char *const *expected)
{
	const struct config_lexer *l = &b->lexer;
	const char *advice = NULL;
	char *message = NULL;
	size_t length = 0;
	FILE *out;

	if (l->token.text != NULL && !lexer_quotes(l))
		advice = later_word_advice(l->token.text);
	if (advice != NULL && !lexer_is_keyword(l->token.text)) {
		build_error(b, &l->token, "not supported yet: %s", advice);
		return;
	}
	if (lexer_at_statement(l) && !is_among(expected, "hostname")) {
		report_cut_off(b, expected);
		return;
	}
	out = open_memstream(&message, &length);
	if (out == NULL) {
		b->no_memory = true;
		return;
	}
	print_problem(out, l, expected);
	fclose(out);
	build_error(b, &l->token, "%s", message);
	free(message);
}
