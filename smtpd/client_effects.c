#include "smtpd/client_effects.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include <event2/bufferevent.h>

#include "common/id.h"
#include "common/log.h"
#include "smtpd/client_core.h"
#include "smtpd/reply.h"
#include "smtpd/trace.h"

static void
on_reply(void *context, unsigned int code, const char *text)
{
	struct client *c = context;
	char reply[REPLY_SIZE];
	size_t length = reply_format(reply, sizeof(reply), code, text);

	c->last_code = code;
	/* Without memory the reply is lost, and the client with it. */
	if (bufferevent_write(c->stream, reply, length) == -1)
		c->broken = true;
}

static void
on_refused(void *context, unsigned int code, const char *text)
{
	struct client *c = context;
	const struct transaction *t = session_transaction(c->session);

	if (t != NULL && t->id != 0)
		log_info("refused id=%s client=%s helo=\"%s\" from=\"%s\" "
			 "code=%u reply=\"%s\"",
		    id_format(t->id).text, c->address,
		    log_text(session_helo(c->session)), log_text(t->sender),
		    code, log_text(text));
	else
		log_info("refused client=%s helo=\"%s\" code=%u reply=\"%s\"",
		    c->address, log_text(session_helo(c->session)), code,
		    log_text(text));
}

static int
on_open(void *context, const struct transaction *t)
{
	struct client *c = context;
	struct message_open open = {
		.client_address = c->address,
		.client_name = c->name,
		.helo = session_helo(c->session),
		.sender = t->sender,
		.protocol = (uint8_t)session_protocol(c->session),
		.body = (uint8_t)t->body,
		.declared_size = t->declared_size,
		.listener = c->listener,
		.ret = (uint8_t)t->ret,
		.envid = t->envid,
	};

	return link_router_open(&c->exchange, c->slot, &open);
}

static void
on_recipient(
    void *context, uint32_t number, const struct transaction_recipient *r)
{
	struct client *c = context;
	const struct message_recipient recipient = {
		.number = number,
		.address = r->address,
		.notify = (uint8_t)r->notify,
		.orcpt = r->orcpt,
	};

	(void)link_router_recipient(&c->exchange, &recipient);
}

static int
on_content_begin(void *context, const struct transaction *t)
{
	struct client *c = context;
	char header[LIMIT_TRACE];
	struct trace trace = {
		.helo = session_helo(c->session),
		.client_name = c->name != NULL ? c->name : "",
		.client_address = c->address,
		.hostname = c->service->rules.hostname,
		.protocol = session_protocol(c->session),
		.id = t->id,
		.recipient = t->asked == 1 ? t->first : NULL,
		.time = time(NULL),
	};

	c->intake = intake_new();
	if (c->intake == NULL)
		return -1;
	return intake_add(c->intake, header, trace_format(header, &trace));
}

static int
on_content_add(void *context, const uint8_t *data, size_t length)
{
	struct client *c = context;

	return intake_add(c->intake, data, length);
}

static int
on_content_send(void *context, unsigned int hops)
{
	struct client *c = context;
	uint64_t size;
	int fd = intake_finish(c->intake, &size);

	if (fd == -1) {
		log_warn("content-failed error=\"%s\"", strerror(errno));
		return -1;
	}
	intake_free(&c->intake);
	return link_router_content(&c->exchange, fd, size, hops);
}

static void
on_end(void *context, enum session_end why)
{
	struct client *c = context;

	intake_free(&c->intake);
	if (why >= SESSION_END_RESET)
		(void)link_router_abandon(&c->exchange, why);
	link_router_close(&c->exchange);
}

static void
on_close(void *context)
{
	struct client *c = context;

	c->closing = true;
}

const struct session_effects client_effects = {
	.reply = on_reply,
	.refused = on_refused,
	.open = on_open,
	.recipient = on_recipient,
	.content_begin = on_content_begin,
	.content_add = on_content_add,
	.content_send = on_content_send,
	.end = on_end,
	.close = on_close,
};
