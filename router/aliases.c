#include "router/aliases.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* The end of the item that starts here: the next comma outside quotes, or
 * the end of the value. */
static const char *
find_end(const char *at)
{
	bool quoted = false;

	for (; *at != '\0' && (quoted || *at != ','); at++) {
		if (*at == '"')
			quoted = !quoted;
		else if (*at == '\\' && at[1] != '\0')
			at++;
	}
	return at;
}

static bool
is_unsupported(const char *item)
{
	static const char include[] = ":include:";

	if (*item == '"')
		item++;
	return *item == '|' || *item == '/' ||
	       strncasecmp(item, include, sizeof(include) - 1) == 0;
}

static bool
has_domain(const char *item)
{
	bool quoted = false;

	for (; *item != '\0'; item++) {
		if (*item == '"')
			quoted = !quoted;
		else if (*item == '\\' && item[1] != '\0')
			item++;
		else if (*item == '@' && !quoted)
			return true;
	}
	return false;
}

static int
parse_address(const char *text, const char *domain, struct address *address)
{
	char whole[LIMIT_PATH + 1];
	const char *end;
	int length;

	if (*text == '<')
		return address_parse_path(text, 0, address, &end) == -1 ||
			       *end != '\0'
			   ? -1
			   : 0;
	if (has_domain(text))
		return address_parse(text, 0, address);
	length = snprintf(whole, sizeof(whole), "%s@%s", text, domain);
	if (length < 0 || (size_t)length >= sizeof(whole))
		return -1;
	return address_parse(whole, 0, address);
}

enum alias_kind
alias_next(const char **cursor, const char *domain, struct alias_item *item)
{
	char text[LIMIT_PATH + 1];
	const char *start = *cursor, *end;
	size_t length;

	while (*start == ',' || isspace((unsigned char)*start))
		start++;
	end = find_end(start);
	*cursor = end;
	if (start == end)
		return ALIAS_END;
	if (is_unsupported(start))
		return ALIAS_UNSUPPORTED;
	while (isspace((unsigned char)end[-1]))
		end--;
	item->verbatim = *start == '\\';
	if (item->verbatim)
		start++;
	length = (size_t)(end - start);
	if (length >= sizeof(text))
		return ALIAS_INVALID;
	memcpy(text, start, length);
	text[length] = '\0';
	return parse_address(text, domain, &item->address) == -1
		   ? ALIAS_INVALID
		   : ALIAS_ADDRESS;
}
