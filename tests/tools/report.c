/*
 * Writes a report to standard output, as queue/dsn_report.c makes it; what it
 * is about comes as arguments, so that another's parser can judge it.
 *
 * usage: report TO SENDER NOTICE RET ENVID ORIGINAL [ACTION ADDRESS ORIGINAL
 *               ORCPT HOST REPLY]...
 *
 * NOTICE, RET and ACTION are numbers; ORIGINAL is a file, "" for none.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue/dsn_report.h"

#define MOST 100
#define EACH 6

static void
read_original(struct dsn_report *r, const char *path)
{
	static char data[DSN_RETURN_MOST];
	FILE *in;

	if (*path == '\0')
		return;
	in = fopen(path, "r");
	if (in == NULL)
		err(1, "%s", path);
	r->original = data;
	r->original_length = fread(data, 1, sizeof(data), in);
	r->original_is_whole = fgetc(in) == EOF;
	fclose(in);
}

static void
copy_out(int fd, uint64_t size)
{
	char *data = malloc(size);

	if (data == NULL || pread(fd, data, size, 0) != (ssize_t)size ||
	    fwrite(data, 1, size, stdout) != size)
		err(1, "report");
	free(data);
}

static unsigned long
number_of(const char *text)
{
	return strtoul(text, NULL, 10);
}

int
main(int argc, char **argv)
{
	static struct dsn_recipient recipients[MOST];
	struct dsn_report r = {
		.hostname = "mail.example.org",
		.id = "1mcc5rm0000xt",
		.arrival = 1800000000,
		.now = 1800000100,
		.recipients = recipients,
	};
	struct dsn_made made;
	int fd;

	if (argc < 7 || (argc - 7) % EACH != 0 || (argc - 7) / EACH > MOST)
		errx(1, "usage");
	r.to = argv[1];
	r.sender = argv[2];
	r.is_notice = number_of(argv[3]) != 0;
	r.ret = (uint8_t)number_of(argv[4]);
	r.envid = argv[5];
	read_original(&r, argv[6]);
	for (char **a = argv + 7; *a != NULL; a += EACH)
		recipients[r.count++] = (struct dsn_recipient){
			.action = (enum dsn_action)number_of(a[0]),
			.address = a[1],
			.original = a[2],
			.orcpt = a[3],
			.host = a[4],
			.reply = a[5],
			.last = r.now,
			.retry_until = r.now + 86400,
		};
	fd = dsn_report_make(&r, &made);
	if (fd == -1)
		err(1, "report");
	copy_out(fd, made.size);
	return 0;
}
