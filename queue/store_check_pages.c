/*
 * The pages of the data file, as LMDB 0.9 lays them out: each is in one place,
 * and none that is in use counts as free. A list of free pages that a disk has
 * changed is met by no reader: the next mail would be written over other mail.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "queue/store_check_private.h"
#include "queue/store_private.h"

#define METAS 2U
#define PAGE_HEADER 16
#define PAGE_FLAGS 10 /* where they are; behind them, the room that is left */
#define PAGE_LOWER 12
#define PAGE_UPPER 14
#define NODE_HEADER 8
#define IS_BRANCH 1U /* flags of a page */
#define IS_LEAF 2U
#define IS_BIG 1U /* flags of a node */
#define IS_TABLE 2U
#define DEEPEST 32 /* LMDB's own bound */
/* In the record of a table. */
#define TABLE_SIZE 48U
#define TABLE_ROOT 40U
/* In a meta page, behind its header. */
#define META_FORMAT 4U
#define FORMAT 1U /* that of LMDB 0.9; one that is not known is not judged */
#define META_TABLES 24U
#define META_LAST (META_TABLES + 2 * TABLE_SIZE)
#define META_TXN (META_LAST + 8)
#define NO_ROOT UINT64_MAX
/* The largest store that a configuration may ask for, in the smallest pages. */
#define PAGES_MOST (UINT64_C(1) << 32)
/* Commits that may come between two looks at what they write. */
#define TRIES 1000

_Static_assert(sizeof(size_t) == 8, "a number of a page has 64 bits");

struct pages {
	struct check *check;
	const uint8_t *map;
	size_t size; /* of that */
	size_t page;
	uint64_t last;
	uint8_t *used; /* a bit for each page */
	uint8_t *free;
	bool is_free_list; /* the tree that is walked */
};

/* In the order of the machine, as LMDB has them. */
static unsigned int
u16_at(const uint8_t *at)
{
	uint16_t number;

	memcpy(&number, at, sizeof(number));
	return number;
}

static uint64_t
u32_at(const uint8_t *at)
{
	uint32_t number;

	memcpy(&number, at, sizeof(number));
	return number;
}

static uint64_t
u64_at(const uint8_t *at)
{
	uint64_t number;

	memcpy(&number, at, sizeof(number));
	return number;
}

static void
tell(struct pages *p, const char *what, uint64_t page)
{
	check_fault(p->check, STORE_META, 0, -1, "pages",
	    "page %" PRIu64 ": %s", page, what);
}

/* Notes it in a set. False if it was there, or is no page. */
static bool
note(struct pages *p, uint8_t *set, uint64_t page)
{
	uint8_t bit = (uint8_t)(1U << page % 8);

	if (page < METAS || page > p->last) {
		tell(p, "it is named and cannot be", page);
		return false;
	}
	if ((set[page / 8] & bit) != 0) {
		tell(p, "it is named twice", page);
		return false;
	}
	set[page / 8] |= bit;
	return true;
}

/* So many octets from the beginning of this page; NULL: not in the file. */
static const uint8_t *
octets_of(struct pages *p, uint64_t page, uint64_t length)
{
	if (page < p->size / p->page && length <= p->size - page * p->page)
		return p->map + page * p->page;
	tell(p, "the file ends before it", page);
	return NULL;
}

/* One record of the free list: how many, and which. */
static void
note_free(struct pages *p, const uint8_t *list, uint64_t length)
{
	uint64_t count = length < 8 ? 0 : u64_at(list);

	if (length < 8 || count > length / 8 - 1) {
		check_fault(p->check, STORE_META, 0, -1, "pages",
		    "the list of free pages is damaged");
		return;
	}
	for (uint64_t i = 1; i <= count; i++)
		(void)note(p, p->free, u64_at(list + 8 * i));
}

static void walk_tree(struct pages *, uint64_t root, unsigned int depth);

static void
look_at_value(struct pages *p, unsigned int flags, const uint8_t *value,
    uint64_t length, unsigned int depth)
{
	uint64_t first;

	if ((flags & IS_BIG) != 0) {
		first = u64_at(value);
		for (uint64_t i = 0; i <= (PAGE_HEADER - 1 + length) / p->page;
		     i++)
			if (!note(p, p->used, first + i))
				return;
		value = octets_of(p, first, PAGE_HEADER + length);
		if (value == NULL)
			return;
		value += PAGE_HEADER;
	}
	if (p->is_free_list)
		note_free(p, value, length);
	else if ((flags & IS_TABLE) != 0 && length == TABLE_SIZE)
		walk_tree(p, u64_at(value + TABLE_ROOT), depth + 1);
}

/* False if it does not lie in its page. */
static bool
look_at_node(
    struct pages *p, const uint8_t *page, size_t at, unsigned int depth)
{
	const uint8_t *node = page + at;
	uint64_t low, length;
	unsigned int flags, key;
	bool is_leaf = (u16_at(page + PAGE_FLAGS) & IS_LEAF) != 0;

	if (at < u16_at(page + PAGE_UPPER) || at > p->page - NODE_HEADER)
		return false;
	low = u32_at(node);
	flags = u16_at(node + 4);
	key = u16_at(node + 6);
	length = !is_leaf ? 0 : (flags & IS_BIG) != 0 ? 8 : low;
	if (key + length > p->page - at - NODE_HEADER)
		return false;
	if (is_leaf)
		look_at_value(p, flags, node + NODE_HEADER + key, low, depth);
	else
		walk_tree(p, low | (uint64_t)flags << 32, depth + 1);
	return true;
}

