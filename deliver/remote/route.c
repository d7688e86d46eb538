#include "deliver/remote/route.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bsd/stdlib.h>
#include <bsd/string.h>

#include "common/address.h"
#include "common/log.h"
#include "deliver/remote/bad_address.h"
#include "deliver/remote/dns_action.h"
#include "deliver/remote/hosts.h"
#include "deliver/remote/link_resolver.h"
#include "deliver/remote/self.h"

#define SMTP_PORT 25

struct candidate {
	struct endpoint endpoint;
	unsigned int host;
	uint32_t shuffle;
	bool tried;
};

/* The answer to one question about one host. */
struct host_lookup {
	struct route *route;
	unsigned int host;
	struct question *question; /* NULL: answered */
};

struct route {
	char domain[LIMIT_DOMAIN + 1];
	uint16_t port;
	bool by_mx;    /* mail for a domain, not for a relay of ours */
	bool implicit; /* the domain has no MX records */
	bool has_hosts;
	void (*ready)(void *);
	void *context;
	struct hosts hosts;
	unsigned int next_group;  /* the first host not yet looked up */
	unsigned int last_host;	  /* whose address was given last */
	unsigned int group_start; /* of the candidates of the last group */
	struct candidate candidates[LIMIT_MX_ADDRESSES];
	unsigned int count;
	struct question *mx;
	struct host_lookup lookups[2 * LIMIT_MX];
	unsigned int lookup_count, outstanding;
	bool deferred; /* some look-up may go better later */
	struct route_verdict verdict;
	char reason[LIMIT_REPLY + 1];
};

static void conclude(struct route *, enum report_outcome, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* A deferral is about the destination and slows it down; a failure is the
 * recipients' own. What is temporary outweighs what is final. */
static void
conclude(struct route *r, enum report_outcome outcome, const char *format, ...)
{
	va_list arguments;

	if (outcome == REPORT_FAILED && r->deferred)
		return;
	r->deferred = outcome == REPORT_DEFERRED;
	va_start(arguments, format);
	vsnprintf(r->reason, sizeof(r->reason), format, arguments);
	va_end(arguments);
	r->verdict = (struct route_verdict){ outcome,
		outcome == REPORT_DEFERRED ? REPORT_SCOPE_DESTINATION
					   : REPORT_SCOPE_RECIPIENT,
		r->reason };
}

/* A relay of our own configuration is never a reason to fail mail: whoever
 * mends the configuration mends the mail that waits. */
static void
conclude_final(struct route *r, const char *status, const char *name)
{
	conclude(r, r->by_mx ? REPORT_FAILED : REPORT_DEFERRED, "%s: %s",
	    status, name);
}

static struct route *
route_new(const char *name, uint16_t port, bool by_mx, void (*ready)(void *),
    void *context)
{
	struct route *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	strlcpy(r->domain, name, sizeof(r->domain));
	r->port = port;
	r->by_mx = by_mx;
	r->ready = ready;
	r->context = context;
	r->verdict.outcome = REPORT_DEFERRED;
	r->verdict.scope = REPORT_SCOPE_DESTINATION;
	r->verdict.reason = "";
	return r;
}

static void
cut(struct route *r, unsigned int host)
{
	hosts_cut(&r->hosts, host);
	if (r->next_group > r->hosts.count)
		r->next_group = r->hosts.count;
	conclude_final(r, "5.4.6 mail loops back to myself", r->domain);
	log_debug("route-loop destination=\"%s\"", log_text(r->domain));
}

/* Strangers' DNS neither sends us to what listens on this host nor to what is
 * near it. */
static bool
is_left_out(struct route *r, const struct endpoint *e)
{
	if (endpoint_is_loopback(e))
		conclude_final(
		    r, "5.4.6 the mail host has an address of ours", r->domain);
	else if (endpoint_is_local_or_group(e))
		conclude_final(r,
		    "5.4.6 the mail host has a link-local or multicast address",
		    r->domain);
	else
		return false;
	return true;
}

static void
add_candidate(
    struct route *r, unsigned int host, int family, const uint8_t *address)
{
	struct candidate c = { .host = host, .shuffle = arc4random() };

	endpoint_set(&c.endpoint, family, address, r->port);
	if (r->by_mx && is_left_out(r, &c.endpoint))
		return;
	/* Several names of one host: once is enough. */
	for (unsigned int i = 0; i < r->count; i++)
		if (endpoint_is_equal(&c.endpoint, &r->candidates[i].endpoint))
			return;
	if (r->count < LIMIT_MX_ADDRESSES)
		r->candidates[r->count++] = c;
}

/* IPv6 before IPv4 within a host, at random within that. */
static int
compare(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->host != y->host)
		return x->host < y->host ? -1 : 1;
	if (x->endpoint.family != y->endpoint.family)
		return x->endpoint.family == AF_INET6 ? -1 : 1;
	return (x->shuffle > y->shuffle) - (x->shuffle < y->shuffle);
}

