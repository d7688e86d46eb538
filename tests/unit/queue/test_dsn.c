/* The parts of a report: fields, status codes, what is read of the original. */
#include "queue/dsn_field.h"
#include "queue/dsn_original.h"
#include "queue/dsn_status.h"
#include "tests/unit/queue/test.h"

static const struct {
	enum dsn_action action;
	const char *reply, *status;
} statuses[] = {
	{ DSN_FAILED, "550 5.1.1 no such user", "5.1.1" },
	{ DSN_FAILED, "550-5.7.26 first\n550 5.7.26 last", "5.7.26" },
	{ DSN_FAILED, "550 no such user", "5.0.0" },
	{ DSN_FAILED, "5.2.2 full", "5.2.2" },
	{ DSN_FAILED, "", "5.0.0" },
	{ DSN_FAILED, "moo", "5.0.0" },
	{ DSN_FAILED, "550 5.1.1234 no", "5.0.0" },
	{ DSN_FAILED, "550 5.1.", "5.0.0" },
	{ DSN_FAILED, "550 5..1 x", "5.0.0" },
	{ DSN_FAILED, "550 5.01.1 x", "5.0.0" },
	{ DSN_FAILED, "550 5.1.01 x", "5.0.0" },
	{ DSN_FAILED, "550 5.1.0 x", "5.1.0" },
	{ DSN_FAILED, "550", "5.0.0" },
	{ DSN_FAILED, "550 2.1.1 liar", "5.0.0" },
	{ DSN_FAILED, "451 4.7.1 later", "5.4.7" },
	{ DSN_FAILED, "4.4.1 nobody answered", "5.4.7" },
	{ DSN_FAILED, "450 later", "5.4.7" },
	/* A number is no code, and one that is wrong is no second answer. */
	{ DSN_FAILED, "550 42 recipients are too many", "5.0.0" },
	{ DSN_FAILED, "554 4.7.1 refused for good", "5.0.0" },
	{ DSN_FAILED, "450 5.1.1 later", "5.1.1" },
	{ DSN_FAILED, "42 is no code", "5.0.0" },
	{ DSN_DELAYED, "450 4.2.1 later", "4.2.1" },
	{ DSN_DELAYED, "450 later", "4.0.0" },
	{ DSN_DELAYED, "", "4.0.0" },
	{ DSN_DELIVERED, "250 2.1.5 ok", "2.1.5" },
	{ DSN_RELAYED, "250 ok", "2.0.0" },
};

static void
test_statuses(void **state)
{
	char status[DSN_STATUS_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(statuses); i++) {
		dsn_status_of(statuses[i].action, statuses[i].reply, status);
		assert_string_equal(status, statuses[i].status);
	}
}

static const struct {
	const char *value, *field;
} fields[] = {
	{ "a b", "X: a b\r\n" },
	{ "  a \t b  ", "X: a b\r\n" },
	{ "a\r\nBcc: b", "X: a Bcc: b\r\n" },
	{ "a\x01\x7f"
	  "b",
	    "X: a b\r\n" },
	{ "gr\xc3\xbc"
	  "n",
	    "X: gr??n\r\n" },
	{ "", "" },
	{ " \r\n", "" },
};

typedef void put_function(FILE *, const char *name, const char *value);

static char *
field_by(put_function *put, const char *value)
{
	char *data = NULL;
	size_t size;
	FILE *out = open_memstream(&data, &size);

	assert_non_null(out);
	put(out, "X", value);
	fclose(out);
	return data;
}

static char *
field_of(const char *value)
{
	return field_by(dsn_field_put, value);
}

static void
test_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fields); i++) {
		char *text = field_of(fields[i].value);

		assert_string_equal(text, fields[i].field);
		free(text);
	}
}

static const struct {
	const char *value, *field;
} exact_fields[] = {
	{ "\"a  b \"@c", "X: \"a  b \"@c\r\n" },
	{ "a\r\nBcc:\t b", "X: a Bcc: b\r\n" },
	{ "  ", "" },
};

/* What is between two words is on one side of a fold only. */
static void
test_exact_fields(void **state)
{
	char value[400], *text, *from, *to;

	(void)state;
	for (size_t i = 0; i < COUNT(exact_fields); i++) {
		text = field_by(dsn_field_put_exact, exact_fields[i].value);
		assert_string_equal(text, exact_fields[i].field);
		free(text);
	}
	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = i % 7 < 4 ? 'x' : ' ';
	value[sizeof(value) - 6] = '\0';
	text = field_by(dsn_field_put_exact_utf8, value);
	assert_true(strstr(text, "\r\n   xxxx") != NULL);
	for (from = to = text; *from != '\0'; from++)
		if (*from != '\r' && *from != '\n')
			*to++ = *from;
	*to = '\0';
	assert_string_equal(text + 3, value);
	free(text);
}

