
#include <sys/socket.h>

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/config_load.h"
#include "common/config_number.h"
#include "common/config_words.h"
#include "tests/unit/common/unit.h"

#define GOLDEN "tests/unit/common/golden"

/* The text of a stream that was written in memory. */
struct text {
	char *data;
	size_t length;
	FILE *out;
};

static void
text_open(struct text *t)
{
	*t = (struct text){ NULL, 0, NULL };
	t->out = open_memstream(&t->data, &t->length);
	assert_non_null(t->out);
}

static char *
text_close(struct text *t)
{
	fclose(t->out);
	return t->data;
}

static struct config *
parse(const char *text, char **errors)
{
	/* An exact copy without a NUL: the sanitizer sees any step over. */
	size_t length = strlen(text);
	char *copy = malloc(length > 0 ? length : 1);
	struct config *c;
	struct text t;

	assert_non_null(copy);
	memcpy(copy, text, length);
	text_open(&t);
	c = config_parse("test.conf", copy, length, t.out);
	*errors = text_close(&t);
	free(copy);
	return c;
}

static struct config *
parse_good(const char *text)
{
	char *errors;
	struct config *c = parse(text, &errors);

	if (c == NULL)
		fail_msg("%s", errors);
	free(errors);
	return c;
}

static char *
printed(const struct config *c)
{
	struct text t;

	text_open(&t);
	config_print(c, t.out);
	return text_close(&t);
}

static char *
file_text(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = calloc(1, 65536);

	if (file == NULL)
		fail_msg(
		    "%s is missing; unit tests run in the top folder", path);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, file) < 65535);
	fclose(file);
	return text;
}

/* What a golden's text becomes: the printed configuration, or its errors,
 * or both where there are warnings. */
static char *
outcome_of(const char *path)
{
	char *text = file_text(path);
	const char *name = strrchr(path, '/') + 1;
	struct config *c;
	struct text t;

	text_open(&t);
	c = config_parse(name, text, strlen(text), t.out);
	if (c != NULL)
		config_print(c, t.out);
	config_free(&c);
	free(text);
	return text_close(&t);
}

static void
write_golden(const char *path, const char *outcome)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(outcome, file);
	fclose(file);
}

/* golden/X.conf must become golden/X.out. With UPDATE_GOLDEN set they are
 * written anew, to be looked at with git diff. */
static void
goldens_come_out_as_before(void **state)
{
	glob_t found;
	unsigned int wrong = 0;

	(void)state;
	assert_int_equal(glob(GOLDEN "/*.conf", 0, NULL, &found), 0);
	assert_true(found.gl_pathc >= 10);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char path[200], *outcome = outcome_of(found.gl_pathv[i]);
		char *expected;

		snprintf(path, sizeof(path), "%.*s.out",
		    (int)strlen(found.gl_pathv[i]) - 5, found.gl_pathv[i]);
		if (getenv("UPDATE_GOLDEN") != NULL)
			write_golden(path, outcome);
		expected = file_text(path);
		if (strcmp(outcome, expected) != 0) {
			print_error("%s is now:\n%s", path, outcome);
			wrong++;
		}
		free(expected);
		free(outcome);
	}
	globfree(&found);
	assert_int_equal(wrong, 0);
}

/* The smallest configuration that parses without a warning. */
#define SMALL                                                  \
	"hostname \"mail.example.org\" listen on * port 25\n"  \
	"mailbox \"m\" users system deliver maildir \"~/M\"\n" \
	"accept to domain \"example.org\" mailbox \"m\"\n"

static void
defaults_are_as_documented(void **state)
{
	struct config *c = parse_good(SMALL);

	(void)state;
	assert_string_equal(c->path, "test.conf");
	assert_string_equal(c->hostname, "mail.example.org");
	assert_string_equal(c->spool, "/var/spool/postern");
	assert_string_equal(c->run, "/run/postern");
	assert_null(c->admin);
	assert_non_null(c->forwards);
	assert_null(c->forwards[0]);
	assert_true(c->limit_message_size == 50ull << 20);
	assert_true(c->limit_store_size == 64ull << 30);
	assert_int_equal(c->limit_recipients, 1000);
	assert_int_equal(c->limit_connections, 50);
	assert_int_equal(c->limit_connections_all, 10000);
	assert_int_equal(c->limit_workers, 0);
	assert_int_equal(c->retry_from, 300);
	assert_int_equal(c->retry_to, 4 * 3600);
	assert_int_equal(c->retry_for, 5 * 86400);
	assert_int_equal(c->history, 14 * 86400);
	config_free(&c);
	assert_null(c);
	config_free(&c);
}

