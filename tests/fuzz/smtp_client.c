/*
 * The whole client's side of SMTP against a host that says anything. The
 * first octet: how many recipients; then lines of the host, among which NUL
 * and octets 1 to 3 at the start of a line stand for what else may happen.
 *
 * Whatever the host does: each recipient is settled at most once; delivered
 * only after the end of the content was sent; a transaction that is over
 * settles some and leaves no one unsettled that was accepted; after that end nobody is left to be offered elsewhere; and
 * when the session has ended nothing comes of it but a goodbye.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "deliver/remote/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct play {
	struct session *session;
	struct transaction *transaction;
	bool content_sent;
	bool over; /* only QUIT and what comes before are left to say */
	unsigned int settled;
	unsigned int messages;
};

static void
on_settled(void *context, unsigned int recipient, enum report_outcome outcome,
    enum report_scope scope, const char *reply)
{
	struct play *p = context;

	if (p->over || recipient >= p->transaction->count ||
	    scope >= REPORT_SCOPES || reply[0] == '\0' ||
	    strlen(reply) > LIMIT_REMOTE_REPLY)
		abort();
	if (outcome == REPORT_DELIVERED && !p->content_sent)
		abort();
	p->settled++;
}

static void
make_transaction(struct play *p, unsigned int recipients)
{
	p->transaction = transaction_new(
	    "sender@src.test", SMTP_BODY_8BITMIME, 1000, recipients);
	if (p->transaction == NULL)
		abort();
	transaction_set_dsn(p->transaction, DSN_RET_HDRS, "QQ+20x");
	for (unsigned int i = 0; i < recipients; i++)
		if (transaction_add(p->transaction, i, "rcpt@dst.test",
			DSN_NOTIFY_SUCCESS, "rfc822;rcpt@dst.test") == -1)
			abort();
	p->settled = 0;
	p->content_sent = false;
}

/* Everything that the client says is whole lines. */
static void
listen_to(struct play *p)
{
	char buffer[SESSION_COMMAND_SIZE + 700];
	size_t n;

	while ((n = session_output(p->session, buffer, sizeof(buffer))) > 0)
		if (n > sizeof(buffer) || buffer[n - 1] != '\n' ||
		    memchr(buffer, '\0', n) != NULL)
			abort();
}

/* The recipients that are left are for another transaction. */
static void
make_rest(struct play *p)
{
	if (p->settled == 0)
		abort();
	for (unsigned int i = 0; i < p->transaction->count; i++)
		if (p->transaction->recipients[i].accepted &&
		    !p->transaction->recipients[i].settled)
			abort();
	transaction_compact(p->transaction);
	p->settled = 0;
	p->content_sent = false;
}

/* False when the session is over. */
static bool
act(struct play *p, enum session_effect effect)
{
	unsigned int count = p->transaction->count;

	switch (effect) {
	case SESSION_NOTHING:
	case SESSION_SEND_CONTENT:
		return true;
	case SESSION_DONE:
		if (p->settled < count)
			make_rest(p);
		else {
			p->messages++;
			transaction_free(&p->transaction);
			make_transaction(p, count);
		}
		/* FALLTHROUGH */
	case SESSION_GREETED:
		if (p->over)
			abort();
		if (p->messages > 3) {
			session_quit(p->session);
			return true;
		}
		return act(p,
		    session_begin(p->session, p->transaction, on_settled, p));
	case SESSION_ENDED:
		/* Whoever was accepted is decided once the end was sent. */
		for (unsigned int i = 0; p->content_sent && i < count; i++)
			if (p->transaction->recipients[i].accepted &&
			    !p->transaction->recipients[i].settled)
				abort();
		if (session_end(p->session)->reason[0] == '\0')
			abort();
		/* It ends once for the message, and once more after QUIT. */
		if (p->over && session_state(p->session) != SESSION_DEAD)
			abort();
		p->over = true;
		return session_state(p->session) != SESSION_DEAD;
	}
	return false;
}

static bool
hear(struct play *p, const char *data, size_t size)
{
	size_t used;

	while (size > 0) {
		if (!act(p, session_feed(p->session, data, size, &used)))
			return false;
		listen_to(p);
		data += used;
		size -= used;
	}
	return true;
}

/* One line of the host, or another event. */
static bool
step(struct play *p, const char *line, size_t size)
{
	switch (line[0]) {
	case '\0':
		return act(p, session_lost(p->session, NULL));
	case '\1':
		return act(p, session_timed_out(p->session));
	case '\2':
		if (session_state(p->session) == SESSION_CONTENT)
			p->content_sent = true;
		session_content_sent(p->session);
		return true;
	case '\3':
		session_quit(p->session);
		listen_to(p);
		return true;
	}
	return hear(p, line, size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct play p = { .messages = 0 };
	const char *at = (const char *)data + 1, *end;

	if (size == 0)
		return 0;
	end = (const char *)data + size;
	p.session = session_new("client.test", ROUTE_MX);
	if (p.session == NULL)
		abort();
	make_transaction(&p, data[0] % 40U + 1);
	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		const char *stop = lf == NULL ? end : lf + 1;

		if (!step(&p, at, (size_t)(stop - at)))
			break;
		at = stop;
	}
	session_free(&p.session);
	transaction_free(&p.transaction);
	return 0;
}
