/*
 * What may be in a dump: dump writes nothing else, and load takes nothing else.
 * What only one of them refused would keep all that follows it from being
 * loaded.
 */
#ifndef QUEUE_TOOL_SOUND_H
#define QUEUE_TOOL_SOUND_H

#include <stdbool.h>
#include <stdint.h>

struct row_recipient;

/* Can mail be for it, and is it written as all that know it write it? */
bool sound_destination(const char *name);
/* One that could be read. */
bool sound_recipient(uint32_t number, const struct row_recipient *);

#endif
