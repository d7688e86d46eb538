#include "tests/unit/queue/test.h"

#include <bsd/string.h>

#include "common/content.h"
#include "queue/dsn_report.h"

static const char original[] = "Received: from a by b;\r\n"
			       "\tMon, 1 Jan 2026 00:00:00 +0000\r\n"
			       "Message-ID:\r\n <one@example.net>\r\n"
			       "Subject: hello\r\n"
			       "\r\n"
			       "The body.\r\n";

static struct dsn_recipient
failed(void)
{
	return (struct dsn_recipient){
		.action = DSN_FAILED,
		.address = "b@example.org",
		.original = "b@example.org",
		.orcpt = "",
		.host = "mx.example.org",
		.reply = "550 5.1.1 No such user",
		.last = 1800000000,
	};
}

static struct dsn_report
report_of(const struct dsn_recipient *recipients, unsigned int count)
{
	return (struct dsn_report){
		.hostname = "mail.example.net",
		.id = "0123456789ABC",
		.to = "a@example.net",
		.sender = "a@example.net",
		.envid = "",
		.arrival = 1799999000,
		.now = 1800000001,
		.recipients = recipients,
		.count = count,
		.original = original,
		.original_length = sizeof(original) - 1,
		.original_is_whole = true,
	};
}

/* Reports are for other people's programs: tests/hostile/test_report.py reads
 * all of them with such a one, from the folder that it names here. */
static void
keep(const char *text)
{
	static unsigned int number;
	const char *folder = getenv("DSN_REPORTS");
	char path[512];
	FILE *file;

	if (folder == NULL)
		return;
	snprintf(path, sizeof(path), "%s/%u.eml", folder, number++);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

/* The report as a text; to be freed. */
static char *
text_of(const struct dsn_report *report, struct dsn_made *made)
{
	int fd = dsn_report_make(report, made);
	const uint8_t *map;
	char *text;

	assert_true(fd >= 0);
	assert_int_equal(content_check(fd, made->size), 0);
	map = content_map(fd, made->size);
	assert_non_null(map);
	text = strndup((const char *)map, (size_t)made->size);
	assert_non_null(text);
	/* No NUL has cut it short. */
	assert_int_equal(strlen(text), made->size);
	content_unmap(map, made->size);
	close(fd);
	keep(text);
	return text;
}

/* What RFC 5322 asks of every line, whatever went in. */
static void
check_lines(const char *text, bool is_8bit)
{
	const char *end;

	for (; *text != '\0'; text = end + 2) {
		end = strstr(text, "\r\n");
		assert_non_null(end);
		assert_true(end - text <= 998);
		for (; text < end; text++)
			assert_true(*text == '\t' || (*text & 0x80) != 0
					? *text == '\t' || is_8bit
					: *text >= ' ' && *text != 0x7f);
	}
}

static bool
has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

static void
test_a_failure_says_what_it_is(void **state)
{
	struct dsn_recipient to = failed();
	struct dsn_report report = report_of(&to, 1);
	struct dsn_made made;
	char *text = text_of(&report, &made);

	(void)state;
	check_lines(text, false);
	assert_true(has(text, "From: Mail system "
			      "<MAILER-DAEMON@mail.example.net>\r\n"));
	assert_true(has(text, "\r\nTo: <a@example.net>\r\n"));
	assert_true(has(text, "\r\nAuto-Submitted: auto-replied\r\n"));
	assert_true(has(text, "\r\nIn-Reply-To: <one@example.net>\r\n"));
	assert_true(has(text, "\r\nReferences: <one@example.net>\r\n"));
	assert_true(has(text, "\r\nAction: failed\r\nStatus: 5.1.1\r\n"));
	assert_true(has(text, "\r\nReporting-MTA: dns; mail.example.net\r\n"));
	assert_true(has(text, "\r\nRemote-MTA: dns; mx.example.org\r\n"));
	assert_true(
	    has(text, "\r\nDiagnostic-Code: smtp; 550 5.1.1 No such user\r\n"));
	assert_true(has(
	    text, "\r\nLast-Attempt-Date: Fri, 15 Jan 2027 08:00:00 +0000"));
	assert_true(has(text, "\r\nContent-Type: message/rfc822\r\n"));
	assert_true(has(text, "\r\nThe body.\r\n"));
	assert_false(has(text, "Will-Retry-Until"));
	assert_false(has(text, "Original-Recipient"));
	assert_false(has(text, "Original-Envelope-Id"));
	free(text);
}

static void
test_a_delay_asks_for_patience(void **state)
{
	struct dsn_recipient to = failed();
	struct dsn_report report = report_of(&to, 1);
	struct dsn_made made;
	char *text;

	(void)state;
	to.action = DSN_DELAYED;
	to.reply = "450 later";
	to.retry_until = 1800003600;
	report.ret = DSN_RET_FULL;
	text = text_of(&report, &made);
	assert_true(has(text, "you need not send it again"));
	assert_true(has(text, "\r\nAction: delayed\r\nStatus: 4.0.0\r\n"));
	assert_true(
	    has(text, "\r\nWill-Retry-Until: Fri, 15 Jan 2027 09:00:00 +0000"));
	assert_true(has(text, "\r\nContent-Type: text/rfc822-headers;"));
	assert_false(has(text, "The body."));
	free(text);
}

static void
test_what_the_client_asked_for_comes_back(void **state)
{
	struct dsn_recipient to = failed();
	struct dsn_report report = report_of(&to, 1);
	struct dsn_made made;
	char *text;

	(void)state;
	to.orcpt = "rfc822;list+2Bx@example.org";
	report.envid = "QQ+2B314";
	report.ret = DSN_RET_HDRS;
	text = text_of(&report, &made);
	assert_true(
	    has(text, "\r\nOriginal-Recipient: rfc822;list+x@example.org\r\n"));
	assert_true(has(text, "\r\nOriginal-Envelope-Id: QQ+314\r\n"));
	assert_true(has(text, "\r\nSubject: hello\r\n"));
	assert_false(has(text, "The body."));
	free(text);
}

static void
test_a_large_message_comes_back_by_its_header(void **state)
{
	static char large[DSN_RETURN_MOST + 2];
	struct dsn_recipient to = failed();
	struct dsn_report report = report_of(&to, 1);
	struct dsn_made made;
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(large); i += 2)
		memcpy(large + i, i % 64 == 62 ? "\r\n" : "zz", 2);
	memcpy(large, "Subject: x\r\n\r\n", 14);
	report.original = large;
	report.original_length = DSN_RETURN_MOST;
	text = text_of(&report, &made);
	assert_true(has(text, "message/rfc822\r\n"));
	assert_true(has(text, "zzzz"));
	free(text);
	report.original_length = DSN_RETURN_MOST + 2;
	text = text_of(&report, &made);
	assert_false(has(text, "message/rfc822\r\n"));
	assert_false(has(text, "zzzz"));
	free(text);
}

