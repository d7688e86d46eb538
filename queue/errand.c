#include "queue/errand.h"

#include <errno.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mail.h"
#include "common/message.h"
#include "queue/clock.h"
#include "queue/link_router.h"

void
errands_begin(struct errands *all, uint32_t kind)
{
	*all = (struct errands){ .kind = kind };
	TAILQ_INIT(&all->list);
}

/* Never 0, which says that a message is none of ours. */
static uint32_t
next_handle(struct errands *all)
{
	all->last = all->last % (INJECT_REDIRECTED - 1) + 1;
	return all->last | all->kind;
}

int
errand_send(struct errands *all, struct errand *e,
    const struct message_inject *message, int fd_take)
{
	if (fstat(fd_take, &e->content) == -1) {
		close(fd_take);
		return -1;
	}
	e->taken = false;
	e->since = clock_seconds();
	e->handle = next_handle(all);
	e->router = router_inject(e->handle, message, fd_take);
	if (e->router == NULL) {
		errno = ENOTCONN;
		return -1;
	}
	TAILQ_INSERT_TAIL(&all->list, e, next);
	all->count++;
	return 0;
}

void
errand_end(struct errands *all, struct errand *e)
{
	TAILQ_REMOVE(&all->list, e, next);
	all->count--;
}

struct errand *
errand_find(const struct errands *all, const void *router, uint32_t handle)
{
	struct errand *e;

	TAILQ_FOREACH (e, &all->list, next)
		if (e->router == router && e->handle == handle)
			return e;
	return NULL;
}

struct errand *
errand_take(const struct errands *all, const void *router, uint32_t handle,
    int fd, uint64_t size)
{
	struct errand *e = errand_find(all, router, handle);
	struct stat st;

	if (e == NULL || e->taken || fstat(fd, &st) == -1 ||
	    st.st_dev != e->content.st_dev || st.st_ino != e->content.st_ino ||
	    (uint64_t)st.st_size != size)
		return NULL;
	e->taken = true;
	return e;
}

struct errand *
errand_unrouted(const struct errands *all, const void *router, uint32_t handle)
{
	struct errand *e = errand_find(all, router, handle);

	if (e != NULL && !e->taken)
		return e;
	log_warn("late peer=router message=UNROUTED");
	return NULL;
}

struct errand *
errand_silent(const struct errands *all, uint64_t now)
{
	struct errand *e;

	TAILQ_FOREACH (e, &all->list, next)
		if (!e->taken && now >= e->since + ERRAND_ANSWER)
			return e;
	return NULL;
}

struct errand *
errand_at(const struct errands *all, const void *router)
{
	struct errand *e;

	TAILQ_FOREACH (e, &all->list, next)
		if (e->router == router)
			return e;
	return NULL;
}
