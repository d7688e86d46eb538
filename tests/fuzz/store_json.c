/*
 * The reader of dumps: whatever the line, it is read or refused, and what was
 * read is written so that it is read as the same again.
 */
#include "queue/tool/json.h"

#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

#define MOST 8

static char *
write_again(const struct json_member *members, int count)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	struct json j;

	CHECK(out != NULL);
	json_begin(&j, out);
	for (int i = 0; i < count; i++)
		if (members[i].text != NULL)
			json_text(&j, members[i].name, members[i].text);
		else
			json_number(&j, members[i].name, members[i].number);
	json_end(&j);
	CHECK(fclose(out) == 0);
	return text;
}

static void
try_octets(const char *text)
{
	char *copy = strdup(text), *again = NULL;
	size_t length, written;
	struct json j;
	FILE *out;

	CHECK(copy != NULL);
	if (json_decode_octets(copy, &length) == 0) {
		CHECK(length <= strlen(text) / 4 * 3);
		out = open_memstream(&again, &written);
		CHECK(out != NULL);
		json_begin(&j, out);
		json_octets(&j, "x", copy, length);
		CHECK(fclose(out) == 0);
		CHECK(written == strlen("{\"x\":\"\"") + strlen(text));
		free(again);
	}
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_member members[MOST], again[MOST];
	char *line = malloc(size + 1), *copy;
	int count;

	CHECK(line != NULL);
	memcpy(line, data, size);
	line[size] = '\0';
	try_octets(line);
	count = json_read(line, members, MOST);
	CHECK(count >= -1 && count <= MOST);
	if (count >= 0) {
		copy = write_again(members, count);
		CHECK(json_read(copy, again, MOST) == count);
		for (int i = 0; i < count; i++) {
			CHECK(strcmp(members[i].name, again[i].name) == 0);
			CHECK((members[i].text == NULL) ==
			      (again[i].text == NULL));
			CHECK(members[i].number == again[i].number);
			if (members[i].text != NULL)
				CHECK(strcmp(members[i].text, again[i].text) ==
				      0);
		}
		free(copy);
	}
	free(line);
	return 0;
}
