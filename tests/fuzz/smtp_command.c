/* Any octets as an SMTP command line. What is accepted must be what the
 * receivers of it, who parse it again, accept too. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "smtpd/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(what)            \
	do {                     \
		if (!(what))     \
			abort(); \
	} while (0)

static void
check_text(const char *text)
{
	for (; *text != '\0'; text++)
		REQUIRE(*text >= 0x20 && *text < 0x7f);
}

static void
check_path(const struct command *c)
{
	unsigned int rules = c->verb == COMMAND_MAIL ? ADDRESS_REVERSE_PATH
						     : ADDRESS_FORWARD_PATH;
	struct address again;

	check_text(c->path.text);
	REQUIRE(address_parse(c->path.text, rules, &again) == 0);
	REQUIRE(strcmp(again.text, c->path.text) == 0);
	REQUIRE(strcmp(again.local, c->path.local) == 0);
	REQUIRE(strcmp(again.domain, c->path.domain) == 0);
	REQUIRE(c->body < SMTP_BODIES);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t length = size < LIMIT_COMMAND_LINE ? size : LIMIT_COMMAND_LINE;
	char *line = malloc(length + 1); /* exactly: a read beyond it is seen */
	struct command c;

	REQUIRE(line != NULL);
	if (size > 0)
		memcpy(line, data, length);
	line[length] = '\0';
	command_parse(line, length, &c);
	REQUIRE(c.verb < COMMAND_VERBS);
	if (c.error_code != 0) {
		REQUIRE(c.error_code >= 500 && c.error_code <= 599);
		REQUIRE(c.error_text[0] == '5' && c.error_text[1] == '.');
	} else if (c.verb == COMMAND_MAIL || c.verb == COMMAND_RCPT)
		check_path(&c);
	else if (c.verb == COMMAND_EHLO || c.verb == COMMAND_HELO)
		REQUIRE(c.argument[0] != '\0' && c.argument[0] != ' ' &&
			strlen(c.argument) <= LIMIT_HELO &&
			strchr(c.argument, ' ') == NULL);
	if (c.verb != COMMAND_MALFORMED)
		check_text(c.argument);
	free(line);
	return 0;
}