/* Only a whole name of the host will do. */
static void
the_host_has_a_name(void **state)
{
	char name[256] = "", *errors;
	struct config *c = parse(strstr(SMALL, "listen"), &errors);

	(void)state;
	assert_int_equal(gethostname(name, sizeof(name) - 1), 0);
	if (strchr(name, '.') != NULL) {
		assert_non_null(c);
		assert_int_equal(strcasecmp(c->hostname, name), 0);
	} else {
		assert_null(c);
		assert_non_null(
		    strstr(errors, "hostname \"mail.example.org\""));
	}
	config_free(&c);
	free(errors);
}

static void
every_statement_is_kept(void **state)
{
	struct config *c = parse_good(
	    "hostname \"Mail.Example.ORG\"\n"
	    "spool \"/s\" run \"/r\" admin \"root@Example.org\"\n"
	    "resolver forward \"192.0.2.53\" \"2001:db8::53@5353\"\n"
	    "resolver stub \"Example.net\" \"127.0.0.1@5354\"\n"
	    "table \"t\" { \"a\" \"b\\\\\\\"\" } table \"f\" file \"/f\"\n"
	    "listen on 192.0.2.1 port 25 listen on \"2001:DB8::1\" port 26\n"
	    "mailbox \"m\" users table \"f\" aliases \"f\" deliver maildir "
	    "\"/m\"\n"
	    "relay \"r\" via \"Host.Example.net\" port 2525\n"
	    "relay \"s\" via 192.0.2.9\n"
	    "accept from local sender \"A@B\" to domain \"X\" mailbox \"m\"\n"
	    "accept from authenticated relay\n"
	    "accept from address 192.0.2.0/24 \"2001:db8::/32\" ::1\n"
	    "  sender domain table \"t\" to any relay \"r\"\n"
	    "reject sender domain \"Q\" to \"Postmaster\"\n"
	    "reject from any to domain table \"t\" with \"450 4.7.0 later\"\n"
	    "limit message size 1M limit store size 2G limit recipients 3\n"
	    "limit connections 4 limit connections per address 5\n"
	    "limit workers 6 retry from 7s to 8m for 9h history 2w\n");

	(void)state;
	assert_string_equal(c->hostname, "mail.example.org");
	assert_string_equal(c->admin, "root@example.org");
	assert_string_equal(c->forwards[0], "192.0.2.53");
	assert_string_equal(c->forwards[1], "2001:db8::53@5353");
	assert_null(c->forwards[2]);
	assert_int_equal(c->stub_count, 1);
	assert_string_equal(c->stubs[0].domain, "example.net");
	assert_string_equal(c->stubs[0].server, "127.0.0.1@5354");
	assert_int_equal(config_table(c, "t")->kind, TABLE_LIST);
	assert_string_equal(config_table(c, "t")->values[1], "b\\\"");
	assert_null(config_table(c, "t")->values[2]);
	assert_string_equal(config_table(c, "f")->path, "/f");
	assert_null(config_table(c, "T"));
	assert_int_equal(c->listen_count, 2);
	assert_string_equal(c->listens[1].address, "2001:db8::1");
	assert_int_equal(c->listens[1].port, 26);
	assert_int_equal(config_mailbox(c, "m")->users, MAILBOX_USERS_TABLE);
	assert_string_equal(config_mailbox(c, "m")->users_table, "f");
	assert_string_equal(config_mailbox(c, "m")->aliases, "f");
	assert_null(config_mailbox(c, "f"));
	assert_string_equal(config_relay(c, "r")->via, "host.example.net");
	assert_int_equal(config_relay(c, "r")->port, 2525);
	assert_int_equal(config_relay(c, "s")->port, 25);
	assert_null(config_relay(c, ""));
	assert_int_equal(c->rule_count, 5);
	assert_int_equal(c->rules[0].line, 10);
	assert_true(c->rules[0].from_local);
	assert_string_equal(c->rules[0].sender, "A@b");
	assert_string_equal(c->rules[0].to_domain, "x");
	assert_true(c->rules[1].from_authenticated);
	assert_null(c->rules[1].relay);
	assert_int_equal(c->rules[2].from_count, 3);
	assert_int_equal(c->rules[2].from[0].prefix, 24);
	assert_int_equal(c->rules[2].from[1].family, AF_INET6);
	assert_string_equal(c->rules[2].sender_domain_table, "t");
	assert_int_equal(c->rules[3].action, RULE_REJECT);
	assert_int_equal(c->rules[3].reject_code, 550);
	assert_string_equal(c->rules[3].to, "postmaster");
	assert_int_equal(c->rules[4].reject_code, 450);
	assert_string_equal(c->rules[4].reject_reply, "4.7.0 later");
	assert_int_equal(c->limit_workers, 6);
	assert_int_equal(c->retry_to, 480);
	assert_int_equal(c->history, 14 * 86400);
	config_free(&c);
}

