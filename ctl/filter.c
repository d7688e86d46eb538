#include "ctl/filter.h"

#include <stddef.h>
#include <string.h>

#include "common/mail.h"

#define DURATION_MOST (UINT64_C(100) * 365 * 86400)

bool
filter_is_everything(const struct filter *f)
{
	return f->sender[0] == '\0' && f->recipient[0] == '\0' &&
	       f->destination[0] == '\0' && f->reply[0] == '\0' &&
	       f->age == 0 && f->size == 0 && f->state == 0;
}

static uint64_t
seconds_in(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	case 'w':
		return UINT64_C(7) * 86400;
	default:
		return 0;
	}
}

/* Reads digits; leaves `text` behind them. */
static int
read_number(const char **text, uint64_t *number)
{
	const char *start = *text;

	*number = 0;
	for (; **text >= '0' && **text <= '9'; (*text)++) {
		*number = *number * 10 + (uint64_t)(**text - '0');
		if (*number > DURATION_MOST)
			return -1;
	}
	return *text == start ? -1 : 0;
}

int
filter_parse_duration(const char *text, uint64_t *seconds)
{
	uint64_t total = 0, last_unit = UINT64_MAX;

	do {
		uint64_t number, unit;

		if (read_number(&text, &number) == -1)
			return -1;
		if (*text == '\0' && last_unit == UINT64_MAX)
			unit = 1;
		else
			unit = seconds_in(*text++);
		/* Each unit once, the greatest first, so that a slip such as
		 * "1m30m" is not taken for something. */
		if (unit == 0 || unit >= last_unit ||
		    number > DURATION_MOST / unit)
			return -1;
		last_unit = unit;
		total += number * unit;
		if (total > DURATION_MOST)
			return -1;
	} while (*text != '\0');
	*seconds = total;
	return 0;
}

int
filter_parse_size(const char *text, uint64_t *octets)
{
	static const char units[] = "KMGT";
	const char *unit = NULL;

	if (read_number(&text, octets) == -1 || *octets == 0)
		return -1;
	if (*text != '\0')
		unit = strchr(units, *text);
	if (*text != '\0' && (unit == NULL || text[1] != '\0'))
		return -1;
	for (; unit != NULL && unit >= units; unit--)
		*octets *= 1024;
	return 0;
}

int
filter_parse_state(const char *text, uint8_t *state)
{
	for (unsigned int i = 0; i < RECIPIENT_STATES; i++)
		if (strcmp(text, recipient_state_name(i)) == 0) {
			*state = (uint8_t)(i + 1);
			return 0;
		}
	return -1;
}
