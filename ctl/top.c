/*
 * posternctl top: the queue as it is now, on the whole screen, until q.
 *
 * The counters are asked for every second. The destinations may be very many:
 * they are asked for again only after ten times as long as they took, so that
 * a look at a large queue costs it a tenth of its time at most, however many
 * destinations there are. Of them all only the busiest are kept.
 */
#include <sys/types.h>

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <bsd/string.h>

#include "common/monotime.h"
#include "ctl/busiest.h"
#include "ctl/connect.h"
#include "ctl/destination.h"
#include "ctl/words.h"

#define REFRESH_MS 1000
/* A rest of so many times what the destinations took. */
#define REST 10

/* What is shown of the counters. */
enum counter {
	MESSAGES,
	WAITING,
	HELD,
	UNDELIVERABLE,
	IN_FLIGHT,
	PAUSED,
	LISTENING,
	ACCEPTED,
	DELIVERED,
	DEFERRED,
	FAILED,
	COUNTERS
};

static const char *const names[COUNTERS] = {
	[MESSAGES] = "messages",
	[WAITING] = "waiting",
	[HELD] = "held",
	[UNDELIVERABLE] = "undeliverable",
	[IN_FLIGHT] = "in_flight",
	[PAUSED] = "paused",
	[LISTENING] = "listening",
	[ACCEPTED] = "accepted",
	[DELIVERED] = "delivered",
	[DEFERRED] = "deferred",
	[FAILED] = "failed",
};

struct top {
	struct ctl *ctl;
	struct connection connection;
	bool connected;
	bool on_screen;
	bool over;
	int code;	       /* what the last question came to */
	bool waits;	       /* for an answer, */
	struct monotime heard; /* of which the last was heard then */
	uint64_t now[COUNTERS], before[COUNTERS];
	struct monotime at, at_before;
	bool rates; /* two in a row are known */
	/* Two, so that what is shown is whole while the next is read. */
	struct busiest *busiest, *next;
	struct monotime ask_again;
	uint64_t destinations;
};

/* -- Asking --------------------------------------------------------------- */

/* A silence that is longer is noticed. */
#define SILENCE_MS 2000

static bool
is_silent(const struct top *t)
{
	return t->waits &&
	       monotime_ms_between(t->heard, monotime_now()) > SILENCE_MS;
}

static int
on_stat(const struct message *m, void *context)
{
	struct top *t = context;

	if (m->type != MESSAGE_CTL_STAT)
		return EX_PROTOCOL;
	t->heard = monotime_now();
	for (unsigned int i = 0; i < COUNTERS; i++)
		if (strcmp(names[i], m->ctl_stat.name) == 0)
			t->now[i] = m->ctl_stat.value;
	return EX_OK;
}

static int
on_destination(const struct message *m, void *context)
{
	struct top *t = context;

	if (m->type != MESSAGE_CTL_DESTINATION ||
	    !destination_is_valid(&m->ctl_destination))
		return EX_PROTOCOL;
	t->heard = monotime_now();
	busiest_add(t->next, &m->ctl_destination);
	return EX_OK;
}

static int
ask_stats(struct top *t)
{
	struct message question = MESSAGE_INIT(MESSAGE_CTL_STATS, 0);
	bool had = t->at.nanoseconds != 0;

	memcpy(t->before, t->now, sizeof(t->before));
	t->at_before = t->at;
	t->at = monotime_now();
	t->rates = had;
	return connect_ask(&t->connection, &question, on_stat, t, true);
}

static int
ask_destinations(struct top *t)
{
	struct message question = MESSAGE_INIT(MESSAGE_CTL_DESTINATIONS, 0);
	struct monotime start = monotime_now();
	struct busiest *shown = t->busiest;
	int code;

	if (monotime_is_before(start, t->ask_again))
		return EX_OK;
	t->next->count = 0;
	code = connect_ask(&t->connection, &question, on_destination, t, true);
	if (code != EX_OK)
		return code;
	t->destinations = t->connection.count;
	t->busiest = t->next;
	t->next = shown;
	t->ask_again = monotime_add_ms(
	    monotime_now(), REST * monotime_ms_between(start, monotime_now()));
	return EX_OK;
}

static bool attend(void *);

