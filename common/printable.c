#include "common/printable.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void
printable_copy(char *to, size_t size, const char *text)
{
	size_t length = 0;

	if (size == 0)
		return;
	while (*text != '\0') {
		unsigned char c = (unsigned char)*text;
		char shown[5] = { (char)c, '\0' };
		size_t step = 1;

		if (c == '\r' && text[1] == '\n') {
			memcpy(shown, " / ", 4);
			step = 2;
		} else if (!is_plain(c))
			snprintf(shown, sizeof(shown), "\\x%02x", c);
		if (length + strlen(shown) >= size)
			break;
		memcpy(to + length, shown, strlen(shown));
		length += strlen(shown);
		text += step;
	}
	to[length] = '\0';
}
