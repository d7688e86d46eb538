#include "common/utf8.h"

#include <string.h>

/* The length that the first octet promises; 0 if it begins no character. */
static size_t
promised(unsigned char c, uint32_t *code)
{
	if (c < 0x80) {
		*code = c;
		return 1;
	}
	if (c >= 0xc2 && c <= 0xdf) {
		*code = c & 0x1f;
		return 2;
	}
	if (c >= 0xe0 && c <= 0xef) {
		*code = c & 0x0f;
		return 3;
	}
	if (c >= 0xf0 && c <= 0xf4) {
		*code = c & 0x07;
		return 4;
	}
	return 0;
}

size_t
utf8_decode(const char *text, size_t length, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = length == 0 ? 0 : promised((unsigned char)text[0], code);

	if (n == 0 || n > length)
		return 0;
	for (size_t i = 1; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (c & 0x3f);
	}
	if (*code < least[n] || *code > 0x10ffff ||
	    (*code >= 0xd800 && *code <= 0xdfff))
		return 0;
	return n;
}

bool
utf8_is_printable(uint32_t code)
{
	if (code < 0x20 || (code >= 0x7f && code <= 0x9f))
		return false;
	if (code == 0x200e || code == 0x200f || code == 0x061c ||
	    code == 0xfeff)
		return false;
	if (code >= 0x2028 && code <= 0x202e)
		return false;
	return code < 0x2066 || code > 0x2069;
}

bool
utf8_is_visible(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} ignorable[] = {
		{ 0xad, 0xad },
		{ 0x34f, 0x34f },
		{ 0x115f, 0x1160 },
		{ 0x17b4, 0x17b5 },
		{ 0x180b, 0x180f },
		{ 0x200b, 0x200d },
		{ 0x2060, 0x206f },
		{ 0x3164, 0x3164 },
		{ 0xffa0, 0xffa0 },
		{ 0xfff0, 0xfffb },
		{ 0x1bca0, 0x1bca3 },
		{ 0x1d173, 0x1d17a },
		{ 0xe0000, 0xe0fff },
	};

	if (!utf8_is_printable(code))
		return false;
	for (size_t i = 0; i < sizeof(ignorable) / sizeof(ignorable[0]); i++)
		if (code >= ignorable[i].first && code <= ignorable[i].last)
			return false;
	return true;
}

bool
utf8_is_valid(const char *text)
{
	size_t length = strlen(text), n;
	uint32_t code;

	for (; length > 0; text += n, length -= n) {
		n = utf8_decode(text, length, &code);
		if (n == 0)
			return false;
	}
	return true;
}