static int
ask_once(struct top *t)
{
	int code = EX_OK;

	if (!t->connected) {
		code = connect_open(&t->connection, t->ctl->run, PROGRAM_QUEUE);
		t->connected = code == EX_OK;
		t->at = (struct monotime){ 0 };
	}
	if (t->on_screen) {
		t->connection.attend = attend;
		t->connection.context = t;
		t->connection.watch = STDIN_FILENO;
	}
	if (code == EX_OK)
		code = ask_stats(t);
	if (code == EX_OK)
		code = ask_destinations(t);
	if (code != EX_OK && t->connected) {
		connect_close(&t->connection);
		t->connected = false;
	}
	return code;
}

/* A queue that is started again is asked again, and so is one that has let us
 * go, for we may have been stopped. */
static void
ask(struct top *t)
{
	bool was_connected = t->connected;

	t->waits = true;
	t->heard = monotime_now();
	t->code = ask_once(t);
	if (t->code == EX_TEMPFAIL && was_connected && !t->over &&
	    !is_silent(t))
		t->code = ask_once(t);
	t->waits = false;
}

/* -- Showing -------------------------------------------------------------- */

static double
rate(const struct top *t, enum counter c)
{
	int64_t ms = monotime_ms_between(t->at_before, t->at);

	if (!t->rates || ms <= 0 || t->now[c] < t->before[c])
		return 0;
	return (double)(t->now[c] - t->before[c]) * 1000 / (double)ms;
}

/* Text from outside, cut to what is left of the line. */
static void
put_text(const char *text)
{
	int y, x, left;
	char *shown = NULL;
	size_t length;
	FILE *out;

	getyx(stdscr, y, x);
	left = COLS - x;
	(void)y;
	if (left <= 0)
		return;
	out = open_memstream(&shown, &length);
	if (out == NULL)
		return;
	format_print_cut(out, text, (unsigned int)left);
	if (fclose(out) == 0)
		addstr(shown);
	free(shown);
}

/* Ours, cut likewise: a line that is too long would go on in the next one. */
static void __attribute__((format(printf, 1, 2))) put(const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	put_text(text);
}

static void
show_head(const struct top *t)
{
	struct format_text time = format_time_local((uint64_t)t->ctl->now);

	move(0, 0);
	attron(A_BOLD);
	put_text("postern");
	attroff(A_BOLD);
	put("  %s  ", time.text);
	if (is_silent(t) || t->code == EX_TEMPFAIL || t->code == EX_UNAVAILABLE)
		put_text("the queue does not answer: trying again");
	else if (t->code != EX_OK)
		put_text("the queue does not answer us");
	else {
		if (t->now[PAUSED] != 0)
			put_text("ALL DELIVERY IS PAUSED  ");
		if (t->now[LISTENING] == 0)
			put_text("LISTENING IS PAUSED");
	}
	move(1, 0);
	put("%" PRIu64 " messages; %" PRIu64 " waiting, %" PRIu64
	    " in flight, %" PRIu64 " held, %" PRIu64 " failed",
	    t->now[MESSAGES], t->now[WAITING], t->now[IN_FLIGHT], t->now[HELD],
	    t->now[UNDELIVERABLE]);
	move(2, 0);
	put("a second: %.1f accepted, %.1f delivered, %.1f deferred, %.1f "
	    "failed",
	    rate(t, ACCEPTED), rate(t, DELIVERED), rate(t, DEFERRED),
	    rate(t, FAILED));
}

/* Below this there is no room for all columns. */
#define WIDE 64

static void
show_heading(void)
{
	move(4, 0);
	put("%7s ", "WAITING");
	if (COLS >= WIDE)
		put("%6s %6s %6s ", "FLIGHT", "WINDOW", "KEPT");
	put("%7s %4s %s", "BACKOFF", "NEXT", "DESTINATION: LAST ERROR");
	mvchgat(4, 0, -1, A_REVERSE, 0, NULL);
}

static void
show_destination(
    const struct top *t, int line, const struct message_ctl_destination *d)
{
	bool down = destination_is_down(t->ctl, d);

	move(line, 0);
	put("%7s ", format_count(d->waiting, 7).text);
	if (COLS >= WIDE)
		put("%6s %6s %6s ", format_count(d->in_flight, 6).text,
		    format_count(d->window, 6).text,
		    format_count(d->held + d->failed, 6).text);
	put("%7s %4s ", destination_backoff(t->ctl, d).text,
	    destination_next_try(t->ctl, d).text);
	if (down)
		attron(A_BOLD);
	put_text(d->name);
	attroff(A_BOLD);
	if (d->reply[0] != '\0') {
		put_text(": ");
		put_text(d->reply);
	}
}