/* A sender of strange mail gets it back by its header, or marked as it is. */
static void
test_content_of_every_kind_is_lawful(void **state)
{
	static const struct {
		const char *data;
		size_t length;
		bool whole, is_8bit;
	} cases[] = {
#define CASE(text, whole, is_8bit) { text, sizeof(text) - 1, whole, is_8bit }
		CASE("A: b\r\n\r\n\xc3\xa9\r\n", true, true),
		CASE("A: \xc3\xa9\r\n\r\nx\r\n", true, true),
		CASE("A: b\r\n\r\nbare\rreturn\r\n", false, false),
		CASE("A: b\r\n\r\nbare\nfeed\r\n", false, false),
		CASE("A: b\r\n\r\nnul\0\r\n", false, false),
		CASE("A: b\r\n\r\nno end", false, false),
		CASE("A: b\0\x01\x7f\xff\r\n\r\nnul\0\r\n", false, false),
		CASE("no end", false, false),
		CASE("", true, false),
#undef CASE
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dsn_recipient to = failed();
		struct dsn_report report = report_of(&to, 1);
		struct dsn_made made;
		char *text;

		report.original = cases[i].data;
		report.original_length = cases[i].length;
		text = text_of(&report, &made);
		check_lines(text, made.is_8bit);
		assert_int_equal(made.is_8bit, cases[i].is_8bit);
		assert_int_equal(
		    has(text, "message/rfc822\r\n"), cases[i].whole);
		assert_int_equal(
		    has(text, "Transfer-Encoding: 8bit\r\n"), cases[i].is_8bit);
		free(text);
	}
}

