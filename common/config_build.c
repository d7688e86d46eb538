#include "common/config_build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef const struct config_token *token;

void
build_error(struct config_build *b, token at, const char *format, ...)
{
	char message[LIMIT_LOG_LINE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	source_error(b->lexer.source, at->offset, "%s", message);
}

char *
build_copy(struct config_build *b, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		b->no_memory = true;
	return copy;
}

/* Arrays grow to the next power of two, so the count says what fits. */
static void *
grow(struct config_build *b, void *array, unsigned int count, size_t size)
{
	if (count != 0 && (count & (count - 1)) != 0)
		return array;
	array = reallocarray(array, count == 0 ? 1 : 2 * (size_t)count, size);
	if (array == NULL)
		b->no_memory = true;
	return array;
}

void *
build_room(struct config_build *b, token at, void *array, unsigned int count,
    size_t size)
{
	if (count < LIMIT_CONFIG_ITEMS)
		return grow(b, array, count, size);
	build_error(b, at, "too many of these: at most %d are allowed",
	    LIMIT_CONFIG_ITEMS);
	return NULL;
}

/* Names are as many as the text has room for. */
static void
add_name(struct config_build *b, struct config_name **names,
    unsigned int *count, enum config_thing thing, token name)
{
	struct config_name *grown = grow(b, *names, *count, sizeof(**names));

	if (grown == NULL)
		return;
	*names = grown;
	grown[(*count)++] = (struct config_name){ thing, *name };
}

void
build_use(struct config_build *b, enum config_thing thing, token name)
{
	add_name(b, &b->uses, &b->use_count, thing, name);
}

bool
build_define(struct config_build *b, enum config_thing thing, token name)
{
	if (*name->text == '\0' || strlen(name->text) > LIMIT_NAME) {
		build_error(
		    b, name, "a name has 1 to %d characters", LIMIT_NAME);
		return false;
	}
	for (unsigned int i = 0; i < b->definition_count; i++)
		if (b->definitions[i].thing == thing &&
		    strcmp(b->definitions[i].token.text, name->text) == 0) {
			build_error(b, name,
			    "\"%s\" was defined on line %u already", name->text,
			    b->definitions[i].token.line);
			return false;
		}
	add_name(b, &b->definitions, &b->definition_count, thing, name);
	return true;
}

void
build_free(struct config_build *b)
{
	rule_config_clear(&b->rule);
	for (unsigned int i = 0; i < b->value_count; i++)
		free(b->values[i]);
	free(b->values);
	free(b->uses);
	free(b->definitions);
	free(b->places);
}
