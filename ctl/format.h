/*
 * Times, sizes and texts as people read them.
 */
#ifndef CTL_FORMAT_H
#define CTL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct format_text {
	char text[40];
};

/* "812", "4.1K", "12M": at most five characters. */
struct format_text format_size(uint64_t octets);
/* A number in at most so many digits, which are 4 or more: "12345", or "12M"
 * if it has more of them. */
struct format_text format_count(uint64_t, unsigned int digits);
/* "45s", "12m", "3h", "2d": rounded down, at most four characters up to 27
 * years. */
struct format_text format_duration(uint64_t seconds);
/* The same from now until then: "now" if it has come, "-" for 0. */
struct format_text format_until(uint64_t then, uint64_t now);
/* "45 seconds", "1 hour": the same in words. */
struct format_text format_duration_words(uint64_t seconds);
/* "2026-01-31T23:59:59Z". */
struct format_text format_time_utc(uint64_t seconds);
/* "2026-01-31 23:59:59" in the user's time zone. */
struct format_text format_time_local(uint64_t seconds);

/* Text from outside, on one line: CR LF is shown as " / ", and whatever a
 * terminal might obey, does not show, or is not of the locale's character set
 * as \xHH; so is a backslash. */
void format_print(FILE *, const char *);
/* The same, cut to so many columns, with an ellipsis if it was longer. */
void format_print_cut(FILE *, const char *, unsigned int columns);
/* How many columns it takes in full. */
unsigned int format_width(const char *);
/* The same, each line of it behind `indent`. */
void format_print_lines(FILE *, const char *, const char *indent);
/* A reverse-path: "<>" if it is empty. */
void format_print_sender(FILE *, const char *);

/* A message's content for a terminal: lines end in LF, every other control
 * character but a tab, and whatever is not UTF-8, is shown as \xHH. */
void format_print_content(FILE *, const uint8_t *, size_t, bool utf8);

#endif
