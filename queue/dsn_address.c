#include "queue/dsn_address.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/utf8.h"
#include "queue/dsn_field.h"

#define UTF8_TYPE "utf-8;"

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if (((unsigned char)*text & 0x80) != 0)
			return false;
	return true;
}

bool
dsn_address_is_utf8(const char *address)
{
	return !is_ascii(address) && utf8_is_valid(address);
}

/* RFC 6533 3: what cannot stand in xtext is spelt out as "\x{HEX}". To be
 * freed. */
static char *
spell_out(const char *address)
{
	size_t left = strlen(address), size = 0, n;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);
	uint32_t code = 0;

	if (out == NULL)
		return NULL;
	for (; left > 0; address += n, left -= n) {
		n = utf8_decode(address, left, &code);
		if (n == 0)
			break;
		if (code <= ' ' || code >= 0x7f || strchr("\\+=", (int)code))
			fprintf(out, "\\x{%02" PRIX32 "}", code);
		else
			fputc((int)code, out);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

void
dsn_address_put(
    FILE *out, const char *name, const char *address, bool is_utf8_report)
{
	bool is_utf8 = dsn_address_is_utf8(address);
	char *spelt = is_utf8 && !is_utf8_report ? spell_out(address) : NULL;
	char *value = NULL;

	if (asprintf(&value, "%s%s", is_utf8 ? UTF8_TYPE " " : "rfc822; ",
		spelt != NULL ? spelt : address) != -1) {
		if (is_utf8 && is_utf8_report)
			dsn_field_put_exact_utf8(out, name, value);
		else
			dsn_field_put_exact(out, name, value);
		free(value);
	}
	free(spelt);
}

/* What xtext says, in place: it is a valid one (common/dsn.h), or stays as it
 * is. */
static char *
decode_xtext(const char *xtext)
{
	char *text = strdup(xtext), *to = text;

	if (text == NULL)
		return NULL;
	for (const char *from = xtext; *from != '\0'; to++) {
		char digits[3] = "";

		if (*from == '+' && from[1] != '\0' && from[2] != '\0') {
			memcpy(digits, from + 1, 2);
			*to = (char)strtoul(digits, NULL, 16);
			from += 3;
		} else
			*to = *from++;
	}
	*to = '\0';
	return text;
}

void
dsn_address_put_xtext(FILE *out, const char *name, const char *xtext)
{
	char *text = decode_xtext(xtext);

	if (text != NULL)
		dsn_field_put_exact(out, name, text);
	free(text);
}

/* A character in UTF-8: how many octets were written, at most 4. */
static size_t
encode(uint32_t code, char *to)
{
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned int first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (size_t i = n - 1; i > 0; i--, code >>= 6)
		to[i] = (char)(0x80 | (code & 0x3f));
	to[0] = (char)(first[n] | code);
	return n;
}

/* The character that is spelt out here, and its length; 0: none is. */
static size_t
spelt_length(const char *text, uint32_t *code)
{
	size_t digits;

	if (strncmp(text, "\\x{", 3) != 0)
		return 0;
	digits = strspn(text + 3, "0123456789ABCDEF");
	if (digits < 2 || digits > 6 || text[3 + digits] != '}')
		return 0;
	*code = (uint32_t)strtoul(text + 3, NULL, 16);
	return *code > 0 && *code <= 0x10ffff ? digits + 4 : 0;
}

/* The opposite of spell_out(), in place: never longer. */
static void
read_out(char *text)
{
	char *to = text;
	uint32_t code;
	size_t n;

	while (*text != '\0') {
		n = spelt_length(text, &code);
		if (n > 0) {
			to += encode(code, to);
			text += n;
		} else
			*to++ = *text++;
	}
	*to = '\0';
}

/* RFC 6533 3: what has the type and not the form is not altered. */
void
dsn_address_put_orcpt(
    FILE *out, const char *name, const char *orcpt, bool is_utf8_report)
{
	bool is_utf8 =
	    strncasecmp(orcpt, UTF8_TYPE, sizeof(UTF8_TYPE) - 1) == 0;
	char *text = is_utf8 && is_utf8_report ? strdup(orcpt) : NULL;

	if (text != NULL)
		read_out(text);
	if (text != NULL && utf8_is_valid(text))
		dsn_field_put_exact_utf8(out, name, text);
	else
		dsn_address_put_xtext(out, name, orcpt);
	free(text);
}

/* RFC 5321 4.1.3 has a tag for IPv6 addresses. */
void
dsn_address_put_host(FILE *out, const char *name, const char *host)
{
	size_t length = strcspn(host, "[ ");
	size_t address = strcspn(host + length, "]");

	if (length > 0)
		dsn_field_format(out, name, "dns; %.*s", (int)length, host);
	else if (host[0] == '[' && host[address] == ']')
		dsn_field_format(out, name, "dns; [%s%.*s]",
		    memchr(host, ':', address) != NULL ? "IPv6:" : "",
		    (int)address - 1, host + 1);
}