/* However long the text or its words: lines within RFC 5322, all continued. */
static void
check_long_fields(put_function *put)
{
	char value[5001];
	char *text;

	for (unsigned int word = 1; word < 3000; word = word * 2 + 1) {
		memset(value, 'x', sizeof(value) - 1);
		value[sizeof(value) - 1] = '\0';
		for (size_t i = word; i < sizeof(value) - 1; i += word + 1)
			value[i] = ' ';
		text = field_by(put, value);
		for (char *line = text, *end; *line != '\0'; line = end + 2) {
			end = strstr(line, "\r\n");
			assert_non_null(end);
			assert_true(end - line <= 998);
			assert_true(line == text || *line == ' ');
			if (word < 70)
				assert_true(end - line <= 78);
		}
		free(text);
	}
}

static void
test_long_fields(void **state)
{
	(void)state;
	check_long_fields(dsn_field_put);
	check_long_fields(dsn_field_put_exact);
}

static const struct {
	const char *message, *id;
} originals[] = {
	{ "Message-ID: <a@b>\r\n\r\nx", "<a@b>" },
	{ "From: x\r\nmessage-id:<a@b>\r\n\r\n", "<a@b>" },
	{ "Message-ID:\r\n <a@b>\r\nX: y\r\n\r\n", "<a@b>" },
	{ "X: y\r\n Message-ID: <a@b>\r\n\r\n", "" },
	{ "X: y\r\n\r\nMessage-ID: <a@b>\r\n", "" },
	{ "Message-ID: <a b>\r\n\r\n", "" },
	{ "Message-ID: <a<b>\r\n\r\n", "" },
	{ "Message-ID: <>\r\n\r\n", "" },
	{ "Message-ID: <a\r\nX: y>\r\n\r\n", "" },
	{ "Message-ID: <a\xc3\xbc@b>\r\n\r\n", "" },
	{ "Message-ID: <a@b>", "" }, /* cut off */
	{ "", "" },
};

static void
test_message_ids(void **state)
{
	char id[DSN_MESSAGE_ID_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(originals); i++) {
		const char *m = originals[i].message;

		dsn_original_message_id(m, strlen(m), id);
		assert_string_equal(id, originals[i].id);
	}
}

static const struct {
	const char *id;
	bool is_report;
} report_ids[] = {
	{ "<1m8he0aq3a5td.1800000001.report@mail.example.org>", true },
	{ "<x.report@MAIL.example.org>", true },
	{ "<x.report@mail.example.org.uk>", false },
	{ "<x.report@mail.example>", false },
	{ "<x.report@other.example>", false },
	{ "<x@mail.example.org>", false },
	{ "<.report@", false },
	{ "", false },
};

static void
test_reports_are_known(void **state)
{
	char message[256];

	(void)state;
	for (size_t i = 0; i < COUNT(report_ids); i++) {
		snprintf(message, sizeof(message),
		    "Subject: x\r\nMessage-ID: %s\r\n\r\n", report_ids[i].id);
		assert_int_equal(dsn_original_is_report(message,
				     strlen(message), "mail.example.org"),
		    report_ids[i].is_report);
	}
	assert_false(dsn_original_is_report("", 0, "mail.example.org"));
}

static void
test_what_is_sound(void **state)
{
	char line[1002];
	bool is_8bit;

	(void)state;
	assert_true(dsn_original_is_sound("", 0, &is_8bit));
	assert_true(dsn_original_is_sound("a\r\n\r\n", 5, &is_8bit));
	assert_false(is_8bit);
	assert_true(dsn_original_is_sound("\xfc\r\n", 3, &is_8bit));
	assert_true(is_8bit);
	assert_false(dsn_original_is_sound("a\n", 2, &is_8bit));
	assert_false(dsn_original_is_sound("a\rb\r\n", 5, &is_8bit));
	assert_false(dsn_original_is_sound("a\0b\r\n", 5, &is_8bit));
	assert_false(dsn_original_is_sound("a", 1, &is_8bit));
	memset(line, 'x', sizeof(line));
	memcpy(line + 998, "\r\n", 2);
	assert_true(dsn_original_is_sound(line, 1000, &is_8bit));
	memcpy(line + 998, "xx\r\n", 4);
	assert_false(dsn_original_is_sound(line, 1002, &is_8bit));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_exact_fields),
		cmocka_unit_test(test_long_fields),
		cmocka_unit_test(test_message_ids),
		cmocka_unit_test(test_reports_are_known),
		cmocka_unit_test(test_what_is_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
