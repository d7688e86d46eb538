#include "queue/redirector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>
#include <event2/event.h>

#include "common/dsn.h"
#include "common/id.h"
#include "common/log.h"
#include "common/mail.h"
#include "common/message.h"
#include "queue/clock.h"
#include "queue/drain.h"
#include "queue/errand.h"
#include "queue/flight.h"
#include "queue/hops.h"
#include "queue/lifecycle.h"
#include "queue/lifecycle_rows.h"
#include "queue/link_router.h"
#include "queue/query.h"
#include "queue/redirection.h"
#include "queue/reporter.h"
#include "queue/store.h"

/* One that is at a router, or about to go there. */
struct outgoing {
	struct errand errand; /* the first member: see outgoing_of() */
	void (*done)(const struct redirector_answer *, void *);
	void *context;
	struct redirection *redirection;
};

static struct {
	struct lifecycle *lifecycle;
	struct event *timer;
	struct errands out;
	uint64_t octets; /* of their contents */
} state;

static const struct timeval second = { 1, 0 };

static struct outgoing *
outgoing_of(struct errand *e)
{
	return (struct outgoing *)e;
}

/* What is in no list. */
static void
outgoing_free(struct outgoing *o)
{
	free(o->redirection);
	free(o);
}

/* Frees it, and tells who asked. */
static void
finish(struct errand *e, uint64_t made, unsigned int code, const char *reply)
{
	struct outgoing *o = outgoing_of(e);
	const struct redirection *d = o->redirection;
	const struct redirector_answer answer = { d->id, made, code, reply,
		d->count };

	errand_end(&state.out, e);
	state.octets -= o->redirection->message.size;
	if (made == 0)
		log_warn("redirect-refused id=%s to=\"%s\" uid=%u "
			 "reply=\"%u %s\"",
		    id_format(d->id).text, log_text(d->to),
		    (unsigned int)d->uid, code, log_text(reply));
	if (o->done != NULL)
		o->done(&answer, o->context);
	outgoing_free(o);
}

/* -- Asking ---------------------------------------------------------------- */

static bool
is_busy(const struct redirection *d)
{
	for (unsigned int i = 0; i < d->count; i++)
		if (flight_exists(d->id, d->numbers[i]))
			return true;
	return reporter_is_telling(d->id);
}

static int
load_recipient(struct redirection *d, unsigned int at)
{
	struct lifecycle *l = state.lifecycle;
	struct row_key key = row_key_number(d->id, d->numbers[at]);
	struct row_recipient row;
	struct bytes value;

	if (store_get(l->store, STORE_RECIPIENT, &key, &value) == -1 ||
	    row_recipient_decode(&row, value.data, value.length) == -1)
		return -1;
	if (at > 0) {
		d->notify = dsn_notify_merge(d->notify, row.notify);
		return 0;
	}
	strlcpy(d->original, row.original, sizeof(d->original));
	strlcpy(d->orcpt, row.orcpt, sizeof(d->orcpt));
	d->notify = row.notify;
	return 0;
}

static int
load(struct redirection *d)
{
	struct lifecycle *l = state.lifecycle;
	int result, error;

	if (store_read_begin(l->store) == -1)
		return -1;
	result = rows_load_message(l, d->id, &d->message, d->octets);
	for (unsigned int i = 0; i < d->count && result == 0; i++)
		result = load_recipient(d, i);
	error = errno;
	store_read_end(l->store);
	errno = error;
	return result;
}

/* The descriptor goes to the router. */
static int
hand_over(struct outgoing *o, int fd)
{
	const struct redirection *d = o->redirection;
	struct message_inject m = {
		.address = d->to,
		.sender = d->message.sender,
		.body = d->message.body,
		.size = d->message.size,
		.notify = d->notify,
		.orcpt = d->orcpt,
	};

	if (hops_count(fd, &m.hops) == -1) {
		close(fd);
		return -1;
	}
	if (errand_send(&state.out, &o->errand, &m, fd) == -1)
		return -1;
	state.octets += d->message.size;
	return 0;
}

