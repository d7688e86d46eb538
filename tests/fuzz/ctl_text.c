/*
 * Whatever comes from mail, what posternctl prints of it must neither break
 * its JSON nor steer a terminal.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/filter.h"
#include "ctl/format.h"
#include "ctl/json.h"
#include "ctl/reason.h"
#include "common/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Only UTF-8 of which every character is printable or in `allowed`. */
static void
check_safe(const char *text, size_t length, const char *allowed)
{
	while (length > 0) {
		uint32_t code;
		size_t n = utf8_decode(text, length, &code);

		if (n == 0 || (!utf8_is_printable(code) &&
				  (code > 0x7f || code == 0 ||
				      strchr(allowed, (int)code) == NULL)))
			abort();
		text += n;
		length -= n;
	}
}

/* One string: no quote inside that is not escaped. */
static void
check_string(const char *json, size_t length)
{
	if (length < 2 || json[0] != '"' || json[length - 1] != '"')
		abort();
	for (size_t i = 1; i < length - 1; i++) {
		if (json[i] == '"')
			abort();
		if (json[i] != '\\')
			continue;
		if (++i == length - 1 || strchr("\"\\nrtu", json[i]) == NULL)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *printed, *text = malloc(size + 1);
	char reason[REASON_MOST + 1];
	size_t length;
	uint64_t seconds;
	FILE *out;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	out = open_memstream(&printed, &length);
	json_write_string(out, text, size);
	fclose(out);
	check_safe(printed, length, "");
	check_string(printed, length);
	free(printed);

	out = open_memstream(&printed, &length);
	format_print_content(out, data, size, true);
	fclose(out);
	check_safe(printed, length, "\t\n");
	free(printed);

	out = open_memstream(&printed, &length);
	format_print_lines(out, text, "  ");
	format_print_cut(out, text, (unsigned int)size / 2);
	fclose(out);
	check_safe(printed, length, "\n");
	free(printed);

	memset(reason, 'x', sizeof(reason));
	reason_normalise(reason, text);
	if (memchr(reason, '\0', sizeof(reason)) == NULL)
		abort();

	if (filter_parse_duration(text, &seconds) == 0 &&
	    seconds > UINT64_C(100) * 365 * 86400)
		abort();
	free(text);
	return 0;
}