/* An address of ours among those of the group: no mail goes to this group. */
static void
find_self(struct route *r, unsigned int start)
{
	for (unsigned int i = start; i < r->count; i++)
		if (self_is_endpoint(&r->candidates[i].endpoint)) {
			unsigned int host = r->candidates[i].host;

			r->count = start;
			cut(r, host);
			return;
		}
}

/* All look-ups of a group are answered. */
static void
finish_group(struct route *r)
{
	unsigned int start = r->group_start;

	qsort(r->candidates + start, r->count - start, sizeof(r->candidates[0]),
	    compare);
	find_self(r, start);
	if (r->count == 0 && r->verdict.reason[0] == '\0')
		conclude_final(r,
		    r->implicit || !r->by_mx
			? "5.1.2 the host has no address"
			: "5.4.4 the mail host has no address",
		    r->hosts.count > 0 ? r->hosts.list[0].name : r->domain);
}

static void
take_addresses(struct route *r, unsigned int host, enum dns_kind kind,
    struct bytes records)
{
	struct wire_reader reader = { .data = records.data,
		.size = records.length };
	struct dns_record record;

	while (dns_record_get(&reader, kind, &record) == 1)
		add_candidate(r, host, kind == DNS_A ? AF_INET : AF_INET6,
		    record.address);
}

static void
on_address(void *context, enum dns_kind kind, enum dns_outcome outcome,
    struct bytes records, const char *reason)
{
	struct host_lookup *lookup = context;
	struct route *r = lookup->route;
	const struct dns_verdict *verdict = dns_verdict(kind, outcome);

	lookup->question = NULL;
	r->outstanding--;
	switch (verdict->action) {
	case DNS_ACTION_USE:
		take_addresses(r, lookup->host, kind, records);
		break;
	case DNS_ACTION_DEFER:
		conclude(r, REPORT_DEFERRED, "%s: %s of %s (%s)",
		    verdict->status, dns_kind_name(kind),
		    r->hosts.list[lookup->host].name, reason);
		break;
	case DNS_ACTION_IMPLICIT:
	case DNS_ACTION_NONE:
	case DNS_ACTION_FAIL:
		log_debug("route-no-address host=\"%s\" type=%s",
		    log_text(r->hosts.list[lookup->host].name),
		    dns_kind_name(kind));
		break;
	}
	if (r->outstanding == 0) {
		finish_group(r);
		r->ready(r->context);
	}
}

static void
ask_address(struct route *r, unsigned int host, enum dns_kind kind)
{
	struct host_lookup *lookup = &r->lookups[r->lookup_count];

	lookup->route = r;
	lookup->host = host;
	lookup->question = link_resolver_ask(
	    kind, r->hosts.list[host].name, on_address, lookup);
	if (lookup->question == NULL) {
		conclude(r, REPORT_DEFERRED, "4.3.0 out of memory");
		return;
	}
	r->lookup_count++;
	r->outstanding++;
}

/* Looks up the hosts of the next preference. */
static void
start_group(struct route *r)
{
	unsigned int end = hosts_group_end(&r->hosts, r->next_group);

	r->lookup_count = 0;
	r->group_start = r->count;
	for (unsigned int i = r->next_group; i < end; i++) {
		ask_address(r, i, DNS_AAAA);
		ask_address(r, i, DNS_A);
	}
	r->next_group = end;
}

static void
cut_own_name(struct route *r)
{
	for (unsigned int i = 0; i < r->hosts.count; i++)
		if (self_is_name(r->hosts.list[i].name)) {
			cut(r, i);
			return;
		}
}

static void
take_hosts(struct route *r, struct bytes records)
{
	if (hosts_read(&r->hosts, records) == -1 ||
	    (r->hosts.count == 0 && !r->hosts.null_mx)) {
		conclude(r, REPORT_DEFERRED,
		    "4.4.3 no mail host of %s has a valid name", r->domain);
		return;
	}
	if (r->hosts.null_mx)
		conclude(r, REPORT_FAILED,
		    "5.1.10 the domain %s takes no mail (null MX)", r->domain);
	cut_own_name(r);
}