static int
send_out(struct outgoing *o)
{
	int fd;

	if (is_busy(o->redirection)) {
		errno = EBUSY;
		return -1;
	}
	if (load(o->redirection) == -1)
		return -1;
	if (state.out.count > 0 &&
	    state.octets + o->redirection->message.size > REDIRECTOR_OCTETS) {
		errno = EAGAIN;
		return -1;
	}
	fd = query_content(o->redirection->id);
	return fd == -1 ? -1 : hand_over(o, fd);
}

static struct redirection *
redirection_new(uint64_t id, const uint32_t *numbers, unsigned int count,
    const char *to, uid_t uid)
{
	size_t size = count * sizeof(*numbers);
	struct redirection *d = calloc(1, sizeof(*d) + size);

	if (d == NULL)
		return NULL;
	d->id = id;
	d->uid = uid;
	d->is_busy = is_busy;
	d->count = count;
	strlcpy(d->to, to, sizeof(d->to));
	memcpy(d->numbers, numbers, size);
	return d;
}

int
redirector_ask(uint64_t id, const uint32_t *numbers, unsigned int count,
    const char *to, uid_t uid,
    void (*done)(const struct redirector_answer *, void *), void *context)
{
	struct outgoing *o;

	if (drain_has_begun() || state.out.count >= REDIRECTOR_OUT) {
		errno = EAGAIN;
		return -1;
	}
	o = calloc(1, sizeof(*o));
	if (o == NULL)
		return -1;
	o->done = done;
	o->context = context;
	o->redirection = redirection_new(id, numbers, count, to, uid);
	if (o->redirection == NULL || send_out(o) == -1) {
		int error = errno;

		outgoing_free(o);
		errno = error;
		return -1;
	}
	if (!evtimer_pending(state.timer, NULL))
		evtimer_add(state.timer, &second);
	return 0;
}

void
redirector_forget(const void *context)
{
	struct errand *e;

	TAILQ_FOREACH (e, &state.out.list, next)
		if (outgoing_of(e)->context == context)
			outgoing_of(e)->done = NULL;
}

/* -- Answers --------------------------------------------------------------- */

const struct redirection *
redirector_take(const void *router, uint32_t handle, int fd, uint64_t size)
{
	struct errand *e = errand_take(&state.out, router, handle, fd, size);

	return e == NULL ? NULL : outgoing_of(e)->redirection;
}

void
redirector_stored(const void *router, uint32_t handle, uint64_t made,
    unsigned int code, const char *reply)
{
	struct errand *e = errand_find(&state.out, router, handle);

	if (e != NULL)
		finish(e, code == 250 ? made : 0, code, reply);
}

void
redirector_unrouted(
    const void *router, uint32_t handle, unsigned int code, const char *reply)
{
	struct errand *e = errand_unrouted(&state.out, router, handle);

	if (e != NULL)
		finish(e, 0, code, reply);
}

void
redirector_router_lost(const void *router)
{
	struct errand *e;

	while ((e = errand_at(&state.out, router)) != NULL)
		finish(e, 0, 451, "4.3.0 The router went away");
}

/* What it was given is no handle any more. */
static void
on_timer(evutil_socket_t fd, short what, void *context)
{
	struct errand *e;

	(void)fd;
	(void)what;
	(void)context;
	while ((e = errand_silent(&state.out, clock_seconds())) != NULL)
		finish(e, 0, 451, "4.3.0 The router does not answer");
	if (state.out.count > 0)
		evtimer_add(state.timer, &second);
}

int
redirector_start(struct event_base *base, struct lifecycle *lifecycle)
{
	memset(&state, 0, sizeof(state));
	errands_begin(&state.out, INJECT_REDIRECTED);
	state.lifecycle = lifecycle;
	state.timer = evtimer_new(base, on_timer, NULL);
	if (state.timer != NULL)
		return 0;
	errno = ENOMEM;
	return -1;
}