/* The printed configuration parses, says nothing, and prints the same; and
 * what was written out is what was meant. */
static void
printed_text_parses_back(void **state)
{
	glob_t found;
	unsigned int good = 0;

	(void)state;
	assert_int_equal(glob(GOLDEN "/*.conf", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char *text = file_text(found.gl_pathv[i]), *first, *second;
		struct config *c = config_parse("a", text, strlen(text), NULL);

		free(text);
		if (c == NULL)
			continue;
		first = printed(c);
		config_free(&c);
		c = parse_good(first);
		second = printed(c);
		assert_string_equal(first, second);
		config_free(&c);
		free(first);
		free(second);
		good++;
	}
	globfree(&found);
	assert_true(good >= 3);
}

/* Whatever a text is cut to, or with any one octet changed, the parser
 * comes to an end and says why it refuses. */
static void
damaged_texts_are_refused_with_words(void **state)
{
	char *text = file_text(GOLDEN "/everything.conf");
	size_t length = strlen(text);

	(void)state;
	for (size_t cut = 0; cut < length; cut++) {
		char kept = text[cut], *errors;
		struct config *c;

		text[cut] = '\0';
		c = parse(text, &errors);
		assert_int_equal(c == NULL || strstr(errors, "warning") != NULL,
		    errors[0] != '\0');
		config_free(&c);
		free(errors);
		text[cut] = kept;
	}
	for (size_t at = 0; at < length; at++) {
		char kept = text[at], *errors;
		struct config *c;

		text[at] = "\"{}#x\x01"[at % 6];
		c = parse(text, &errors);
		if (c == NULL)
			assert_string_not_equal(errors, "");
		config_free(&c);
		free(errors);
		text[at] = kept;
	}
	free(text);
}

static void
sizes_are_bounded(void **state)
{
	size_t size = LIMIT_CONFIG_SIZE + 1;
	char *text = malloc(size);
	struct config *c;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', size);
	memcpy(text, SMALL, strlen(SMALL));
	c = config_parse("test.conf", text, size, NULL);
	assert_null(c);
	c = config_parse("test.conf", text, size - 1, NULL);
	assert_non_null(c);
	config_free(&c);
	/* The worst that fits: one error in each octet. */
	memset(text, 1, size - 1);
	assert_null(config_parse("test.conf", text, size - 1, NULL));
	memset(text, '{', size - 1);
	assert_null(config_parse("test.conf", text, size - 1, NULL));
	free(text);
}

/* Says the statement so often, each time with another number. */
static struct config *
repeated(
    const char *before, const char *after, unsigned int times, char **errors)
{
	struct config *c;
	struct text t;
	char *text;

	text_open(&t);
	fputs(SMALL, t.out);
	for (unsigned int i = 1; i <= times; i++)
		fprintf(t.out, "%s%04u%s\n", before, i, after);
	text = text_close(&t);
	c = parse(text, errors);
	free(text);
	return c;
}

static void
counts_are_bounded(void **state)
{
	static const struct {
		const char *before, *after;
		unsigned int most;
	} rows[] = {
		{ "table \"", "\" { }", LIMIT_CONFIG_ITEMS },
		{ "relay \"", "\" via \"h\"", LIMIT_CONFIG_ITEMS },
		{ "resolver forward \"192.0.2.1@", "\"", 4095 },
		{ "resolver stub \"d", "\" \"192.0.2.1\"", LIMIT_CONFIG_ITEMS },
		{ "reject sender domain \"d", "\"", LIMIT_CONFIG_ITEMS - 1 },
		{ "listen on 127.0.0.1 port 1", "", LIMIT_LISTENERS - 1 },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		char *errors;
		struct config *c = repeated(
		    rows[i].before, rows[i].after, rows[i].most, &errors);

		assert_string_equal(errors, "");
		assert_non_null(c);
		config_free(&c);
		free(errors);
		c = repeated(
		    rows[i].before, rows[i].after, rows[i].most + 1, &errors);
		assert_null(c);
		assert_non_null(strstr(errors, "at most"));
		free(errors);
	}
}

/* At most so many errors are shown, and the rest is mentioned. */
static void
errors_are_bounded(void **state)
{
	char *errors;
	unsigned int lines = 0;
	struct config *c = repeated("foo", "", 5000, &errors);

	(void)state;
	assert_null(c);
	for (const char *e = errors; *e != '\0'; e++)
		lines += *e == '\n';
	assert_int_equal(lines, 3 * 20 + 1);
	free(errors);
}

static void
files_are_loaded(void **state)
{
	char path[] = "/tmp/postern-config-XXXXXX";
	int fd = mkstemp(path);
	struct config *c;
	struct text t;
	char *errors;

	(void)state;
	assert_true(fd != -1);
	assert_int_equal(write(fd, SMALL, strlen(SMALL)), strlen(SMALL));
	text_open(&t);
	c = config_load(path, t.out);
	assert_non_null(c);
	assert_string_equal(c->path, path);
	config_free(&c);
	/* From its start, wherever the descriptor stands. */
	assert_true(lseek(fd, 0, SEEK_CUR) > 0);
	c = config_load_fd(fd, "name", t.out);
	assert_non_null(c);
	assert_string_equal(c->path, "name");
	config_free(&c);
	close(fd);
	unlink(path);
	assert_null(config_load(path, t.out));
	assert_null(config_load("/", t.out));
	assert_null(config_load_fd(-1, "closed", t.out));
	errors = text_close(&t);
	assert_non_null(strstr(errors, "No such file or directory"));
	assert_non_null(strstr(errors, "Is a directory"));
	assert_non_null(strstr(errors, "closed: Bad file descriptor"));
	free(errors);
}

/* What we hand out as an example has nothing to complain about. */
static void
the_example_is_good(void **state)
{
	char *text = file_text("etc/postern.conf"), *errors;
	struct config *c = parse(text, &errors);

	(void)state;
	assert_string_equal(errors, "");
	assert_non_null(c);
	assert_string_equal(c->listens[0].address, "127.0.0.1");
	config_free(&c);
	free(errors);
	free(text);
}

static void
numbers_have_units(void **state)
{
	static const struct {
		const char *text;
		enum number_unit unit;
		bool good;
		uint64_t value;
	} rows[] = {
		{ "0", NUMBER_PLAIN, true, 0 },
		{ "007", NUMBER_PLAIN, true, 7 },
		{ "18446744073709551615", NUMBER_PLAIN, true, UINT64_MAX },
		{ "18446744073709551616", NUMBER_PLAIN, false, 0 },
		{ "99999999999999999999999", NUMBER_PLAIN, false, 0 },
		{ "1K", NUMBER_PLAIN, false, 0 },
		{ "", NUMBER_PLAIN, false, 0 },
		{ "-1", NUMBER_PLAIN, false, 0 },
		{ "1 ", NUMBER_PLAIN, false, 0 },
		{ "12", NUMBER_SIZE, true, 12 },
		{ "1K", NUMBER_SIZE, true, 1024 },
		{ "3T", NUMBER_SIZE, true, UINT64_C(3) << 40 },
		{ "16777215T", NUMBER_SIZE, true, UINT64_C(16777215) << 40 },
		{ "16777216T", NUMBER_SIZE, false, 0 },
		{ "1KB", NUMBER_SIZE, false, 0 },
		{ "1KK", NUMBER_SIZE, false, 0 },
		{ "1k", NUMBER_SIZE, false, 0 },
		{ "1X", NUMBER_SIZE, false, 0 },
		{ "K", NUMBER_SIZE, false, 0 },
		{ "5s", NUMBER_DURATION, true, 5 },
		{ "5m", NUMBER_DURATION, true, 300 },
		{ "2h", NUMBER_DURATION, true, 7200 },
		{ "1d", NUMBER_DURATION, true, 86400 },
		{ "1w", NUMBER_DURATION, true, 604800 },
		{ "5", NUMBER_DURATION, false, 0 },
		{ "5M", NUMBER_DURATION, false, 0 },
		{ "5min", NUMBER_DURATION, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		uint64_t value = 0;
		int result = number_parse(rows[i].text, rows[i].unit, &value);

		if (result != (rows[i].good ? 0 : -1) ||
		    (rows[i].good && value != rows[i].value))
			fail_msg("%s", rows[i].text);
	}
}

static void
numbers_print_shortest(void **state)
{
	static const struct {
		uint64_t value;
		enum number_unit unit;
		const char *text;
	} rows[] = {
		{ 0, NUMBER_PLAIN, "0" },
		{ 0, NUMBER_SIZE, "0" },
		{ 0, NUMBER_DURATION, "0s" },
		{ 1000, NUMBER_SIZE, "1000" },
		{ 1024, NUMBER_SIZE, "1K" },
		{ 1025, NUMBER_SIZE, "1025" },
		{ UINT64_C(1) << 40, NUMBER_SIZE, "1T" },
		{ 61, NUMBER_DURATION, "61s" },
		{ 120, NUMBER_DURATION, "2m" },
		{ 86400 * 14, NUMBER_DURATION, "2w" },
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		uint64_t value;
		struct text t;
		char *text;

		text_open(&t);
		number_print(t.out, rows[i].value, rows[i].unit);
		text = text_close(&t);
		assert_string_equal(text, rows[i].text);
		assert_int_equal(number_parse(text, rows[i].unit, &value), 0);
		assert_true(value == rows[i].value);
		free(text);
	}
}

static void
distances_are_right(void **state)
{
	static const struct {
		const char *a, *b;
		size_t distance;
	} rows[] = {
		{ "", "", 0 },
		{ "a", "", 1 },
		{ "", "abc", 3 },
		{ "relay", "relay", 0 },
		{ "relay", "realy", 1 }, /* exchanged */
		{ "mailbx", "mailbox", 1 },
		{ "form", "from", 1 },
		{ "vai", "via", 1 },
		{ "kitten", "sitting", 3 },
		{ "abcdef", "ghijkl", 6 },
	};
	char longer[LIMIT_NAME + 2];

	(void)state;
	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_int_equal(
		    words_distance(rows[i].a, rows[i].b, 10), rows[i].distance);
		assert_int_equal(
		    words_distance(rows[i].b, rows[i].a, 10), rows[i].distance);
	}
	assert_int_equal(words_distance("abcdef", "ghijkl", 2), 3);
	memset(longer, 'x', sizeof(longer));
	longer[LIMIT_NAME + 1] = '\0';
	assert_int_equal(words_distance(longer, longer, 4), 5);
	longer[LIMIT_NAME] = '\0';
	assert_int_equal(words_distance(longer, longer, 4), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goldens_come_out_as_before),
		cmocka_unit_test(defaults_are_as_documented),
		cmocka_unit_test(the_host_has_a_name),
		cmocka_unit_test(every_statement_is_kept),
		cmocka_unit_test(printed_text_parses_back),
		cmocka_unit_test(damaged_texts_are_refused_with_words),
		cmocka_unit_test(sizes_are_bounded),
		cmocka_unit_test(counts_are_bounded),
		cmocka_unit_test(errors_are_bounded),
		cmocka_unit_test(files_are_loaded),
		cmocka_unit_test(the_example_is_good),
		cmocka_unit_test(numbers_have_units),
		cmocka_unit_test(numbers_print_shortest),
		cmocka_unit_test(distances_are_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
