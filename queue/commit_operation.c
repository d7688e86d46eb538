/* What gathers for a commit, one by one: made with all that it needs, so that
 * nothing is lent when it is written. */
#include <stdlib.h>
#include <string.h>

#include "queue/commit_private.h"
#include "queue/submission.h"

static struct operation *
make(enum operation_kind kind, size_t texts)
{
	struct operation *o = malloc(sizeof(*o) + texts);

	if (o == NULL)
		return NULL;
	memset(o, 0, sizeof(*o));
	o->kind = kind;
	return o;
}

struct operation *
operation_new(enum operation_kind kind)
{
	return make(kind, 0);
}

struct operation *
operation_new_text(enum operation_kind kind, const char *text)
{
	size_t size = strlen(text) + 1;
	struct operation *o = make(kind, size);

	if (o != NULL)
		o->reply = memcpy(o->texts, text, size);
	return o;
}

static size_t
size_of(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 1;
}

static const char *
keep(char **at, const char *text)
{
	char *kept = *at;
	size_t size = size_of(text);

	memcpy(kept, text != NULL ? text : "", size);
	*at += size;
	return kept;
}

struct operation *
operation_new_report(
    enum operation_kind kind, const struct lifecycle_report *report)
{
	size_t texts = size_of(report->host) + size_of(report->reply) +
		       size_of(report->name) + size_of(report->address) +
		       size_of(report->tls_version) +
		       size_of(report->tls_cipher);
	struct operation *o = make(kind, texts);
	char *at;

	if (o == NULL)
		return NULL;
	at = o->texts;
	o->report = *report;
	o->report.host = keep(&at, report->host);
	o->report.reply = keep(&at, report->reply);
	o->report.name = keep(&at, report->name);
	o->report.address = keep(&at, report->address);
	o->report.tls_version = keep(&at, report->tls_version);
	o->report.tls_cipher = keep(&at, report->tls_cipher);
	o->octets = texts;
	return o;
}

void
operation_free(struct operation *o)
{
	submission_free(&o->submission);
	free(o->result.line);
	free(o->telling);
	free(o);
}
