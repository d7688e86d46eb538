#include "queue/query.h"

#include "queue/flight.h"
#include "queue/lifecycle.h"
#include "queue/pause.h"
#include "queue/query_stats.h"
#include "queue/scheduler.h"
#include "queue/stats.h"
#include "queue/store.h"

struct entry {
	const char *name;
	const char *help;
	uint64_t value;
};

struct listing {
	bool (*each)(const struct query_stat *, void *);
	void *context;
	bool stopped;
};

static const struct lifecycle *lifecycle;
static bool listening = true;

void
query_stats_start(const struct lifecycle *the_lifecycle)
{
	lifecycle = the_lifecycle;
}

void
query_stats_listening(bool on)
{
	listening = on;
}

static void
say(struct listing *l, const struct entry *list, unsigned int count, bool rises)
{
	for (unsigned int i = 0; i < count && !l->stopped; i++) {
		struct query_stat stat = {
			.name = list[i].name,
			.help = list[i].help,
			.value = list[i].value,
			.rises = rises,
		};

		l->stopped = !l->each(&stat, l->context);
	}
}

#define SAY(l, list, rises) \
	say(l, list, sizeof(list) / sizeof((list)[0]), rises)

/* What is in the queue now. */
static void
say_content(struct listing *l)
{
	const struct row_totals *t = &lifecycle->totals;
	const struct entry list[] = {
		{ "messages", "messages in the queue", t->messages },
		{ "bytes", "octets of their contents", t->bytes },
		{ "waiting", "recipients that wait or are in flight",
		    t->waiting },
		{ "held", "recipients held", t->held },
		{ "undeliverable", "recipients that failed and are kept",
		    t->failed },
		{ "in_flight", "recipients in flight", flight_count() },
		{ "deliveries_local", "deliveries at local workers",
		    scheduler_in_flight(ROUTE_MAILBOX) },
		{ "deliveries_remote", "deliveries at remote workers",
		    scheduler_in_flight(ROUTE_MX) },
		{ "destinations_active", "destinations that are busy now",
		    scheduler_active() },
		{ "destinations_paused", "destinations paused by name",
		    pause_count() },
		{ "paused", "1 if all delivery is paused", pause_is_set("") },
		{ "listening", "0 if SMTP clients are refused, by pause",
		    listening },
	};

	SAY(l, list, false);
}

/* What was done since the start. */
static void
say_work(struct listing *l)
{
	const struct entry list[] = {
		{ "accepted", "messages accepted", stats.messages_accepted },
		{ "accepted_recipients", "their recipients",
		    stats.recipients_accepted },
		{ "accepted_bytes", "octets of their contents",
		    stats.bytes_accepted },
		{ "refused", "messages refused: no room, store failed",
		    stats.messages_refused },
		{ "delivered", "recipients delivered", stats.delivered },
		{ "deferred", "attempts deferred", stats.deferred },
		{ "failed", "recipients failed for good", stats.failed },
		{ "acts", "acts of the administrator", stats.acts },
		{ "set_aside", "recipients set aside as damaged",
		    stats.set_aside },
		{ "agents_lost", "recipients whose agent ended in flight",
		    stats.agents_lost },
		{ "reports_dropped", "reports that nobody was asked for",
		    stats.reports_dropped },
	};

	SAY(l, list, true);
}

static void
say_commits(struct listing *l)
{
	const struct entry list[] = {
		{ "commits", "group commits", stats.commits },
		{ "commit_operations", "operations in them",
		    stats.commit_operations },
		{ "commit_microseconds", "time that they took",
		    stats.commit_microseconds },
		{ "commits_failed", "commits that failed",
		    stats.commits_failed },
		{ "history_forgotten", "messages no longer in history",
		    stats.history_forgotten },
	};

	SAY(l, list, true);
}

static void
say_store(struct listing *l)
{
	struct entry list[] = {
		{ "commit_longest_microseconds", "the longest commit",
		    stats.commit_longest_microseconds },
		{ "store_used", "octets of the store in use", 0 },
		{ "store_size", "octets that it may have", 0 },
	};

	store_usage(lifecycle->store, &list[1].value, &list[2].value);
	SAY(l, list, false);
}

void
query_stats(
    bool (*each)(const struct query_stat *, void *context), void *context)
{
	struct listing l = { .each = each, .context = context };

	say_content(&l);
	say_work(&l);
	say_commits(&l);
	say_store(&l);
}
