#include "deliver/remote/link_queue.h"

#include <sys/time.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bsd/string.h>
#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <event2/event.h>

#include "common/address.h"
#include "common/channel.h"
#include "common/content.h"
#include "common/dsn.h"
#include "common/id.h"
#include "common/log.h"
#include "deliver/remote/delivery.h"
#include "deliver/remote/reply.h"

struct link;

/* One order. Until all recipients are named there is no delivery. */
struct job {
	RB_ENTRY(job) by_handle;
	struct link *link;
	uint32_t handle;
	uint64_t id;
	enum route_kind kind;
	char name[LIMIT_DOMAIN + 1]; /* the relay's, or the domain */
	int content;
	unsigned int recipients; /* promised */
	struct transaction *transaction;
	struct delivery *delivery;
};

RB_HEAD(jobs, job);

struct link {
	LIST_ENTRY(link) next;
	struct channel *channel;
	struct jobs jobs;
	unsigned int count;
};

static int
compare(const struct job *a, const struct job *b)
{
	return (a->handle > b->handle) - (a->handle < b->handle);
}

RB_PROTOTYPE(jobs, job, by_handle, compare)
RB_GENERATE(jobs, job, by_handle, compare)

static struct {
	struct event_base *base;
	LIST_HEAD(links, link) links;
	unsigned int jobs; /* of all links */
	bool draining;
} state;

static void
exit_if_idle(void)
{
	if (state.draining && state.jobs == 0)
		event_base_loopexit(state.base, NULL);
}

static void
job_free(struct job *job)
{
	RB_REMOVE(jobs, &job->link->jobs, job);
	job->link->count--;
	state.jobs--;
	delivery_abort(&job->delivery);
	transaction_free(&job->transaction);
	if (job->content != -1)
		close(job->content);
	free(job);
	exit_if_idle();
}

static void
on_report(void *context, uint32_t number, const struct delivery_report *r)
{
	struct job *job = context;
	struct message m = MESSAGE_INIT(MESSAGE_REPORT, job->handle);
	char text[LIMIT_REPLY + 1];

	reply_cut(text, sizeof(text), r->reply);
	m.report.number = number;
	m.report.outcome = (uint8_t)r->outcome;
	m.report.scope = (uint8_t)r->scope;
	m.report.reply = text;
	m.report.relayed = r->relayed;
	m.report.took = r->took;
	if (r->host != NULL) {
		m.report.host = r->host->text;
		m.report.name = r->host->name;
		m.report.address = r->host->address;
		m.report.port = r->host->port;
		m.report.tls_version = r->host->tls_version;
		m.report.tls_cipher = r->host->tls_cipher;
	}
	/* A link that cannot be written to ends by itself, and the queue then
	 * tries again what it has heard nothing of. */
	(void)channel_send(job->link->channel, &m);
}

static void
on_tried(void *context, const struct delivery_report *r)
{
	struct job *job = context;
	struct message m = MESSAGE_INIT(MESSAGE_TRIED, job->handle);
	char text[LIMIT_REPLY + 1];

	reply_cut(text, sizeof(text), r->reply);
	m.tried = (struct message_tried){
		.name = r->host->name,
		.address = r->host->address,
		.port = r->host->port,
		.tls_version = r->host->tls_version,
		.tls_cipher = r->host->tls_cipher,
		.took = r->took,
		.reply = text,
	};
	(void)channel_send(job->link->channel, &m);
}

static void
on_over(void *context)
{
	struct job *job = context;

	job->delivery = NULL;
	job_free(job);
}

static const struct delivery_handler delivery_handler = {
	.report = on_report,
	.tried = on_tried,
	.over = on_over,
};

static struct job *
find(struct link *link, uint32_t handle)
{
	struct job key = { .handle = handle };

	return RB_FIND(jobs, &link->jobs, &key);
}

/* The name of the destination, or NULL if the order has no valid one. */
static const char *
destination(const struct message_deliver *d)
{
	if (d->kind == ROUTE_RELAY)
		return d->name[0] != '\0' ? d->name : NULL;
	if (d->kind != ROUTE_MX)
		return NULL;
	return domain_is_valid(d->next_hop) ||
		       address_literal_is_valid(d->next_hop)
		   ? d->next_hop
		   : NULL;
}

