#include "queue/content_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <event2/event.h>

#include "common/monotime.h"
#include "queue/store_content.h"
#include "queue/store_row.h"

#define MOST_OCTETS (UINT64_C(64) * 1024 * 1024)
#define MOST_CONTENTS 4096
/* What is not handed out at once waits for something slower than a read. */
#define UNUSED_MS 5000

struct kept {
	RB_ENTRY(kept) by_id;
	TAILQ_ENTRY(kept) by_use;
	uint64_t id;
	uint64_t size;
	int fd;
	struct monotime used;
};

RB_HEAD(kept_tree, kept);
TAILQ_HEAD(kept_list, kept);

static struct {
	struct kept_tree tree;
	struct kept_list order; /* the first was not used for longest */
	uint64_t octets;
	unsigned int count;
	struct event *timer;
} state = { .order = TAILQ_HEAD_INITIALIZER(state.order) };

static int
compare(struct kept *a, struct kept *b)
{
	return a->id < b->id ? -1 : a->id > b->id;
}

RB_PROTOTYPE(kept_tree, kept, by_id, compare)
RB_GENERATE(kept_tree, kept, by_id, compare)

static struct kept *
find(uint64_t id)
{
	struct kept key = { .id = id };

	return RB_FIND(kept_tree, &state.tree, &key);
}

static void
forget(struct kept *k)
{
	RB_REMOVE(kept_tree, &state.tree, k);
	TAILQ_REMOVE(&state.order, k, by_use);
	state.octets -= k->size;
	state.count--;
	close(k->fd);
	free(k);
}

void
content_cache_keep(uint64_t id, uint64_t size, int fd_take)
{
	struct kept *k = NULL;

	content_cache_drop(id);
	if (size <= MOST_OCTETS)
		k = calloc(1, sizeof(*k));
	if (k == NULL) {
		close(fd_take);
		return;
	}
	while (
	    state.count >= MOST_CONTENTS || state.octets + size > MOST_OCTETS)
		forget(TAILQ_FIRST(&state.order));
	k->id = id;
	k->size = size;
	k->fd = fd_take;
	k->used = monotime_now();
	RB_INSERT(kept_tree, &state.tree, k);
	TAILQ_INSERT_TAIL(&state.order, k, by_use);
	state.octets += size;
	state.count++;
}

static int
duplicate(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

int
content_cache_open(
    struct store *store, uint64_t id, const struct row_message *row)
{
	struct kept *k = find(id);
	int fd, own;

	if (k != NULL) {
		TAILQ_REMOVE(&state.order, k, by_use);
		TAILQ_INSERT_TAIL(&state.order, k, by_use);
		k->used = monotime_now();
		return duplicate(k->fd);
	}
	fd = store_content_load(store, id, row);
	if (fd == -1)
		return -1;
	/* Other recipients of the message may follow at once. */
	own = duplicate(fd);
	if (own != -1)
		content_cache_keep(id, row->size, own);
	return fd;
}

void
content_cache_drop(uint64_t id)
{
	struct kept *k = find(id);

	if (k != NULL)
		forget(k);
}

void
content_cache_clear(void)
{
	while (!TAILQ_EMPTY(&state.order))
		forget(TAILQ_FIRST(&state.order));
}

static void
on_timer(evutil_socket_t fd, short what, void *context)
{
	struct monotime now = monotime_now();
	struct kept *k;

	(void)fd;
	(void)what;
	(void)context;
	while ((k = TAILQ_FIRST(&state.order)) != NULL &&
	       monotime_ms_between(k->used, now) >= UNUSED_MS)
		forget(k);
}

int
content_cache_start(struct event_base *base)
{
	static const struct timeval second = { 1, 0 };

	state.timer = event_new(base, -1, EV_PERSIST, on_timer, NULL);
	if (state.timer != NULL && evtimer_add(state.timer, &second) == 0)
		return 0;
	errno = ENOMEM;
	return -1;
}