static void
on_mx(void *context, enum dns_kind kind, enum dns_outcome outcome,
    struct bytes records, const char *reason)
{
	struct route *r = context;
	const struct dns_verdict *verdict = dns_verdict(kind, outcome);

	r->mx = NULL;
	r->has_hosts = true;
	switch (verdict->action) {
	case DNS_ACTION_USE:
		take_hosts(r, records);
		break;
	case DNS_ACTION_IMPLICIT:
		r->implicit = true;
		hosts_set(&r->hosts, r->domain);
		cut_own_name(r);
		break;
	case DNS_ACTION_FAIL:
	case DNS_ACTION_NONE:
		conclude(
		    r, REPORT_FAILED, "%s: %s", verdict->status, r->domain);
		break;
	case DNS_ACTION_DEFER:
		conclude(r, REPORT_DEFERRED, "%s: MX of %s (%s)",
		    verdict->status, r->domain, reason);
		break;
	}
	r->ready(r->context);
}

/* An address needs no look-up. */
static bool
take_literal(struct route *r)
{
	struct endpoint e;

	if (endpoint_parse(r->domain, r->port, &e) == -1)
		return false;
	hosts_set(&r->hosts, ""); /* it has no name */
	r->has_hosts = true;
	r->next_group = 1;
	add_candidate(r, 0, e.family, e.address);
	find_self(r, 0);
	return true;
}

struct route *
route_to_host(
    const char *host, uint16_t port, void (*ready)(void *), void *context)
{
	struct route *r = route_new(host, port, false, ready, context);

	if (r == NULL || take_literal(r))
		return r;
	r->has_hosts = true;
	if (domain_is_valid(r->domain))
		hosts_set(&r->hosts, r->domain);
	else
		conclude(r, REPORT_DEFERRED,
		    "4.3.5 neither a host name nor an address: %s", host);
	return r;
}

struct route *
route_to_domain(const char *domain, void (*ready)(void *), void *context)
{
	struct route *r = route_new(domain, SMTP_PORT, true, ready, context);

	if (r == NULL || take_literal(r))
		return r;
	if (!domain_is_valid(r->domain)) {
		r->has_hosts = true;
		conclude(r, REPORT_FAILED, "5.1.2 not a domain: %s", domain);
		return r;
	}
	r->mx = link_resolver_ask(DNS_MX, r->domain, on_mx, r);
	if (r->mx == NULL)
		route_free(&r);
	return r;
}

void
route_free(struct route **pointer)
{
	struct route *r = *pointer;

	*pointer = NULL;
	if (r == NULL)
		return;
	link_resolver_cancel(&r->mx);
	for (unsigned int i = 0; i < r->lookup_count; i++)
		link_resolver_cancel(&r->lookups[i].question);
	free(r);
}

/* The first untried candidate; `bad` ones too? */
static struct candidate *
pick(struct route *r, bool bad)
{
	struct monotime now = monotime_now();

	for (unsigned int i = 0; i < r->count; i++)
		if (!r->candidates[i].tried &&
		    (bad || !bad_address_is(&r->candidates[i].endpoint, now)))
			return &r->candidates[i];
	return NULL;
}

enum route_step
route_next(struct route *r, struct endpoint *endpoint, const char **host)
{
	struct candidate *c;

	if (!r->has_hosts || r->outstanding > 0)
		return ROUTE_WAIT;
	while ((c = pick(r, false)) == NULL && r->next_group < r->hosts.count) {
		start_group(r);
		if (r->outstanding > 0)
			return ROUTE_WAIT;
	}
	if (c == NULL)
		c = pick(r, true);
	if (c == NULL)
		return ROUTE_END;
	c->tried = true;
	r->last_host = c->host;
	*endpoint = c->endpoint;
	*host = r->hosts.list[c->host].name;
	return ROUTE_ADDRESS;
}

void
route_cut(struct route *r)
{
	unsigned int host = r->last_host;

	cut(r, host);
	for (unsigned int i = 0; i < r->count; i++)
		if (r->candidates[i].host >= r->hosts.count)
			r->candidates[i].tried = true;
}

const struct route_verdict *
route_verdict(const struct route *r)
{
	return &r->verdict;
}
