/*
 * The configuration parser: any text ends in errors that say something, or in
 * a configuration that prints as text that parses back to itself.
 */

#include "common/config_load.h"
#include "tests/fuzz/fuzz.h"

static char *
printed(const struct config *c)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	CHECK(out != NULL);
	config_print(c, out);
	fclose(out);
	return text;
}

static void
check_prints_back(struct config *c)
{
	char *first = printed(c), *second;
	struct config *again =
	    config_parse("printed", first, strlen(first), NULL);

	CHECK(again != NULL);
	second = printed(again);
	CHECK(strcmp(first, second) == 0);
	config_free(&again);
	free(first);
	free(second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *errors = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&errors, &length);
	struct config *c;

	CHECK(out != NULL);
	c = config_parse("fuzz", (const char *)data, size, out);
	fclose(out);
	CHECK(c != NULL || length > 0);
	if (c != NULL)
		check_prints_back(c);
	config_free(&c);
	free(errors);
	return 0;
}
