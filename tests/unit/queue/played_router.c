#include "tests/unit/queue/played_router.h"

#include "common/content.h"
#include "queue/drain.h"
#include "queue/link_router.h"

struct played_given given = { .fd = -1 };
unsigned int given_count;
bool router_is_there, queue_drains;
int router;
struct event_base *base;
struct timeval played_wait;

/* Their owners end with the process only. */
static struct event *timers[8];
static unsigned int timer_count;

bool
drain_has_begun(void)
{
	return queue_drains;
}

bool
router_exists(void)
{
	return true;
}

void
played_drop(void)
{
	if (given.fd != -1)
		close(given.fd);
	given.fd = -1;
}

const void *
router_inject(uint32_t handle, const struct message_inject *m, int fd_take)
{
	assert_int_equal(content_check(fd_take, m->size), 0);
	if (!router_is_there) {
		close(fd_take);
		return NULL;
	}
	played_drop();
	given.handle = handle;
	given.fd = fd_take;
	given.size = m->size;
	given.body = m->body;
	given.notify = m->notify;
	given.hops = m->hops;
	snprintf(given.to, sizeof(given.to), "%s", m->address);
	snprintf(given.sender, sizeof(given.sender), "%s", m->sender);
	snprintf(given.orcpt, sizeof(given.orcpt), "%s", m->orcpt);
	given_count++;
	return &router;
}

int __real_event_add(struct event *, const struct timeval *);
int __wrap_event_add(struct event *, const struct timeval *);

int
__wrap_event_add(struct event *event, const struct timeval *after)
{
	static const struct timeval at_once = { 0, 0 };

	if (event_get_base(event) != base)
		return __real_event_add(event, after);
	played_wait = *after;
	return __real_event_add(event, &at_once);
}

struct event *__real_event_new(
    struct event_base *, evutil_socket_t, short, event_callback_fn, void *);
struct event *__wrap_event_new(
    struct event_base *, evutil_socket_t, short, event_callback_fn, void *);

struct event *
__wrap_event_new(struct event_base *of, evutil_socket_t fd, short what,
    event_callback_fn callback, void *context)
{
	struct event *event = __real_event_new(of, fd, what, callback, context);

	if (of == base) {
		assert_true(timer_count < COUNT(timers));
		timers[timer_count++] = event;
	}
	return event;
}

void
played_reset(void)
{
	given_count = 0;
	router_is_there = true;
	queue_drains = false;
}

void
played_begin(void)
{
	base = event_base_new();
	assert_non_null(base);
}

void
played_end(void)
{
	played_drop();
	while (timer_count > 0)
		event_free(timers[--timer_count]);
	event_base_free(base);
	base = NULL;
}

void
played_look(void)
{
	assert_int_not_equal(
	    event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), -1);
}

struct submission *
played_send_back(const char *sender, const char *text)
{
	struct message_envelope m = {
		.id = house_id(),
		.sender = sender,
		.client_address = "",
		.helo = text,
		.user = text,
		.envid = text,
		.client_name = "",
		.tls_version = "",
		.tls_cipher = "",
		.config = "",
		.protocol = SMTP_PROTOCOL_LOCAL,
		.size = given.size,
		.recipients = 1,
	};
	struct message_route route = {
		.address = given.to,
		.original = given.to,
		.kind = ROUTE_MX,
		.name = "",
		.user = "",
		.notify = given.notify,
		.orcpt = given.orcpt,
		.via = "",
	};
	struct submission *s = submission_new(&m, dup(given.fd), house_now);

	assert_non_null(s);
	s->inject = given.handle;
	s->owner = &router;
	assert_int_equal(submission_add(s, &route), 0);
	return s;
}