static void
test_a_message_that_cannot_be_read_is_reported(void **state)
{
	struct dsn_recipient to = failed();
	struct dsn_report report = report_of(&to, 1);
	struct dsn_made made;
	char *text;

	(void)state;
	report.original = NULL;
	report.original_length = 0;
	text = text_of(&report, &made);
	assert_true(has(text, "Action: failed"));
	assert_false(has(text, "rfc822-headers"));
	assert_false(has(text, "In-Reply-To"));
	free(text);
}

/* Nothing in a reply becomes a field, a boundary or a line that is too long. */
static void
test_replies_cannot_break_out(void **state)
{
	static char reply[8001];
	static const char evil[] =
	    "550 5.1.1 x\r\nAction: delivered\r\n\r\n"
	    "--=_report_0123456789ABC_0\r\nFrom: <evil@example.org>\r\n"
	    "\x01\x1b[31m\x7f\xff\xfe\t end";
	struct dsn_recipient to = failed();
	struct dsn_report report = report_of(&to, 1);
	struct dsn_made made;
	char *text;

	(void)state;
	to.reply = evil;
	text = text_of(&report, &made);
	check_lines(text, false);
	assert_false(has(text, "\r\nAction: delivered"));
	assert_false(has(text, "\r\nFrom: <evil"));
	assert_true(has(text, "\r\nStatus: 5.1.1\r\n"));
	free(text);
	memset(reply, 'y', sizeof(reply) - 1);
	/* cppcheck-suppress redundantAssignment; `report` has its address */
	to.reply = reply;
	text = text_of(&report, &made);
	check_lines(text, false);
	assert_true(has(text, "\r\nDiagnostic-Code: x-postern;\r\n yyy"));
	free(text);
}

static unsigned int
count_of(const char *text, const char *part)
{
	unsigned int count = 0;

	while ((text = strstr(text, part)) != NULL) {
		count++;
		text += strlen(part);
	}
	return count;
}

/* Whoever knows how boundaries are made puts them into the message. */
static void
test_the_boundary_is_not_in_the_content(void **state)
{
	static const char mail[] = "A: =_report_0123456789ABC_0\r\n\r\n"
				   "--=_report_0123456789ABC_0--\r\n"
				   "--=_report_0123456789ABC_1--\r\n";
	struct dsn_recipient to = failed();
	struct dsn_report report = report_of(&to, 1);
	struct dsn_made made;
	char *text;

	(void)state;
	report.original = mail;
	report.original_length = sizeof(mail) - 1;
	text = text_of(&report, &made);
	assert_true(has(text, "boundary=\"=_report_0123456789ABC_2\""));
	assert_int_equal(count_of(text, "\r\n--=_report_0123456789ABC_2"), 4);
	free(text);
}

/* A CR that is left out would make one of what was none. */
static void
test_the_boundary_is_not_made_of_the_header(void **state)
{
	static const char mail[] = "A: b\r\n--=_report_\r0123456789ABC_0\r\n"
				   "C: d\r\r\n\r\nx\r\n";
	struct dsn_recipient to = failed();
	struct dsn_report report = report_of(&to, 1);
	struct dsn_made made;
	char *text;

	(void)state;
	report.original = mail;
	report.original_length = sizeof(mail) - 1;
	text = text_of(&report, &made);
	assert_int_equal(count_of(text, "--=_report_0123456789ABC_0"), 4);
	assert_true(has(text, "\r\n--=_report_?0123456789ABC_0\r\n"));
	free(text);
}

/* What is behind a line's 990th octet stays in its field. */
static void
test_a_long_field_comes_back_folded(void **state)
{
	static char mail[4096];
	struct dsn_recipient to = failed();
	struct dsn_report report = report_of(&to, 1);
	struct dsn_made made;
	char *text;

	(void)state;
	memset(mail, 'x', 990);
	memcpy(mail, "Subject: ", 9);
	strlcpy(mail + 990, "Bcc: victim@example.org\r\n\r\n", 64);
	report.original = mail;
	report.original_length = strlen(mail);
	report.ret = DSN_RET_HDRS;
	text = text_of(&report, &made);
	check_lines(text, false);
	assert_true(has(text, "xxx\r\n Bcc: victim"));
	free(text);
}

