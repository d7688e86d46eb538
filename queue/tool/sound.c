#include "queue/tool/sound.h"

#include <string.h>

#include "queue/destination_name.h"
#include "queue/store_row.h"

bool
sound_destination(const char *name)
{
	char as_written[LIMIT_DESTINATION + 1];

	return destination_parse(name, as_written) == 0 &&
	       strcmp(as_written, name) == 0;
}

bool
sound_recipient(uint32_t number, const struct row_recipient *row)
{
	return number < LIMIT_EXPANSION && sound_destination(row->destination);
}
