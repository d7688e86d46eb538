#include "resolver/lookup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <event2/event.h>
#include <unbound.h>

/* unbound-event.h wants <unbound.h>'s names without including it. */
#include <unbound-event.h>

#include "common/log.h"
#include "resolver/outcome.h"
#include "resolver/packet.h"

#define CLASS_IN 1
#define HOSTS_FILE "/etc/hosts"
#define RESOLV_CONF "/etc/resolv.conf"

static struct ub_ctx *unbound;

static const struct {
	const char *name, *value;
} options[] = {
	/* RFC 9715: no fragments. */
	{ "edns-buffer-size:", "1232" },
	/* A mail host asks about few names; the process stays small. */
	{ "msg-cache-size:", "4m" },
	{ "rrset-cache-size:", "8m" },
	{ "key-cache-size:", "1m" },
	{ "neg-cache-size:", "1m" },
	{ "infra-cache-numhosts:", "2000" },
	/* A server that was down is tried again soon: mail waits for it. */
	{ "infra-host-ttl:", "60" },
	{ "infra-keep-probing:", "yes" },
	/* A forwarder or stub on this host is common, and may be meant to
	 * answer with private addresses. */
	{ "do-not-query-localhost:", "no" },
	{ "unblock-lan-zones:", "yes" },
	{ "insecure-lan-zones:", "yes" },
	/* So may these domains, which libunbound would answer by itself (a
	 * laboratory uses RFC 6761's .test). */
	{ "local-zone:", "test. typetransparent" },
	{ "local-zone:", "home.arpa. typetransparent" },
	/* What /etc/hosts says of a name's address must not hide the name's
	 * MX and other addresses. */
	{ "local-zone:", ". typetransparent" },
	/* Every question of a session may be outstanding at once. */
	{ "outgoing-range:", "1024" },
	{ "num-queries-per-thread:", "4096" },
	/* Answers in the order that the server gave: the askers shuffle. */
	{ "rrset-roundrobin:", "no" },
	{ "minimal-responses:", "yes" },
};

static void
must(int error, const char *what, const char *value)
{
	if (error != 0)
		log_fatal(EX_CONFIG, "resolver %s \"%s\": %s", what,
		    log_text(value), ub_strerror(error));
}

static void
set_options(void)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		must(ub_ctx_set_option(
			 unbound, options[i].name, options[i].value),
		    "option", options[i].name);
	/* Its own error lines are not ours; each answer has its reason. */
	ub_ctx_debugout(unbound, NULL);
}

/* A line that libunbound cannot read must not stop the mail: without the file
 * it asks the root servers, without a server in it 127.0.0.1. */
static void
use_system(void)
{
	int error = ub_ctx_resolvconf(unbound, RESOLV_CONF);

	if (error != 0)
		log_warn("dns-file path=%s error=\"%s\"", RESOLV_CONF,
		    ub_strerror(error));
	error = ub_ctx_hosts(unbound, HOSTS_FILE);
	if (error != 0)
		log_warn("dns-file path=%s error=\"%s\"", HOSTS_FILE,
		    ub_strerror(error));
}

static void
use_configured(const struct config *config)
{
	for (unsigned int i = 0; config->forwards[i] != NULL; i++)
		must(ub_ctx_set_fwd(unbound, config->forwards[i]), "forward",
		    config->forwards[i]);
	for (unsigned int i = 0; i < config->stub_count; i++)
		must(ub_ctx_set_stub(unbound, config->stubs[i].domain,
			 config->stubs[i].server, 0),
		    "stub", config->stubs[i].server);
}

static void
ignore(void *data, int rcode, void *packet, int length, int security,
    char *why_bogus, int was_ratelimited)
{
	(void)data;
	(void)rcode;
	(void)packet;
	(void)length;
	(void)security;
	(void)why_bogus;
	(void)was_ratelimited;
}

/* The first question makes libunbound read and open what it will ever need,
 * so it is asked before the sandbox: one that needs no network. */
static void
finish(void)
{
	int id = 0;

	must(ub_resolve_event(unbound, "localhost.", (int)packet_type(DNS_A),
		 CLASS_IN, NULL, ignore, &id),
	    "question", "localhost.");
}

void
lookup_open(struct event_base *base, const struct config *config)
{
	unbound = ub_ctx_create_event(base);
	if (unbound == NULL)
		log_fatal(EX_OSERR, "libunbound");
	set_options();
	if (config->forwards[0] == NULL)
		use_system();
	use_configured(config);
	finish();
}

static void
set_reason(char *text, size_t size, const struct lookup_result *result,
    const char *why_bogus)
{
	if (result->outcome == DNS_FOUND)
		text[0] = '\0';
	else
		snprintf(text, size, "%s", dns_outcome_name(result->outcome));
	if (result->outcome == DNS_BOGUS && why_bogus != NULL)
		snprintf(text, size, "%s", why_bogus);
}

static void
on_answer(void *data, int rcode, void *packet, int length, int security,
    char *why_bogus, int was_ratelimited)
{
	static uint8_t records[LIMIT_DNS_RECORDS];
	struct wire_writer writer = { .data = records,
		.size = sizeof(records) };
	struct lookup *lookup = data;
	struct lookup_result result = { .secure = security == 2 };
	struct packet_answer answer = { .rcode = (unsigned int)rcode };
	char reason[256];

	(void)was_ratelimited;
	/* With an rcode of its own libunbound hands over no packet. */
	if (rcode == 0 && (packet == NULL || length < 0 ||
			      packet_read(packet, (size_t)length, lookup->kind,
				  &writer, &answer) == -1)) {
		answer = (struct packet_answer){ .rcode = 2 };
		writer.length = 0;
	}
	result.outcome =
	    outcome_of(answer.rcode, security == 1, answer.records > 0);
	if (result.outcome == DNS_FOUND) {
		result.ttl = answer.ttl;
		result.records = (struct bytes){ records, writer.length };
	}
	set_reason(reason, sizeof(reason), &result, why_bogus);
	result.reason = reason;
	lookup->done(lookup, &result);
}

int
lookup_start(struct lookup *lookup, const char *name, const char **reason)
{
	/* libunbound may answer from its cache, and `lookup` be gone, before
	 * ub_resolve_event() returns; the id is written before that. */
	int error =
	    ub_resolve_event(unbound, name, (int)packet_type(lookup->kind),
		CLASS_IN, lookup, on_answer, &lookup->id);

	if (error != 0) {
		*reason = ub_strerror(error);
		return -1;
	}
	return 0;
}

void
lookup_cancel(struct lookup *lookup)
{
	/* Fails only if libunbound does not know it any more. */
	(void)ub_cancel(unbound, lookup->id);
}
