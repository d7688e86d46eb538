#include "queue/query.h"

#include "queue/flight.h"
#include "queue/lifecycle.h"
#include "queue/query_stats.h"
#include "queue/scheduler.h"
#include "queue/stats.h"
#include "queue/store.h"

static const struct lifecycle *lifecycle;

void
query_stats_start(const struct lifecycle *the_lifecycle)
{
	lifecycle = the_lifecycle;
}

void
query_stats(bool (*each)(const char *name, uint64_t value, const char *help,
		void *context),
    void *context)
{
	const struct row_totals *totals = &lifecycle->totals;
	uint64_t used, size;

	store_usage(lifecycle->store, &used, &size);
	{
		const struct {
			const char *name;
			uint64_t value;
			const char *help;
		} list[] = {
			{ "messages", totals->messages,
			    "messages in the queue" },
			{ "bytes", totals->bytes, "octets of their contents" },
			{ "waiting", totals->waiting,
			    "recipients that wait or are in flight" },
			{ "held", totals->held,
			    "recipients held by the administrator" },
			{ "undeliverable", totals->failed,
			    "recipients that failed for good and are kept" },
			{ "in_flight", flight_count(), "recipients in flight" },
			{ "deliveries_local",
			    scheduler_in_flight(ROUTE_MAILBOX),
			    "deliveries at local agents" },
			{ "deliveries_remote", scheduler_in_flight(ROUTE_MX),
			    "deliveries at remote agents" },
			{ "destinations_active", scheduler_active(),
			    "destinations with something to do now" },
			{ "accepted", stats.messages_accepted,
			    "messages accepted since the start" },
			{ "accepted_recipients", stats.recipients_accepted,
			    "their recipients" },
			{ "accepted_bytes", stats.bytes_accepted,
			    "octets of their contents" },
			{ "refused", stats.messages_refused,
			    "messages refused since the start: no room, or "
			    "the store failed" },
			{ "delivered", stats.delivered,
			    "recipients delivered since the start" },
			{ "deferred", stats.deferred,
			    "attempts deferred since the start" },
			{ "failed", stats.failed,
			    "recipients that failed since the start" },
			{ "acts", stats.acts,
			    "acts of the administrator since the start" },
			{ "set_aside", stats.set_aside,
			    "recipients set aside as damaged" },
			{ "agents_lost", stats.agents_lost,
			    "recipients in flight when their agent ended" },
			{ "reports_dropped", stats.reports_dropped,
			    "reports that no delivery was open for" },
			{ "commits", stats.commits,
			    "group commits since the start" },
			{ "commit_operations", stats.commit_operations,
			    "operations in them" },
			{ "commit_microseconds", stats.commit_microseconds,
			    "time that they took" },
			{ "commit_longest_microseconds",
			    stats.commit_longest_microseconds,
			    "the longest of them" },
			{ "commits_failed", stats.commits_failed,
			    "commits that failed" },
			{ "history_forgotten", stats.history_forgotten,
			    "messages whose history expired" },
			{ "store_used", used, "octets of the store in use" },
			{ "store_size", size, "octets that it may have" },
		};

		for (unsigned int i = 0; i < sizeof(list) / sizeof(list[0]);
		     i++)
			if (!each(list[i].name, list[i].value, list[i].help,
				context))
				return;
	}
}
