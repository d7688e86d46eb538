#include "deliver/remote/delivery.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <bsd/string.h>
#include <bsd/sys/queue.h>

#include "common/id.h"
#include "common/log.h"
#include "common/monotime.h"
#include "deliver/remote/connection.h"
#include "deliver/remote/pool.h"
#include "deliver/remote/reply.h"
#include "deliver/remote/route.h"

/* Why an address did not take the mail. */
struct failure {
	bool happened;
	bool untold; /* nobody has heard of it */
	bool by_host;
	enum report_scope scope;
	struct endpoint_host host;
	uint32_t took;
	char reason[LIMIT_REPLY + 1];
};

struct delivery {
	TAILQ_ENTRY(delivery) waiting;
	bool is_waiting;
	uint64_t id;
	enum route_kind kind;
	char name[LIMIT_DOMAIN + 1];
	char key[POOL_KEY_SIZE];
	struct transaction *transaction;
	int content;
	const struct delivery_handler *handler;
	void *context;
	struct route *route;
	struct connection *connection;
	bool has_begun;
	struct monotime deadline; /* of going from address to address */
	struct monotime since;	  /* this address has the message */
	bool tried;		  /* some address of the route */
	bool goes_on;		  /* a host takes the rest in another one */
	bool came_back; /* to a host that ended it for too many recipients */
	struct failure temporary, permanent; /* the last of each */
};

static struct {
	const struct config *config;
	TAILQ_HEAD(deliveries, delivery) waiting;
} state;

static void advance(struct delivery *);

void
delivery_init(const struct config *config)
{
	state.config = config;
	TAILQ_INIT(&state.waiting);
}

static void
stop_waiting(struct delivery *d)
{
	if (d->is_waiting)
		TAILQ_REMOVE(&state.waiting, d, waiting);
	d->is_waiting = false;
}

static void
delivery_free(struct delivery *d)
{
	stop_waiting(d);
	connection_abandon(&d->connection);
	route_free(&d->route);
	transaction_free(&d->transaction);
	close(d->content);
	free(d);
}

void
delivery_abort(struct delivery **pointer)
{
	struct delivery *d = *pointer;

	*pointer = NULL;
	if (d != NULL)
		delivery_free(d);
}

static void
finish(struct delivery *d)
{
	const struct delivery_handler *handler = d->handler;
	void *context = d->context;

	delivery_free(d);
	handler->over(context);
}

