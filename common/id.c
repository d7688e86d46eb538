#include "common/id.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bsd/stdlib.h>

#define COUNTER_BITS 20
#define COUNTER_MASK ((UINT64_C(1) << COUNTER_BITS) - 1)

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

static uint64_t
wall_milliseconds(void)
{
	struct timespec ts = { 0, 0 };

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

uint64_t
id_new(void)
{
	static uint64_t last;
	uint64_t now = wall_milliseconds() << COUNTER_BITS;

	/* A new millisecond starts at a random place in the lower half of
	 * the counter; within one, and if time stands still, count on. */
	if (now > last)
		last = now | (arc4random() & (COUNTER_MASK >> 1));
	else
		last++;
	return last;
}

struct id_text
id_format(uint64_t id)
{
	struct id_text out;

	for (int i = ID_TEXT_SIZE - 2; i >= 0; i--) {
		out.text[i] = alphabet[id & 31];
		id >>= 5;
	}
	out.text[ID_TEXT_SIZE - 1] = '\0';
	return out;
}

int
id_parse(const char *text, uint64_t *id)
{
	uint64_t value = 0;

	if (strlen(text) != ID_TEXT_SIZE - 1)
		return -1;
	for (const char *p = text; *p != '\0'; p++) {
		char c = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
		const char *at = strchr(alphabet, c);

		if (at == NULL || value >> 59 != 0)
			return -1;
		value = value << 5 | (uint64_t)(at - alphabet);
	}
	if (value == 0)
		return -1;
	*id = value;
	return 0;
}

uint64_t
id_time(uint64_t id)
{
	return (id >> COUNTER_BITS) / 1000;
}
