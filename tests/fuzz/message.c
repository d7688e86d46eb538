/*
 * The decoder of what programs send each other. Each message has one encoding
 * only, so what decodes encodes to the same octets.
 */
#include "common/message.h"

#include "tests/fuzz/fuzz.h"

static void
check_encodes_back(struct message *m, const uint8_t *data, size_t size)
{
	static uint8_t record[LIMIT_RECORD];
	ssize_t length;

	CHECK(m->fd == -1);
	CHECK(size <= message_type_size(m->type));
	m->fd = message_type_fds(m->type) == 1 ? 0 : -1;
	length = message_encode(m, record, sizeof(record));
	CHECK(length >= 0 && (size_t)length == size);
	CHECK(memcmp(record, data, size) == 0);
}

static void
check_prints(const struct message *m)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	CHECK(out != NULL);
	message_print(m, out);
	fclose(out);
	CHECK(length > 0 && strchr(text, '\n') == text + length - 1);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (unsigned int fds = 0; fds <= 1; fds++) {
		struct message m;

		if (message_decode(&m, data, size, fds) == -1)
			continue;
		CHECK(message_type_fds(m.type) == fds);
		check_encodes_back(&m, data, size);
		check_prints(&m);
	}
	return 0;
}
