/*
 * What a report reads of a message that strangers wrote: never more than there
 * is, and a Message-ID that can stand in a field.
 */
#include "queue/dsn_original.h"

#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char id[DSN_MESSAGE_ID_SIZE], subject[DSN_SUBJECT_SIZE];
	char *copy = malloc(size > 0 ? size : 1);
	size_t header, length;
	bool is_8bit;

	CHECK(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	header = dsn_original_header(copy, size);
	CHECK(header <= size);
	CHECK(header == 0 || copy[header - 1] == '\n');
	dsn_original_message_id(copy, size, id);
	length = strlen(id);
	CHECK(length < sizeof(id));
	for (size_t i = 0; i < length; i++)
		CHECK(id[i] > ' ' && id[i] <= '~');
	CHECK(length == 0 || (id[0] == '<' && id[length - 1] == '>'));
	dsn_original_is_report(copy, size, "mail.example.org");
	dsn_original_subject(copy, size, subject);
	length = strlen(subject);
	CHECK(length < sizeof(subject));
	for (size_t i = 0; i < length; i++)
		CHECK(subject[i] >= ' ' && subject[i] <= '~');
	dsn_original_is_utf8(copy, size);
	if (dsn_original_is_sound(copy, size, &is_8bit))
		CHECK(memchr(copy, '\0', size) == NULL);
	free(copy);
	return 0;
}