static bool
is_valid_order(const struct message *m)
{
	const struct message_deliver *d = &m->deliver;
	struct address sender;

	return destination(d) != NULL && d->recipients > 0 &&
	       d->recipients <= LIMIT_EXPANSION && d->body < SMTP_BODIES &&
	       d->size <= LIMIT_CONTENT_SIZE_MOST && dsn_ret_is_valid(d->ret) &&
	       dsn_envid_is_valid(d->envid) && d->fresh <= 1 &&
	       address_parse(d->sender, ADDRESS_REVERSE_PATH, &sender) == 0 &&
	       content_check(m->fd, d->size) == 0;
}

/* -1 also for a lack of memory: the queue tries again what it gave to a link
 * that ended. */
static int
on_deliver(struct link *link, struct message *m)
{
	const struct message_deliver *d = &m->deliver;
	struct job *job;

	if (link->count >= LIMIT_DELIVERIES || !is_valid_order(m))
		return -1;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		return -1;
	job->link = link;
	job->handle = m->handle;
	job->transaction = transaction_new(
	    d->sender, (enum smtp_body)d->body, d->size, d->recipients);
	/* A handle that is in use is the queue's fault. */
	if (job->transaction == NULL ||
	    RB_INSERT(jobs, &link->jobs, job) != NULL) {
		transaction_free(&job->transaction);
		free(job);
		return -1;
	}
	transaction_set_dsn(job->transaction, (enum dsn_ret)d->ret, d->envid);
	job->transaction->fresh = d->fresh == 1;
	job->id = d->id;
	job->kind = (enum route_kind)d->kind;
	strlcpy(job->name, destination(d), sizeof(job->name));
	job->recipients = d->recipients;
	job->content = message_take_fd(m);
	link->count++;
	state.jobs++;
	return 0;
}

static int
on_deliver_to(struct link *link, const struct message *m)
{
	const struct message_deliver_to *to = &m->deliver_to;
	struct job *job = find(link, m->handle);
	struct address address;
	int content;

	if (job == NULL || job->delivery != NULL ||
	    !dsn_notify_is_valid(to->notify) ||
	    !dsn_orcpt_is_valid(to->orcpt) ||
	    address_parse(to->address, ADDRESS_FORWARD_PATH, &address) == -1 ||
	    transaction_add(job->transaction, to->number, address.text,
		to->notify, to->orcpt) == -1)
		return -1;
	if (job->transaction->count < job->recipients)
		return 0;
	content = job->content;
	job->content = -1;
	job->delivery = delivery_new(job->id, job->kind, job->name,
	    job->transaction, content, &delivery_handler, job);
	job->transaction = NULL;
	if (job->delivery == NULL)
		return -1;
	delivery_wake();
	return 0;
}

static int
on_message(struct channel *channel, struct message *m, void *context)
{
	(void)channel;
	if (m->type == MESSAGE_DELIVER)
		return on_deliver(context, m);
	if (m->type == MESSAGE_DELIVER_TO)
		return on_deliver_to(context, m);
	return -1;
}

static void
on_closed(struct channel *channel, void *context)
{
	struct link *link = context;
	struct job *job;

	(void)channel;
	log_debug("link-closed peer=queue deliveries=%u", link->count);
	/* The analyser does not see that job_free() takes the job off the
	 * tree. */
	while ((job = RB_ROOT(&link->jobs)) != NULL)
		job_free(job); /* NOLINT(clang-analyzer-unix.Malloc) */
	LIST_REMOVE(link, next);
	free(link);
}

void
link_queue_open(const struct child_peer *peer)
{
	static const struct channel_handler handler = {
		.receive = on_message,
		.closed = on_closed,
	};
	struct link *link = calloc(1, sizeof(*link));

	if (link == NULL) {
		log_warn("link-lost peer=queue");
		close(peer->fd);
		return;
	}
	RB_INIT(&link->jobs);
	link->channel = channel_new(state.base, peer->fd, PROGRAM_REMOTE,
	    PROGRAM_QUEUE, &handler, link);
	if (link->channel == NULL) {
		log_warn("link-lost peer=queue");
		free(link);
		return;
	}
	LIST_INSERT_HEAD(&state.links, link, next);
}

void
link_queue_init(struct event_base *base)
{
	state.base = base;
	LIST_INIT(&state.links);
}

void
link_queue_drain(uint32_t seconds)
{
	struct timeval end = { (time_t)seconds, 0 };

	state.draining = true;
	if (state.jobs > 0)
		event_base_loopexit(state.base, &end);
	exit_if_idle();
}
