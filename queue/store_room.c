#include "queue/store_room.h"

#include <sys/statvfs.h>

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/log.h"

/* Kept free on the disk, so that deliveries, history and the log go on: this
 * part of it, but no more than that. */
#define DISK_RESERVE_PART 16
#define DISK_RESERVE_MOST (UINT64_C(64) * 1024 * 1024)
/* Kept free in the map: this part of it, but no more than that. */
#define MAP_RESERVE_PART 8
#define MAP_RESERVE_MOST (UINT64_C(64) * 1024 * 1024)
#define MEASURE_EVERY_MS 1000

/* Rows, index pages and the half-filled last page of the content. */
#define OVERHEAD 16384

/* Pages that earlier transactions gave back: each record of LMDB's table of
 * free pages begins with how many it lists. */
static uint64_t
free_pages(MDB_env *env)
{
	MDB_txn *txn;
	MDB_cursor *cursor;
	MDB_val key, value;
	uint64_t pages = 0;
	size_t count;

	if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0)
		return 0;
	if (mdb_cursor_open(txn, 0, &cursor) == 0) {
		while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
			if (value.mv_size < sizeof(count))
				continue;
			memcpy(&count, value.mv_data, sizeof(count));
			pages += count;
		}
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	return pages;
}

static uint64_t
page_size(MDB_env *env)
{
	MDB_stat stat;

	return mdb_env_stat(env, &stat) == 0 ? stat.ms_psize : 4096;
}

void
store_room_usage(MDB_env *env, uint64_t *used, uint64_t *size)
{
	MDB_envinfo info;
	uint64_t pages;

	*used = *size = 0;
	if (mdb_env_info(env, &info) != 0)
		return;
	pages = info.me_last_pgno + 1;
	*size = info.me_mapsize;
	*used = (pages - free_pages(env)) * page_size(env);
}

static uint64_t
less(uint64_t from, uint64_t amount)
{
	return from > amount ? from - amount : 0;
}

static uint64_t
room_in_map(MDB_env *env)
{
	MDB_envinfo info;
	uint64_t size, reserve, never_used;

	if (mdb_env_info(env, &info) != 0)
		return 0;
	size = page_size(env);
	reserve = info.me_mapsize / MAP_RESERVE_PART;
	if (reserve > MAP_RESERVE_MOST)
		reserve = MAP_RESERVE_MOST;
	never_used = less(info.me_mapsize, (info.me_last_pgno + 1) * size);
	/* The free pages are counted only when it matters. */
	if (never_used > 2 * MAP_RESERVE_MOST)
		return never_used - reserve;
	return less(never_used + free_pages(env) * size, reserve);
}

/* The file grows only where no free page is used again, so this is careful
 * rather than exact. */
static uint64_t
room_on_disk(struct store_room *room, MDB_env *env)
{
	struct statvfs disk;
	uint64_t reserve;
	int fd;

	if (mdb_env_get_fd(env, &fd) != 0 || fstatvfs(fd, &disk) == -1) {
		if (!room->disk_unknown)
			log_warn(
			    "store-disk-unknown error=\"%s\"", strerror(errno));
		room->disk_unknown = true;
		return UINT64_MAX;
	}
	reserve = (uint64_t)disk.f_blocks * disk.f_frsize / DISK_RESERVE_PART;
	if (reserve > DISK_RESERVE_MOST)
		reserve = DISK_RESERVE_MOST;
	return less((uint64_t)disk.f_bavail * disk.f_frsize, reserve);
}

void
store_room_look(struct store_room *room, MDB_env *env)
{
	uint64_t map, disk;
	int dead = 0;

	/* Who looked on and was killed would keep pages from being used again
	 * for good. */
	if (mdb_reader_check(env, &dead) == 0 && dead > 0)
		log_info("store-readers-cleared count=%d", dead);
	map = room_in_map(env);
	disk = room_on_disk(room, env);
	room->left = map < disk ? map : disk;
	room->measured = monotime_now();
	if (room->refused == 0 || room->left < room->refused)
		return;
	log_info("store-room-again left=%" PRIu64, room->left);
	room->refused = 0;
}

void
store_room_begin(struct store_room *room, MDB_env *env)
{
	*room = (struct store_room){ .refused = 0 };
	store_room_look(room, env);
}

bool
store_room_take(struct store_room *room, uint64_t bytes)
{
	uint64_t need = bytes + OVERHEAD;

	if (need > room->left)
		return false;
	room->left -= need;
	return true;
}

bool
store_room_ask(struct store_room *room, MDB_env *env, uint64_t bytes)
{
	uint64_t need = bytes + OVERHEAD;

	if (monotime_ms_between(room->measured, monotime_now()) >=
	    MEASURE_EVERY_MS)
		store_room_look(room, env);
	if (store_room_take(room, bytes))
		return true;
	/* Said once, and again when even less is too much. */
	if (room->refused == 0 || need < room->refused) {
		log_error("store-full left=%" PRIu64 " needed=%" PRIu64
			  " action=\"new mail is refused, deliveries go on\"",
		    room->left, need);
		room->refused = need;
	}
	return false;
}
