/*
 * How much more the store may take: the free space of its disk and of its map,
 * less a reserve. A deletion in LMDB writes pages before it frees any, so a
 * store that was filled to the last page could never be emptied again.
 */
#ifndef QUEUE_STORE_ROOM_H
#define QUEUE_STORE_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include <lmdb.h>

#include "common/monotime.h"

struct store_room {
	uint64_t left;
	struct monotime measured;
	uint64_t refused;  /* what was too much, and has been logged; or 0 */
	bool disk_unknown; /* has been logged */
};

void store_room_begin(struct store_room *, MDB_env *);
void store_room_look(struct store_room *, MDB_env *);
/* Of what there was when it was looked at last. False if that is less. */
bool store_room_take(struct store_room *, uint64_t bytes);
/* Looks again if it is time to, and tells the log if there is too little. */
bool store_room_ask(struct store_room *, MDB_env *, uint64_t bytes);
void store_room_usage(MDB_env *, uint64_t *used, uint64_t *size);

#endif
