/*
 * A recipient in a listing: on one line whole, or on a terminal's lines.
 */
#include <inttypes.h>
#include <limits.h>

#include "common/id.h"
#include "ctl/format.h"
#include "ctl/item.h"

/* A few letters of a reply or an address help nobody. */
#define TEXT_LEAST 12
/* Where lines that continue another begin. */
#define INDENT 4
/* Below this, only what is asked for most stands in columns; */
#define WIDE 60
/* and below this the terminal breaks lines as it likes. */
#define NARROW 32

static bool
is_wide(const struct ctl *ctl)
{
	return !ctl->terminal || ctl->width < NARROW || ctl->width >= WIDE;
}

/* UINT_MAX for no bound. */
static unsigned int
width_of(const struct ctl *ctl)
{
	return !ctl->terminal || ctl->width < NARROW ? UINT_MAX : ctl->width;
}

void
item_print_heading(const struct ctl *ctl)
{
	unsigned int width = width_of(ctl);
	const char *text = "SENDER -> RECIPIENT (DESTINATION): LAST REPLY";

	if (!is_wide(ctl)) {
		fprintf(ctl->out, "%-13s %-10s %4s\n", "ID", "STATE", "NEXT");
		return;
	}
	if (width < 100)
		text = width < 70 ? "SENDER" : "SENDER -> RECIPIENT";
	fprintf(ctl->out, "%-13s %4s %5s %-10s %3s %4s %s\n", "ID", "AGE",
	    "SIZE", "STATE", "TRY", "NEXT", text);
}

/* Returns how many columns they take. */
static unsigned int
print_columns(const struct ctl *ctl, const struct message_ctl_item *item)
{
	bool wide = is_wide(ctl);
	int used;

	used = fprintf(ctl->out, "%s ", id_format(item->id).text);
	if (wide)
		used += fprintf(ctl->out, "%4s %5s ",
		    format_duration(item_age(ctl, item->arrival)).text,
		    format_size(item->size).text);
	item_colour(ctl, item);
	used += fprintf(ctl->out, "%-10s", item_state(item));
	item_colour_end(ctl);
	if (wide)
		used += fprintf(ctl->out, " %3s",
		    ctl->terminal ? format_count(item->attempts, 3).text
				  : format_count(item->attempts, 10).text);
	used += fprintf(ctl->out, " %4s ", item_next_try(ctl, item).text);
	return used > 0 ? (unsigned int)used : 0;
}

static unsigned int
begin_line(const struct ctl *ctl)
{
	fprintf(ctl->out, "\n%*s", INDENT, "");
	return INDENT;
}

static unsigned int
sender_width(const struct message_ctl_item *item)
{
	return item->sender[0] == '\0' ? 2 : format_width(item->sender);
}

static unsigned int
recipient_width(const struct message_ctl_item *item)
{
	return format_width(item->address) + format_width(item->destination) +
	       6;
}

/* At most so many columns wide. */
static void
print_sender(const struct ctl *ctl, const struct message_ctl_item *item,
    unsigned int columns)
{
	if (item->sender[0] == '\0')
		fputs("<>", ctl->out);
	else
		format_print_cut(ctl->out, item->sender, columns);
}

/* "(destination)" in so many columns; returns how many it took. */
static unsigned int
print_destination(const struct ctl *ctl, const struct message_ctl_item *item,
    unsigned int columns)
{
	unsigned int width = format_width(item->destination);

	width = width + 2 <= columns ? width : columns - 2;
	fputc('(', ctl->out);
	format_print_cut(ctl->out, item->destination, width);
	fputc(')', ctl->out);
	return width + 2;
}

/* An address that would fit alone is not cut: then the destination goes on the
 * next line. Otherwise that has a third. Returns where the line ends. */
static unsigned int
print_recipient(const struct ctl *ctl, const struct message_ctl_item *item,
    unsigned int used)
{
	unsigned int columns = width_of(ctl) - used;
	unsigned int address = format_width(item->address);
	unsigned int destination = format_width(item->destination) + 3;

	fputs("-> ", ctl->out);
	if (address + 3 <= columns && address + 3 + destination > columns) {
		format_print(ctl->out, item->address);
		used = begin_line(ctl);
		return used +
		       print_destination(ctl, item, width_of(ctl) - used);
	}
	if (address + 3 > columns && destination > columns / 3)
		destination = columns / 3;
	if (address + 3 > columns)
		address = columns - 3 - destination;
	format_print_cut(ctl->out, item->address, address);
	fputc(' ', ctl->out);
	return used + 4 + address +
	       print_destination(ctl, item, destination - 1);
}

/* Behind what took so many columns, or on a line of its own. */
static void
print_reply(const struct ctl *ctl, const struct message_ctl_item *item,
    unsigned int used)
{
	unsigned int width = width_of(ctl);

	if (width - used >= 2 + TEXT_LEAST) {
		fputs(": ", ctl->out);
		used += 2;
	} else
		used = begin_line(ctl);
	format_print_cut(ctl->out, item->reply, width - used);
}

void
item_print(const struct ctl *ctl, const struct message_ctl_item *item)
{
	unsigned int width = width_of(ctl), used = print_columns(ctl, item);
	unsigned int sender = sender_width(item);
	bool one = width >= used + sender + 1 + recipient_width(item);

	if (used + sender > width && used + TEXT_LEAST > width)
		used = begin_line(ctl);
	print_sender(ctl, item, width - used);
	used += sender;
	if (one) {
		fputc(' ', ctl->out);
		used++;
	} else
		used = begin_line(ctl);
	used = print_recipient(ctl, item, used);
	if (item->reply[0] != '\0')
		print_reply(ctl, item, used);
	fputc('\n', ctl->out);
}
