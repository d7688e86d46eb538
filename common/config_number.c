#include "common/config_number.h"

#include <inttypes.h>
#include <stddef.h>

struct unit {
	char letter;
	uint64_t factor;
};

/* Largest first; ends in a factor of 0. */
static const struct unit sizes[] = {
	{ 'T', UINT64_C(1) << 40 },
	{ 'G', UINT64_C(1) << 30 },
	{ 'M', UINT64_C(1) << 20 },
	{ 'K', UINT64_C(1) << 10 },
	{ '\0', 1 },
	{ '\0', 0 },
};

static const struct unit durations[] = {
	{ 'w', UINT64_C(7) * 24 * 60 * 60 },
	{ 'd', UINT64_C(24) * 60 * 60 },
	{ 'h', UINT64_C(60) * 60 },
	{ 'm', 60 },
	{ 's', 1 },
	{ '\0', 0 },
};

static const struct unit plain[] = { { '\0', 1 }, { '\0', 0 } };

static const struct unit *
units_of(enum number_unit kind)
{
	switch (kind) {
	case NUMBER_SIZE:
		return sizes;
	case NUMBER_DURATION:
		return durations;
	case NUMBER_PLAIN:
		break;
	}
	return plain;
}

int
number_parse(const char *text, enum number_unit kind, uint64_t *number)
{
	const struct unit *unit = units_of(kind);
	uint64_t value = 0;

	if (*text < '0' || *text > '9')
		return -1;
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(
			value, (uint64_t)(*text - '0'), &value))
			return -1;
	while (unit->factor != 0 && unit->letter != *text)
		unit++;
	if (unit->factor == 0 || (*text != '\0' && text[1] != '\0'))
		return -1;
	return __builtin_mul_overflow(value, unit->factor, number) ? -1 : 0;
}

void
number_print(FILE *out, uint64_t number, enum number_unit kind)
{
	const struct unit *unit = units_of(kind);

	/* Nothing is nothing in the smallest unit. */
	while (
	    unit[1].factor != 0 && (number == 0 || number % unit->factor != 0))
		unit++;
	fprintf(out, "%" PRIu64, number / unit->factor);
	if (unit->letter != '\0')
		fputc(unit->letter, out);
}
