/*
 * posternctl queue: what waits. As mailq, in the words that other software
 * looks for if nothing does.
 */
#include <inttypes.h>
#include <sysexits.h>

#include "ctl/connect.h"
#include "ctl/item.h"
#include "ctl/select.h"
#include "ctl/words.h"
#include "ctl/wrap.h"

#define SEEN 1024

struct list {
	const struct ctl *ctl;
	bool json;
	uint64_t shown;
	uint64_t messages;
	uint64_t octets;
	uint64_t last_id;
	/* Where ids do not rise, as in a user's line, the recipients of a
	 * message may stand apart: then it is counted as long as it is among
	 * these. */
	bool mixed;
	bool lost; /* the count of messages */
	uint64_t seen[SEEN];
};

static bool
is_seen(const struct list *list, uint64_t id)
{
	for (uint64_t i = 0; i < list->messages && i < SEEN; i++)
		if (list->seen[i] == id)
			return true;
	return false;
}

static void
count_message(struct list *list, const struct message_ctl_item *item)
{
	if (item->id == list->last_id || list->lost)
		return;
	list->mixed |= item->id < list->last_id;
	list->last_id = item->id;
	if (list->mixed && list->messages > SEEN)
		list->lost = true;
	else if (!list->mixed || !is_seen(list, item->id)) {
		if (list->messages < SEEN)
			list->seen[list->messages] = item->id;
		list->messages++;
		list->octets += item->size;
	}
}

static int
on_item(const struct message *m, void *context)
{
	struct list *list = context;
	const struct message_ctl_item *item = &m->ctl_item;

	if (m->type != MESSAGE_CTL_ITEM || !item_is_valid(item))
		return EX_PROTOCOL;
	if (list->json)
		item_print_json(list->ctl, item);
	else {
		if (list->shown == 0 && list->ctl->terminal)
			item_print_heading(list->ctl);
		item_print(list->ctl, item);
	}
	list->shown++;
	count_message(list, item);
	return EX_OK;
}

static void
print_summary(const struct list *list)
{
	struct wrap wrap;

	if (list->shown == 0) {
		fputs("Nothing waits.\n", list->ctl->out);
		return;
	}
	wrap_begin(&wrap, list->ctl);
	fprintf(wrap.ctl.out, "%" PRIu64 " recipient%s", list->shown,
	    list->shown == 1 ? "" : "s");
	if (!list->lost)
		fprintf(wrap.ctl.out, " of %" PRIu64 " message%s, %s octets",
		    list->messages, list->messages == 1 ? "" : "s",
		    format_size(list->octets).text);
	fputs(".\n", wrap.ctl.out);
	wrap_end(&wrap, 0);
}

int
mailq_run(struct ctl *ctl, const struct command *c, int count, char **words)
{
	struct message question = MESSAGE_INIT(MESSAGE_CTL_LIST, 0);
	struct filter everything = FILTER_EVERYTHING;
	struct list list = { .ctl = ctl };
	int code;

	(void)c;
	(void)count;
	(void)words;
	select_list(&question, 0, &everything);
	code = connect_ask_queue(ctl, &question, on_item, &list);
	if (code == EX_OK && list.shown == 0)
		fputs("Mail queue is empty\n", ctl->out);
	else if (code == EX_OK)
		print_summary(&list);
	return code;
}

int
list_run(struct ctl *ctl, const struct command *c, int count, char **words)
{
	struct message question = MESSAGE_INIT(MESSAGE_CTL_LIST, 0);
	struct list list = { .ctl = ctl };
	struct options options;
	int code = words_none(c, count, words, &options);

	if (code != EX_OK)
		return code;
	select_list(&question, 0, &options.filter);
	list.json = options.json;
	code = connect_ask_queue(ctl, &question, on_item, &list);
	if (code == EX_OK && ctl->terminal && !list.json)
		print_summary(&list);
	return code;
}