/* What is behind the header is looked at with each node. */
static bool
is_tree(const struct pages *p, const uint8_t *page, uint64_t number)
{
	unsigned int flags = u16_at(page + PAGE_FLAGS);
	unsigned int lower = u16_at(page + PAGE_LOWER);
	unsigned int upper = u16_at(page + PAGE_UPPER);

	return u64_at(page) == number &&
	       (flags == IS_BRANCH || flags == IS_LEAF) &&
	       lower >= PAGE_HEADER && lower % 2 == 0 && upper >= lower &&
	       upper <= p->page;
}

static void
walk_tree(struct pages *p, uint64_t root, unsigned int depth)
{
	const uint8_t *page;
	unsigned int lower;

	if (root == NO_ROOT || !note(p, p->used, root))
		return;
	page = octets_of(p, root, p->page);
	if (page == NULL)
		return;
	lower = u16_at(page + PAGE_LOWER);
	if (!is_tree(p, page, root) || depth > DEEPEST) {
		tell(p, "it is damaged", root);
		return;
	}
	for (size_t slot = PAGE_HEADER; slot < lower; slot += 2)
		if (!look_at_node(p, page, u16_at(page + slot), depth)) {
			tell(p, "it is damaged", root);
			return;
		}
}

static void
compare(struct pages *p)
{
	for (uint64_t i = 0; i <= p->last / 8; i++)
		for (uint64_t bit = 0; bit < 8; bit++)
			if ((p->used[i] & p->free[i] & 1U << bit) != 0)
				tell(p,
				    "it is in use and counts as free: it would "
				    "be written over",
				    i * 8 + bit);
}

/* The meta page of the transaction that is open. NULL: two commits have gone
 * by since it was begun. */
static const uint8_t *
meta_of(const struct pages *p, uint64_t txn)
{
	for (size_t i = 0; i < METAS; i++) {
		const uint8_t *meta = p->map + i * p->page + PAGE_HEADER;

		if (u64_at(meta + META_TXN) == txn)
			return meta;
	}
	return NULL;
}

/* Its roots, from the one place where LMDB keeps them; -1: try again. */
static int
read_roots(struct pages *p, uint64_t roots[2])
{
	struct store *s = p->check->store;
	uint64_t txn = mdb_txn_id(s->read);
	const uint8_t *meta = meta_of(p, txn);

	if (meta == NULL)
		return -1;
	for (size_t i = 0; i < 2; i++)
		roots[i] =
		    u64_at(meta + META_TABLES + i * TABLE_SIZE + TABLE_ROOT);
	p->last = u64_at(meta + META_LAST);
	/* It may have been written meanwhile. */
	return meta_of(p, txn) == meta ? 0 : -1;
}

static int
walk_both(struct pages *p, const uint64_t roots[2])
{
	p->used = calloc(p->last / 8 + 1, 1);
	p->free = calloc(p->last / 8 + 1, 1);
	if (p->used == NULL || p->free == NULL)
		return -1;
	p->is_free_list = true;
	walk_tree(p, roots[0], 0);
	p->is_free_list = false;
	walk_tree(p, roots[1], 0);
	compare(p);
	return 0;
}

static void
unmap(struct pages *p)
{
	if (p->map != NULL)
		munmap((void *)(uintptr_t)p->map, p->size);
	p->map = NULL;
}

/* As large as it is now: it grows while its owner works. */
static int
map_file(struct pages *p)
{
	struct stat st;
	void *map;
	int fd;

	unmap(p);
	if (store_result(mdb_env_get_fd(p->check->store->env, &fd)) == -1 ||
	    fstat(fd, &st) == -1)
		return -1;
	p->size = (size_t)st.st_size;
	if (p->size < METAS * p->page) {
		errno = EUCLEAN;
		return -1;
	}
	map = mmap(NULL, p->size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -1;
	p->map = map;
	return 0;
}

/* Within the transaction, which keeps what it sees from being written over. */
static int
look(struct pages *p, const uint64_t roots[2])
{
	if (u32_at(p->map + PAGE_HEADER + META_FORMAT) != FORMAT)
		return 0;
	if (p->last < PAGES_MOST)
		return walk_both(p, roots);
	tell(p, "it is the last one, and cannot be", p->last);
	return 0;
}

static int
begin_and_look(struct pages *p)
{
	struct store *s = p->check->store;
	uint64_t roots[2];
	int result;

	for (int i = 0; i < TRIES; i++) {
		if (store_read_begin(s) == -1)
			return -1;
		result = map_file(p);
		if (result == 0 && read_roots(p, roots) == 0) {
			result = look(p, roots);
			store_read_end(s);
			return result;
		}
		store_read_end(s);
		if (result == -1)
			return -1;
	}
	errno = EBUSY;
	return -1;
}

int
store_check_pages(struct store_check *asked)
{
	struct check c = { .asked = asked, .store = asked->store };
	struct pages p = { .check = &c };
	MDB_stat stat;
	int result;

	if (store_result(mdb_env_stat(c.store->env, &stat)) == -1)
		return -1;
	p.page = stat.ms_psize;
	result = begin_and_look(&p);
	free(p.used);
	free(p.free);
	unmap(&p);
	return result;
}