static void
test_message_ids_of_strangers(void **state)
{
	static const struct {
		const char *mail, *id;
	} cases[] = {
		{ "Message-Id: <a@b>\r\n\r\n", "<a@b>" },
		{ "MESSAGE-ID: (x) <a@b> y\r\n\r\n", "<a@b>" },
		{ "Message-ID: <a b>\r\n\r\n", "" },
		{ "Message-ID: <a\x01@b>\r\n\r\n", "" },
		{ "Message-ID: <\xc3\xa9@b>\r\n\r\n", "" },
		{ "Message-ID: <>\r\n\r\n", "" },
		{ "Message-ID: a@b\r\nX: <c@d>\r\n\r\n", "" },
		{ "\r\nMessage-ID: <a@b>\r\n", "" },
		{ "Message-ID: <a@b>", "" },
		{ "X-Message-ID: <a@b>\r\n\r\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dsn_recipient to = failed();
		struct dsn_report report = report_of(&to, 1);
		struct dsn_made made;
		char field[64], *text;

		report.original = cases[i].mail;
		report.original_length = strlen(cases[i].mail);
		text = text_of(&report, &made);
		snprintf(field, sizeof(field), "\r\nReferences: %s\r\n",
		    cases[i].id);
		assert_int_equal(
		    has(text, "\r\nReferences:"), cases[i].id[0] != '\0');
		if (cases[i].id[0] != '\0')
			assert_true(has(text, field));
		free(text);
	}
}

/* The address before the aliases here is none that the client gave as the
 * original one; and no remote host took part in what failed at home. */
static void
test_fields_that_must_not_be_there(void **state)
{
	struct dsn_recipient to = failed();
	struct dsn_report report = report_of(&to, 1);
	struct dsn_made made;
	char *text;

	(void)state;
	to.original = "list@example.net";
	to.host = "mail.example.net";
	to.reply = "5.1.1 No such user";
	to.last = 0;
	text = text_of(&report, &made);
	assert_false(has(text, "Original-Recipient"));
	assert_false(has(text, "Remote-MTA"));
	assert_false(has(text, "Last-Attempt-Date"));
	assert_true(has(text, "\r\nX-Postern-Sent-To: rfc822; "
			      "list@example.net\r\n"));
	assert_true(has(text, "(you wrote to <list@example.net>)"));
	assert_true(has(text, "This host says:\r\n"));
	assert_true(has(text, "\r\nStatus: 5.1.1\r\n"));
	free(text);
}

static void
test_remote_hosts(void **state)
{
	static const struct {
		const char *host, *name;
	} cases[] = {
		{ "mx.example.org[192.0.2.1]:25", "dns; mx.example.org" },
		{ "mx.example.org", "dns; mx.example.org" },
		{ "mx.example.org [192.0.2.1]", "dns; mx.example.org" },
		{ "[192.0.2.1]:25", "dns; [192.0.2.1]" },
		{ "[2001:db8::1]:25", "dns; [IPv6:2001:db8::1]" },
		{ "[192.0.2.1", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dsn_recipient to = failed();
		struct dsn_report report = report_of(&to, 1);
		struct dsn_made made;
		char field[64], *text;

		to.host = cases[i].host;
		text = text_of(&report, &made);
		snprintf(field, sizeof(field), "\r\nRemote-MTA: %s\r\n",
		    cases[i].name == NULL ? "" : cases[i].name);
		assert_int_equal(
		    has(text, "Remote-MTA"), cases[i].name != NULL);
		assert_int_equal(has(text, field), cases[i].name != NULL);
		free(text);
	}
}

/* Whoever reads it sees why there is no more of the message. */
static void
test_why_the_message_does_not_come_back(void **state)
{
	static const struct {
		const char *mail, *words;
		uint8_t ret;
		bool whole;
	} cases[] = {
		{ original, "The message follows.", DSN_RET_NONE, true },
		{ original, "too large to come back", DSN_RET_FULL, false },
		{ original, "The header of the message follows.", DSN_RET_HDRS,
		    true },
		{ "A: b\r\n\r\nx\ny\r\n", "holds what cannot be sent back",
		    DSN_RET_FULL, true },
		{ NULL, "cannot be read any more", DSN_RET_NONE, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dsn_recipient to = failed();
		struct dsn_report report = report_of(&to, 1);
		struct dsn_made made;
		char *text;

		report.ret = cases[i].ret;
		report.original = cases[i].mail;
		report.original_length =
		    cases[i].mail == NULL ? 0 : strlen(cases[i].mail);
		report.original_is_whole = cases[i].whole;
		text = text_of(&report, &made);
		assert_true(has(text, cases[i].words));
		assert_int_equal(has(text, "message/rfc822\r\n"), i == 0);
		free(text);
	}
}

/* What people read: of which message, and each line of the answer. */
static void
test_words(void **state)
{
	struct dsn_recipient to = failed();
	struct dsn_report report = report_of(&to, 1);
	struct dsn_made made;
	char *text;

	(void)state;
	to.reply = "550-5.1.1 No such user\r\n550 5.1.1 See the list";
	text = text_of(&report, &made);
	assert_true(has(text, "with the subject:\r\n\r\n    hello\r\n"));
	assert_true(has(text, "    mx.example.org said:\r\n"
			      "        550-5.1.1 No such user\r\n"
			      "        550 5.1.1 See the list\r\n"));
	assert_false(has(text, "no final answer"));
	free(text);
	/* cppcheck-suppress redundantAssignment; `report` has its address */
	to.reply = "554 4 recipients are too many";
	text = text_of(&report, &made);
	assert_false(has(text, "no final answer"));
	free(text);
	/* cppcheck-suppress redundantAssignment; `report` has its address */
	to.reply = "4.4.1 connect: Connection refused";
	text = text_of(&report, &made);
	assert_true(has(text, "The attempt with mx.example.org failed:\r\n"));
	assert_true(has(text, "no final answer"));
	assert_true(has(text, "\r\nStatus: 5.4.7\r\n"));
	assert_true(has(text, "\r\nDiagnostic-Code: x-postern; 4.4.1"));
	free(text);
}

static void
test_subjects_of_strangers(void **state)
{
	static const struct {
		const char *mail, *line;
	} cases[] = {
		{ "Subject: a b\r\n\r\n", "\r\n    a b\r\n" },
		{ "subject:a\r\n\tb \r\n\r\n", "\r\n    a b\r\n" },
		{ "Subject: =?utf-8?q?=41?=\r\n\r\n", NULL },
		{ "Subject: gr\xc3\xbcn\r\n\r\n", NULL },
		{ "Subject: a\x1b[2J\r\n\r\n", NULL },
		{ "Subject:\r\n\r\n", NULL },
		{ "\r\nSubject: a\r\n\r\n", NULL },
		{ "Subject: a", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct dsn_recipient to = failed();
		struct dsn_report report = report_of(&to, 1);
		struct dsn_made made;
		char *text;

		report.original = cases[i].mail;
		report.original_length = strlen(cases[i].mail);
		text = text_of(&report, &made);
		assert_int_equal(
		    has(text, "the subject:"), cases[i].line != NULL);
		if (cases[i].line != NULL)
			assert_true(has(text, cases[i].line));
		free(text);
	}
}

/* -- RFC 6533 -------------------------------------------------------------- */

#define UE "\xc3\xbc"
#define UTF8_MAIL \
	"Subject: gr" UE "n\r\nMessage-ID: <a@b>\r\n\r\nThe b" UE "dy.\r\n"

/* Whoever has an ordinary address can read it with any program: characters
 * are spelt out in the fields, and stand in the words. */
static void
test_a_utf8_recipient_of_an_ordinary_sender(void **state)
{
	struct dsn_recipient to = failed();
	struct dsn_report report = report_of(&to, 1);
	struct dsn_made made;
	char *text;

	(void)state;
	to.address = "j" UE "rg+a\\b=c@ex" UE "mple.org";
	to.original = to.address;
	to.orcpt = "utf-8;j\\x{FC}rg@example.org";
	text = text_of(&report, &made);
	check_lines(text, true);
	assert_true(made.is_8bit);
	assert_false(made.is_utf8);
	assert_true(has(text, "\r\nContent-Type: text/plain; charset=utf-8\r\n"
			      "Content-Transfer-Encoding: 8bit\r\n"));
	assert_true(has(text, "    <j" UE "rg+a\\b=c@ex" UE "mple.org>\r\n"));
	assert_true(has(text, "\r\nContent-Type: message/delivery-status\r\n"
			      "Content-Transfer-Encoding: 7bit\r\n"));
	assert_true(has(text,
	    "\r\nFinal-Recipient: utf-8; "
	    "j\\x{FC}rg\\x{2B}a\\x{5C}b\\x{3D}c@ex\\x{FC}mple.org\r\n"));
	assert_true(has(text, "\r\nOriginal-Recipient: "
			      "utf-8;j\\x{FC}rg@example.org\r\n"));
	free(text);
}

static void
test_a_utf8_sender(void **state)
{
	struct dsn_recipient to = failed();
	struct dsn_report report = report_of(&to, 1);
	struct dsn_made made;
	char *text;

	(void)state;
	report.to = report.sender = "a" UE "@example.net";
	report.original = UTF8_MAIL;
	report.original_length = sizeof(UTF8_MAIL) - 1;
	to.address = to.original = "j" UE "rg@example.org";
	to.orcpt = "UTF-8;j\\x{FC}rg\\x{20}\\x{1F4E7}@example.org";
	text = text_of(&report, &made);
	check_lines(text, true);
	assert_true(made.is_8bit);
	assert_true(made.is_utf8);
	assert_true(has(text, "\r\nTo: <a" UE "@example.net>\r\n"));
	assert_true(
	    has(text, "\r\nContent-Type: message/global-delivery-status\r\n"
		      "Content-Transfer-Encoding: 8bit\r\n"));
	assert_true(
	    has(text, "\r\nFinal-Recipient: utf-8; j" UE "rg@example.org\r\n"));
	assert_true(has(text, "\r\nOriginal-Recipient: UTF-8;j" UE
			      "rg \xf0\x9f\x93\xa7@example.org\r\n"));
	assert_true(has(text, "\r\nContent-Type: message/global\r\n"
			      "Content-Transfer-Encoding: 8bit\r\n"));
	assert_true(has(text, "\r\nSubject: gr" UE "n\r\n"));
	free(text);
	report.ret = DSN_RET_HDRS;
	text = text_of(&report, &made);
	check_lines(text, true);
	assert_true(has(text, "\r\nContent-Type: message/global-headers\r\n"
			      "Content-Transfer-Encoding: 8bit\r\n"));
	assert_true(has(text, "\r\nSubject: gr" UE "n\r\n"));
	assert_false(has(text, "The b"));
	free(text);
	/* An ordinary message of his, to an ordinary recipient. */
	report.original = original;
	report.original_length = sizeof(original) - 1;
	to = failed();
	text = text_of(&report, &made);
	assert_true(has(text, "\r\nContent-Type: text/rfc822-headers;"));
	assert_true(
	    has(text, "\r\nFinal-Recipient: rfc822; b@example.org\r\n"));
	free(text);
}

/* A reply that is UTF-8 is read by people as it came; programs have it in 7-bit.
 * One that is no UTF-8 is 7-bit to both. */
static void
test_replies_in_other_languages(void **state)
{
	struct dsn_recipient to = failed();
	struct dsn_report report = report_of(&to, 1);
	struct dsn_made made;
	char *text;

	(void)state;
	to.reply = "550-5.1.1 gr" UE "n\r\n550 5.1.1 \x1b[31mrot";
	text = text_of(&report, &made);
	check_lines(text, true);
	assert_true(made.is_8bit);
	assert_false(made.is_utf8);
	assert_true(has(text, "Content-Type: text/plain; charset=utf-8\r\n"
			      "Content-Transfer-Encoding: 8bit\r\n"));
	assert_true(has(text, "        550-5.1.1 gr" UE "n\r\n"
			      "        550 5.1.1 [31mrot\r\n"));
	assert_true(has(text, "smtp; 550-5.1.1 gr??n 550 5.1.1"));
	free(text);
	/* cppcheck-suppress redundantAssignment; `report` has its address */
	to.reply = "550-5.1.1 gr" UE "n\r\n550 5.1.1 gr\xfcn";
	text = text_of(&report, &made);
	check_lines(text, false);
	assert_false(made.is_8bit);
	assert_true(has(text, "        550 5.1.1 gr?n\r\n"));
	free(text);
}

/* Whoever copies an address from there has the address. */
static void
test_addresses_are_not_parted(void **state)
{
	static const char address[] =
	    "\"a  b  and some more words that would not fit on one line of 76 "
	    "octets\"@example.org";
	struct dsn_recipient to = failed();
	struct dsn_report report = report_of(&to, 1);
	struct dsn_made made;
	char line[256], *text;

	(void)state;
	to.address = to.original = address;
	text = text_of(&report, &made);
	snprintf(line, sizeof(line), "\r\n    <%s>\r\n", address);
	assert_true(has(text, line));
	free(text);
}

/* What has the type of UTF-8 and is none, or pretends to be a line. */
static void
test_addresses_that_are_no_utf8(void **state)
{
	static const struct {
		const char *orcpt, *field;
	} cases[] = {
		{ "utf-8;a\\x{D800}@b", "utf-8;a\\x{D800}@b" },
		{ "utf-8;a\\x{110000}@b", "utf-8;a\\x{110000}@b" },
		{ "utf-8;a\\x{@b", "utf-8;a\\x{@b" },
		{ "utf-8;a\\x{}@b", "utf-8;a\\x{}@b" },
		{ "utf-8;a\\x{00}@b", "utf-8;a\\x{00}@b" },
		{ "utf-8;a\\x{0D}\\x{0A}Bcc:x@b", "utf-8;a Bcc:x@b" },
		{ "utf-8;a\\x{202E}@b", "utf-8;a?@b" },
		{ "x;a\\x{FC}@b", "x;a\\x{FC}@b" },
	};
	struct dsn_recipient to = failed();
	struct dsn_report report = report_of(&to, 1);
	struct dsn_made made;
	char field[128], *text;

	(void)state;
	report.to = "a" UE "@example.net";
	for (size_t i = 0; i < COUNT(cases); i++) {
		to.orcpt = cases[i].orcpt;
		text = text_of(&report, &made);
		snprintf(field, sizeof(field), "\r\nOriginal-Recipient: %s\r\n",
		    cases[i].field);
		assert_true(has(text, field));
		free(text);
	}
	/* Latin-1. */
	/* cppcheck-suppress redundantAssignment; `report` has its address */
	to.orcpt = "";
	to.address = to.original = "a\xfc@example.org";
	report.to = "a@example.net";
	text = text_of(&report, &made);
	check_lines(text, false);
	assert_true(
	    has(text, "\r\nFinal-Recipient: rfc822; a?@example.org\r\n"));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_failure_says_what_it_is),
		cmocka_unit_test(test_a_delay_asks_for_patience),
		cmocka_unit_test(test_what_the_client_asked_for_comes_back),
		cmocka_unit_test(test_a_large_message_comes_back_by_its_header),
		cmocka_unit_test(test_content_of_every_kind_is_lawful),
		cmocka_unit_test(
		    test_a_message_that_cannot_be_read_is_reported),
		cmocka_unit_test(test_replies_cannot_break_out),
		cmocka_unit_test(test_the_boundary_is_not_in_the_content),
		cmocka_unit_test(test_the_boundary_is_not_made_of_the_header),
		cmocka_unit_test(test_a_long_field_comes_back_folded),
		cmocka_unit_test(test_message_ids_of_strangers),
		cmocka_unit_test(test_fields_that_must_not_be_there),
		cmocka_unit_test(test_remote_hosts),
		cmocka_unit_test(test_why_the_message_does_not_come_back),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_subjects_of_strangers),
		cmocka_unit_test(test_a_utf8_recipient_of_an_ordinary_sender),
		cmocka_unit_test(test_a_utf8_sender),
		cmocka_unit_test(test_replies_in_other_languages),
		cmocka_unit_test(test_addresses_are_not_parted),
		cmocka_unit_test(test_addresses_that_are_no_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
