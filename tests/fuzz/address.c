/*
 * The parser of mail addresses: what it makes is canonical (parses to itself),
 * made of its parts, within the limits, and free of what could end a line, a
 * bracket or a quote wherever it is written later.
 */
#include "common/address.h"

#include "tests/fuzz/fuzz.h"

#define BOTH (ADDRESS_REVERSE_PATH | ADDRESS_FORWARD_PATH)

static void
check_octets(const char *text)
{
	for (; *text != '\0'; text++)
		CHECK(*text >= ' ' && *text <= '~');
}

static void
check_in_brackets(const struct address *a)
{
	char path[LIMIT_PATH + 3];
	struct address again;
	const char *end;

	snprintf(path, sizeof(path), "<%s>", a->text);
	CHECK(address_parse_path(path, BOTH, &again, &end) == 0);
	CHECK(*end == '\0');
	CHECK(strcmp(again.text, a->text) == 0);
}

static void
check_address(const struct address *a)
{
	struct address again;

	CHECK(strlen(a->local) <= LIMIT_LOCAL_PART);
	CHECK(strlen(a->domain) <= LIMIT_DOMAIN);
	CHECK(strlen(a->text) <= LIMIT_PATH);
	check_octets(a->local);
	check_octets(a->text);
	CHECK(a->domain[0] == '\0' || domain_is_valid(a->domain) ||
	      address_literal_is_valid(a->domain));
	CHECK(address_parse(a->text, BOTH, &again) == 0);
	CHECK(strcmp(again.text, a->text) == 0);
	CHECK(strcmp(again.local, a->local) == 0);
	CHECK(strcmp(again.domain, a->domain) == 0);
	check_in_brackets(a);
	if (a->text[0] == '\0')
		return;
	CHECK(address_make(a->local, a->domain, &again) == 0);
	CHECK(strcmp(again.text, a->text) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	if (text == NULL)
		return 0;
	for (unsigned int rules = 0; rules <= BOTH; rules++) {
		struct address a;
		const char *end = NULL;

		if (address_parse(text, rules, &a) == 0)
			check_address(&a);
		if (address_parse_path(text, rules, &a, &end) == 0) {
			CHECK(end > text && end <= text + size);
			CHECK(end[-1] == '>');
			check_address(&a);
		}
	}
	(void)domain_is_valid(text);
	(void)address_literal_is_valid(text);
	free(text);
	return 0;
}
