/* A configuration, its tables and made-up users: what a transaction needs. */
#ifndef TESTS_UNIT_ROUTER_HOUSE_H
#define TESTS_UNIT_ROUTER_HOUSE_H

#include "router/expand.h"

#include "tests/unit/router/fake_users.h"
#include "tests/unit/router/test.h"

#define HOUSE                                                                  \
	"mailbox \"people\" users system aliases \"aliases\" deliver maildir " \
	"\"~/M\"\n"                                                            \
	"limit recipients 3\n"                                                 \
	"limit message size 1M\n"                                              \
	"accept to domain \"here.example\" mailbox \"people\"\n"               \
	"accept from authenticated relay\n"                                    \
	"accept from local relay\n"

struct house {
	struct config *config;
	struct expander expander;
	char path[64];
};

static inline void
house_open(struct house *h, const char *aliases)
{
	char text[1024];

	snprintf(h->path, sizeof(h->path), "%s", test_file(aliases));
	snprintf(text, sizeof(text), "table \"aliases\" file \"%s\"\n%s",
	    h->path, HOUSE);
	h->config = test_config(text);
	h->expander.config = h->config;
	h->expander.tables = tables_new(h->config);
	h->expander.users = NULL;
	assert_non_null(h->expander.tables);
}

static inline void
house_close(struct house *h)
{
	unlink(h->path);
	tables_free(&h->expander.tables);
	config_free(&h->config);
}

#endif