static void
show(const struct top *t)
{
	unsigned int shown;

	erase();
	show_head(t);
	show_heading();
	for (shown = 0; shown < t->busiest->count && (int)shown + 5 < LINES - 1;
	     shown++)
		show_destination(
		    t, (int)shown + 5, busiest_get(t->busiest, shown));
	move(LINES - 1, 0);
	clrtoeol();
	put("%" PRIu64 " destination%s, busiest first; q quits",
	    t->destinations, t->destinations == 1 ? "" : "s");
	refresh();
}

/* -- Living --------------------------------------------------------------- */

/* curses looks after the others that end a program on a terminal. */
static volatile sig_atomic_t hung_up;

static void
on_hangup(int number)
{
	(void)number;
	hung_up = 1;
}

/* True if what is shown is to be asked for again now. */
static bool
obey(struct top *t, int key)
{
	if (hung_up || key == 'q' || key == 'Q')
		t->over = true;
	else if (key == ERR)
		t->over = tcgetpgrp(STDIN_FILENO) == -1; /* it is gone */
	else if (key == '\f')
		clearok(curscr, TRUE);
	if (key == KEY_RESIZE || key == '\f')
		show(t);
	return key == ' ' || key == '\n';
}

/* While the queue has not answered yet. */
static bool
attend(void *context)
{
	struct top *t = context;
	int key;

	timeout(0);
	do {
		key = getch();
		obey(t, key);
	} while (key != ERR && !t->over);
	if (!t->over && is_silent(t)) {
		t->ctl->now = time(NULL);
		show(t);
	}
	return !t->over;
}

/* Until the next refresh, or the end. */
static void
wait_for_key(struct top *t)
{
	struct monotime end = monotime_add_ms(monotime_now(), REFRESH_MS);
	int64_t left = REFRESH_MS;

	while (left > 0 && !t->over) {
		timeout((int)left);
		if (obey(t, getch()))
			return;
		left = monotime_ms_between(monotime_now(), end);
	}
}

/* What is wrong with the queue is said on the screen, not into it. */
static int
silence(void)
{
	int was = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);

	if (null != -1) {
		dup2(null, STDERR_FILENO);
		close(null);
	}
	return was;
}

static void
live(struct top *t)
{
	t->on_screen = true;
	while (!t->over) {
		t->ctl->now = time(NULL);
		ask(t);
		if (t->over)
			return;
		show(t);
		wait_for_key(t);
	}
}

static int
run_on_screen(struct top *t)
{
	int was;
	SCREEN *screen = newterm(NULL, stdout, stdin);

	if (screen == NULL) {
		fputs("posternctl: this terminal is not known: see TERM\n",
		    stderr);
		return EX_UNAVAILABLE;
	}
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	signal(SIGHUP, on_hangup);
	was = silence();
	live(t);
	endwin();
	delscreen(screen);
	signal(SIGHUP, SIG_DFL);
	if (hung_up)
		raise(SIGHUP);
	if (was != -1) {
		dup2(was, STDERR_FILENO);
		close(was);
	}
	return EX_OK;
}

int
top_run(struct ctl *ctl, const struct command *c, int count, char **words)
{
	struct top t = { .ctl = ctl };
	struct options options;
	int code = words_none(c, count, words, &options);

	if (code != EX_OK)
		return code;
	if (!ctl->terminal || isatty(STDIN_FILENO) != 1) {
		fputs("posternctl: top needs a terminal; see stats and "
		      "destinations\n",
		    stderr);
		return EX_USAGE;
	}
	t.busiest = calloc(1, sizeof(*t.busiest));
	t.next = calloc(1, sizeof(*t.next));
	if (t.busiest == NULL || t.next == NULL) {
		perror("posternctl");
		code = EX_OSERR;
		goto out;
	}
	/* Who may not look is told so before the screen is cleared. */
	ask(&t);
	code = t.code == EX_OK ? run_on_screen(&t) : t.code;
out:
	if (t.connected)
		connect_close(&t.connection);
	free(t.busiest);
	free(t.next);
	return code;
}