/* How long the current host has had it for. */
static uint32_t
took(const struct delivery *d)
{
	int64_t ms = monotime_ms_between(d->since, monotime_now());

	return ms < 0 ? 0 : ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

/* Reports the same on all recipients that are not settled. */
static void
report_all(struct delivery *d, const struct delivery_report *report)
{
	for (unsigned int i = 0; i < d->transaction->count; i++)
		if (!d->transaction->recipients[i].settled)
			d->handler->report(d->context,
			    d->transaction->recipients[i].number, report);
	finish(d);
}

/* No host said so. */
static void
give_up(struct delivery *d, enum report_outcome outcome,
    enum report_scope scope, const char *reason)
{
	const struct delivery_report report = {
		.outcome = outcome, .scope = scope, .reply = reason
	};

	report_all(d, &report);
}

static struct delivery_report
report_of(const struct failure *f, enum report_outcome outcome)
{
	return (struct delivery_report){
		.outcome = outcome,
		.scope = f->scope,
		.host = f->by_host ? &f->host : NULL,
		.reply = f->reason,
		.took = f->took,
	};
}

/* Tells of a host that has said its last word, but not the last one. */
static void
tell_tried(struct delivery *d, struct failure *f)
{
	const struct delivery_report report = report_of(f, REPORT_DEFERRED);

	if (f->untold && f->by_host)
		d->handler->tried(d->context, &report);
	f->untold = false;
}

static void
report_failure(
    struct delivery *d, struct failure *f, enum report_outcome outcome)
{
	const struct delivery_report report = report_of(f, outcome);

	f->untold = false;
	tell_tried(d, &d->temporary);
	tell_tried(d, &d->permanent);
	report_all(d, &report);
}

/* Did a look-up go wrong that may go better later? */
static bool
is_look_up_deferred(const struct delivery *d)
{
	const struct route_verdict *verdict = route_verdict(d->route);

	return verdict->reason[0] != '\0' &&
	       verdict->outcome == REPORT_DEFERRED;
}

/* No address is left. Whatever may go better later decides; only if nothing
 * may, what was refused for good. */
static void
conclude(struct delivery *d)
{
	const struct route_verdict *verdict = route_verdict(d->route);

	if (d->temporary.happened) {
		report_failure(d, &d->temporary, REPORT_DEFERRED);
		return;
	}
	if (d->permanent.happened && !is_look_up_deferred(d)) {
		report_failure(d, &d->permanent, REPORT_FAILED);
		return;
	}
	tell_tried(d, &d->permanent);
	if (verdict->reason[0] != '\0')
		give_up(d, verdict->outcome, verdict->scope, verdict->reason);
	else
		give_up(d, REPORT_DEFERRED, REPORT_SCOPE_DESTINATION,
		    "4.4.1 no address to try");
}

static void
on_settled(void *context, unsigned int recipient, enum report_outcome outcome,
    enum report_scope scope, const struct endpoint_host *host,
    const char *reply)
{
	struct delivery *d = context;
	const struct delivery_report report = {
		.outcome = outcome,
		.scope = scope,
		.host = host,
		.reply = reply,
		.relayed = outcome == REPORT_DELIVERED &&
			   !d->transaction->host_reports,
		.took = took(d),
	};

	d->handler->report(
	    d->context, d->transaction->recipients[recipient].number, &report);
}

/* In the order in which they came, what is fresh before the rest. */
static void
wait_for_room(struct delivery *d)
{
	struct delivery *other = TAILQ_FIRST(&state.waiting);

	if (d->is_waiting)
		return;
	d->is_waiting = true;
	while (
	    d->transaction->fresh && other != NULL && other->transaction->fresh)
		other = TAILQ_NEXT(other, waiting);
	if (d->transaction->fresh && other != NULL)
		TAILQ_INSERT_BEFORE(other, d, waiting);
	else
		TAILQ_INSERT_TAIL(&state.waiting, d, waiting);
}

/* The same way again, with the same connection if it is still there: it was
 * just announced. All of it shares the time that the first transaction had. */
static void
go_on(struct delivery *d)
{
	log_debug("delivery-goes-on id=%s recipients=%u most=%u",
	    id_format(d->id).text, d->transaction->count, d->transaction->most);
	route_free(&d->route);
	d->temporary.happened = d->permanent.happened = false;
	d->transaction->most_is_new = false;
	d->goes_on = true;
	wait_for_room(d);
}

static void
on_done(void *context)
{
	struct delivery *d = context;

	d->connection = NULL;
	transaction_compact(d->transaction);
	if (d->transaction->count == 0)
		finish(d);
	else
		go_on(d);
}

static void
note_failure(struct failure *f, const struct session_end *end,
    const struct endpoint_host *host, uint32_t ms)
{
	f->happened = true;
	f->untold = f->by_host = host != NULL;
	f->scope = end->scope;
	if (host != NULL)
		f->host = *host;
	f->took = ms;
	reply_cut(f->reason, sizeof(f->reason), end->reason);
}

static void
on_ended(void *context, const struct session_end *end,
    const struct endpoint_host *host, bool stale)
{
	struct delivery *d = context;

	d->connection = NULL;
	transaction_compact(d->transaction);
	if (d->transaction->count == 0) {
		finish(d);
		return;
	}
	/* Hosts end the connection for many replies of that kind; now it is
	 * known how many recipients it takes. */
	if (d->transaction->most_is_new && !d->came_back) {
		d->came_back = true;
		go_on(d);
		return;
	}
	if (stale)
		log_debug("delivery-stale id=%s host=\"%s\"",
		    id_format(d->id).text, log_text(host->text));
	else if (end->kind == SESSION_END_LOOP)
		route_cut(d->route);
	else
		note_failure(end->kind == SESSION_END_PERMANENT ? &d->permanent
								: &d->temporary,
		    end, host, took(d));
	advance(d);
}

static const struct connection_user connection_user = {
	.settled = on_settled,
	.done = on_done,
	.ended = on_ended,
};

/* Waiting for a connection to become free is nobody's fault. All that comes
 * then counts, a kept connection that turns out to be dead too: the queue gives
 * the whole process up for one delivery that lasts too long. */
static void
start_clock(struct delivery *d)
{
	if (!d->has_begun)
		d->deadline = monotime_add_ms(
		    monotime_now(), LIMIT_ROUTE_SECONDS * INT64_C(1000));
	d->has_begun = true;
}

static void
use_connection(struct delivery *d, struct connection *c)
{
	start_clock(d);
	stop_waiting(d);
	tell_tried(d, &d->temporary);
	tell_tried(d, &d->permanent);
	d->since = monotime_now();
	d->connection = c;
	connection_send(c, d->transaction, d->content, &connection_user, d);
}

static void
on_route_ready(void *context)
{
	advance(context);
}

static void
lack(struct delivery *d)
{
	log_warn("delivery-lack id=%s error=\"out of memory\"",
	    id_format(d->id).text);
	give_up(
	    d, REPORT_DEFERRED, REPORT_SCOPE_MESSAGE, "4.3.0 out of memory");
}

/* -1 if the delivery is over, and gone, because of that. */
static int
open_route(struct delivery *d)
{
	const struct relay_config *relay;
	char reason[LIMIT_DOMAIN + 64];

	start_clock(d);
	if (d->kind == ROUTE_MX)
		d->route = route_to_domain(d->name, on_route_ready, d);
	else if ((relay = config_relay(state.config, d->name)) != NULL)
		d->route =
		    route_to_host(relay->via, relay->port, on_route_ready, d);
	else {
		snprintf(reason, sizeof(reason),
		    "4.3.5 relay %s is not in the configuration", d->name);
		give_up(d, REPORT_DEFERRED, REPORT_SCOPE_DESTINATION, reason);
		return -1;
	}
	if (d->route == NULL) {
		lack(d);
		return -1;
	}
	return 0;
}

/* Is there no time for this step? One address is tried whatever the look-ups
 * took, or a domain with slow name servers would never get mail. */
static bool
is_late(const struct delivery *d, enum route_step step)
{
	return step != ROUTE_END && (d->tried || step == ROUTE_WAIT) &&
	       monotime_is_before(d->deadline, monotime_now());
}

/* Addresses are left, and time is not. What those before have said is not the
 * last word then, even if it was final. */
static void
conclude_late(struct delivery *d)
{
	static const struct session_end end = { SESSION_END_TEMPORARY,
		REPORT_SCOPE_DESTINATION,
		"4.4.1 no time left to try the other addresses" };

	if (!d->temporary.happened && !is_look_up_deferred(d))
		note_failure(&d->temporary, &end, NULL, 0);
	conclude(d);
}

/* To the next address. */
static void
advance(struct delivery *d)
{
	struct endpoint endpoint;
	struct connection *c;
	const char *host;
	enum route_step step;

	if (d->route == NULL && open_route(d) == -1)
		return;
	if (!connection_has_room()) {
		wait_for_room(d);
		return;
	}
	step = route_next(d->route, &endpoint, &host);
	if (is_late(d, step)) {
		conclude_late(d);
		return;
	}
	switch (step) {
	case ROUTE_WAIT:
		return;
	case ROUTE_END:
		conclude(d);
		return;
	case ROUTE_ADDRESS:
		break;
	}
	d->tried = true;
	c = connection_open(d->key, d->kind, &endpoint, host);
	if (c == NULL)
		lack(d);
	else
		use_connection(d, c);
}

struct delivery *
delivery_new(uint64_t id, enum route_kind kind, const char *name,
    struct transaction *take, int content_take,
    const struct delivery_handler *handler, void *context)
{
	struct delivery *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		transaction_free(&take);
		close(content_take);
		return NULL;
	}
	d->id = id;
	d->kind = kind;
	strlcpy(d->name, name, sizeof(d->name));
	snprintf(d->key, sizeof(d->key), "%s:%s",
	    kind == ROUTE_MX ? "mx" : "relay", name);
	d->transaction = take;
	d->content = content_take;
	d->handler = handler;
	d->context = context;
	wait_for_room(d);
	return d;
}

/* The rest waits for the queue's next look. */
static bool
is_out_of_time(const struct delivery *d)
{
	return d->goes_on && monotime_is_before(d->deadline, monotime_now());
}

void
delivery_wake(void)
{
	struct delivery *d;

	while ((d = TAILQ_FIRST(&state.waiting)) != NULL) {
		struct connection *c;

		if (is_out_of_time(d)) {
			give_up(d, REPORT_DEFERRED, REPORT_SCOPE_RECIPIENT,
			    "4.5.3 the host takes few recipients at a time, "
			    "and has had its time");
			continue;
		}
		c = connection_take_idle(d->key);
		if (c != NULL) {
			use_connection(d, c);
			continue;
		}
		if (!connection_has_room())
			return;
		stop_waiting(d);
		advance(d);
	}
}
