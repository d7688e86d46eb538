#include "tests/unit/queue/test.h"

#include "queue/store_row_private.h"

static const struct row_message message = {
	.arrival = 1800000000123,
	.size = 4096,
	.sender = "a@example.net",
	.client_address = "192.0.2.1",
	.helo = "client",
	.user = "login",
	.protocol = SMTP_PROTOCOL_ESMTPSA,
	.body = SMTP_BODY_8BITMIME,
	.recipients = 3,
	.open = 2,
	.digest = UINT64_C(0xfedcba9876543210),
	.ret = DSN_RET_HDRS,
	.envid = "QQ314159",
};
static const struct row_recipient recipient = {
	.address = "b@example.org",
	.original = "alias@example.org",
	.kind = ROUTE_MAILBOX,
	.name = "people",
	.user = "b",
	.destination = "local:b",
	.state = RECIPIENT_HELD,
	.attempts = 4,
	.due = 1800000300,
	.host = "mx.example.org",
	.reply = "450-4.2.1 first\r\n450 4.2.1 second",
	.notify = DSN_NOTIFY_SUCCESS | DSN_NOTIFY_DELAY,
	.orcpt = "rfc822;alias+2Bx@example.org",
	.told = DSN_TOLD_DELAY | DSN_TOLD_RELAYED,
};
static const struct row_destination destination = {
	.waiting = 200000,
	.held = 1,
	.failed = 2,
	.wake = 1800000300,
	.backoff_until = 1800000300,
	.failures = 7,
	.reply = "connection refused",
};
static const struct row_event event = {
	.time = 1800000000,
	.what = EVENT_DEFERRED,
	.recipient = 3,
	.address = "b@example.org",
	.original = "alias@example.org",
	.destination = "local:b",
	.route = ROUTE_MX + 1,
	.name = "people",
	.owner = "bob",
	.rule = 31,
	.via = "alias\tpeople\taliases\t/etc/aliases\t7",
	.sender = "s@example.net",
	.helo = "client",
	.user = "sue",
	.protocol = SMTP_PROTOCOL_ESMTPSA + 1,
	.size = 123,
	.config = "/etc/postern/postern.conf",
	.host = "h",
	.peer = "2001:db8::1",
	.port = 25,
	.tls_version = "TLSv1.3",
	.tls_cipher = "TLS_AES_256_GCM_SHA384",
	.detail = "d",
	.took = 1500,
	.attempt = 2,
	.next_try = 1800000300,
	.by = 1001,
	.report = 77,
	.dropped = 5,
};
static const struct row_totals totals = { 1, 2, 3, 4, 5 };

/* What goes out again in a command line is never believed. */
static void
test_dsn_that_no_client_gave(void **state)
{
	static const char *const envids[] = { "a b", "a\r\nDATA", "+4", "a=b",
		"\x7f" };
	static const char *const orcpts[] = { "b@example.org", "rfc822;a b",
		"rfc822;a\r\nDATA", ";b", "rfc822;+zz" };
	uint8_t value[ROW_VALUE_SIZE];
	struct row_message m = message, m_back;
	struct row_recipient r = recipient, r_back;

	(void)state;
	for (size_t i = 0; i < COUNT(envids); i++) {
		m.envid = envids[i];
		errno = 0;
		assert_int_equal(row_message_decode(&m_back, value,
				     row_message_encode(&m, value)),
		    -1);
		assert_int_equal(errno, EBADMSG);
	}
	for (size_t i = 0; i < COUNT(orcpts); i++) {
		r.orcpt = orcpts[i];
		errno = 0;
		assert_int_equal(row_recipient_decode(&r_back, value,
				     row_recipient_encode(&r, value)),
		    -1);
		assert_int_equal(errno, EBADMSG);
	}
	r = recipient;
	r.told = 0x80;
	assert_int_equal(row_recipient_decode(
			     &r_back, value, row_recipient_encode(&r, value)),
	    -1);
}

static void
test_rows_come_back(void **state)
{
	uint8_t value[ROW_VALUE_SIZE];
	struct row_message m;
	struct row_recipient r;
	struct row_destination d;
	struct row_event e;
	struct row_totals t;
	size_t length;

	(void)state;
	length = row_message_encode(&message, value);
	assert_int_equal(row_message_decode(&m, value, length), 0);
	assert_int_equal(m.arrival, message.arrival);
	assert_int_equal(m.size, message.size);
	assert_string_equal(m.sender, message.sender);
	assert_string_equal(m.client_address, message.client_address);
	assert_string_equal(m.helo, message.helo);
	assert_string_equal(m.user, message.user);
	assert_int_equal(m.protocol, message.protocol);
	assert_int_equal(m.body, message.body);
	assert_int_equal(m.recipients, 3);
	assert_int_equal(m.open, 2);
	assert_true(m.digest == message.digest);
	assert_int_equal(m.ret, DSN_RET_HDRS);
	assert_string_equal(m.envid, message.envid);

	length = row_recipient_encode(&recipient, value);
	assert_int_equal(row_recipient_decode(&r, value, length), 0);
	assert_string_equal(r.address, recipient.address);
	assert_string_equal(r.original, recipient.original);
	assert_int_equal(r.kind, recipient.kind);
	assert_string_equal(r.name, recipient.name);
	assert_string_equal(r.user, recipient.user);
	assert_string_equal(r.destination, recipient.destination);
	assert_int_equal(r.state, recipient.state);
	assert_int_equal(r.attempts, recipient.attempts);
	assert_int_equal(r.due, recipient.due);
	assert_string_equal(r.host, recipient.host);
	assert_string_equal(r.reply, recipient.reply);
	assert_int_equal(r.notify, recipient.notify);
	assert_string_equal(r.orcpt, recipient.orcpt);
	assert_int_equal(r.told, DSN_TOLD_DELAY | DSN_TOLD_RELAYED);

	length = row_destination_encode(&destination, value);
	assert_int_equal(row_destination_decode(&d, value, length), 0);
	assert_int_equal(d.waiting, destination.waiting);
	assert_int_equal(d.held, destination.held);
	assert_int_equal(d.failed, destination.failed);
	assert_int_equal(d.wake, destination.wake);
	assert_int_equal(d.backoff_until, destination.backoff_until);
	assert_int_equal(d.failures, destination.failures);
	assert_string_equal(d.reply, destination.reply);

	length = row_event_encode(&event, value);
	assert_int_equal(row_event_decode(&e, value, length), 0);
	assert_int_equal(e.time, event.time);
	assert_int_equal(e.what, event.what);
	assert_string_equal(e.address, event.address);
	assert_string_equal(e.detail, event.detail);
	assert_int_equal(e.recipient, 3);
	assert_string_equal(e.original, event.original);
	assert_string_equal(e.destination, event.destination);
	assert_int_equal(e.route, event.route);
	assert_string_equal(e.name, event.name);
	assert_string_equal(e.owner, event.owner);
	assert_int_equal(e.rule, 31);
	assert_string_equal(e.via, event.via);
	assert_string_equal(e.sender, event.sender);
	assert_string_equal(e.helo, event.helo);
	assert_string_equal(e.user, event.user);
	assert_int_equal(e.protocol, event.protocol);
	assert_int_equal(e.size, 123);
	assert_string_equal(e.config, event.config);
	assert_string_equal(e.host, event.host);
	assert_string_equal(e.peer, event.peer);
	assert_int_equal(e.port, 25);
	assert_string_equal(e.tls_version, event.tls_version);
	assert_string_equal(e.tls_cipher, event.tls_cipher);
	assert_int_equal(e.took, 1500);
	assert_int_equal(e.attempt, 2);
	assert_int_equal(e.next_try, event.next_try);
	assert_int_equal(e.by, 1001);
	assert_int_equal(e.report, 77);
	assert_int_equal(e.dropped, 5);

	length = row_totals_encode(&totals, value);
	assert_int_equal(row_totals_decode(&t, value, length), 0);
	assert_memory_equal(&t, &totals, sizeof(t));
}

/* Every decoder, for what must not be believed. */
static int
decode(unsigned int which, const uint8_t *value, size_t length)
{
	struct row_message m;
	struct row_recipient r;
	struct row_destination d;
	struct row_event e;
	struct row_totals t;

	switch (which) {
	case 0:
		return row_message_decode(&m, value, length);
	case 1:
		return row_recipient_decode(&r, value, length);
	case 2:
		return row_destination_decode(&d, value, length);
	case 3:
		return row_event_decode(&e, value, length);
	default:
		return row_totals_decode(&t, value, length);
	}
}

static size_t
encode(unsigned int which, uint8_t *value)
{
	switch (which) {
	case 0:
		return row_message_encode(&message, value);
	case 1:
		return row_recipient_encode(&recipient, value);
	case 2:
		return row_destination_encode(&destination, value);
	case 3:
		return row_event_encode(&event, value);
	default:
		return row_totals_encode(&totals, value);
	}
}

static void
test_damaged_rows_are_refused(void **state)
{
	uint8_t value[ROW_VALUE_SIZE + 1];

	(void)state;
	for (unsigned int which = 0; which < 5; which++) {
		size_t length = encode(which, value);

		assert_int_equal(decode(which, value, length), 0);
		for (size_t cut = 0; cut < length; cut++) {
			errno = 0;
			assert_int_equal(decode(which, value, cut), -1);
			assert_int_equal(errno, EBADMSG);
		}
		value[length] = 0;
		assert_int_equal(decode(which, value, length + 1), -1);
		value[0]++; /* a format of the future */
		assert_int_equal(decode(which, value, length), -1);
	}
}

/* No bit of a row changes unseen: not a letter of an address, not a count. Nor
 * does it become a row of the format that had no checksum. */
static void
test_a_changed_bit_is_seen(void **state)
{
	uint8_t value[ROW_VALUE_SIZE];

	(void)state;
	for (unsigned int which = 0; which < 5; which++) {
		size_t length = encode(which, value);

		for (size_t bit = 0; bit < length * 8; bit++) {
			value[bit / 8] ^= (uint8_t)(1U << bit % 8);
			assert_int_equal(decode(which, value, length), -1);
			value[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
		assert_int_equal(decode(which, value, length), 0);
		value[0] = 1;
		assert_int_equal(decode(which, value, length), -1);
	}
}

static void
test_fields_out_of_range_are_refused(void **state)
{
	uint8_t value[ROW_VALUE_SIZE];
	struct row_message m = message;
	struct row_recipient r = recipient;
	struct row_event e = event;
	char long_text[LIMIT_REPLY + 2];

	(void)state;
	m.protocol = SMTP_PROTOCOLS;
	assert_int_equal(decode(0, value, row_message_encode(&m, value)), -1);
	m = message;
	m.open = m.recipients + 1;
	assert_int_equal(decode(0, value, row_message_encode(&m, value)), -1);
	m = message;
	m.size = LIMIT_CONTENT_SIZE_MOST + 1;
	assert_int_equal(decode(0, value, row_message_encode(&m, value)), -1);
	m = message;
	m.ret = DSN_RETS;
	assert_int_equal(decode(0, value, row_message_encode(&m, value)), -1);
	r.notify = DSN_NOTIFY_NEVER | DSN_NOTIFY_DELAY;
	assert_int_equal(decode(1, value, row_recipient_encode(&r, value)), -1);
	r = recipient;
	r.state = RECIPIENT_STATES;
	assert_int_equal(decode(1, value, row_recipient_encode(&r, value)), -1);
	r = recipient;
	r.kind = ROUTE_KINDS;
	assert_int_equal(decode(1, value, row_recipient_encode(&r, value)), -1);
	r = recipient;
	r.destination = "";
	assert_int_equal(decode(1, value, row_recipient_encode(&r, value)), -1);
	e.what = EVENT_KINDS;
	assert_int_equal(decode(3, value, row_event_encode(&e, value)), -1);
	e = event;
	e.route = ROUTE_KINDS + 1;
	assert_int_equal(decode(3, value, row_event_encode(&e, value)), -1);
	e = event;
	e.protocol = SMTP_PROTOCOLS + 1;
	assert_int_equal(decode(3, value, row_event_encode(&e, value)), -1);
	e = event;
	e.via = "alias";
	assert_int_equal(decode(3, value, row_event_encode(&e, value)), -1);
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	r = recipient;
	r.reply = long_text;
	assert_int_equal(row_recipient_encode(&r, value), 0);
	long_text[LIMIT_REPLY] = '\0';
	assert_true(row_recipient_encode(&r, value) > LIMIT_REPLY);
}

/* What schema 1 wrote: the fields up to those that came later. */
static size_t
as_format_1(unsigned int which, uint8_t *value)
{
	size_t length = encode(which, value) - 4; /* the checksum */

	value[0] = 1;
	if (which == 0)
		return length - (8 + 1 + 3 + strlen(message.envid));
	if (which == 1)
		return length - (1 + 3 + strlen(recipient.orcpt) + 1);
	return length;
}

static void
test_rows_of_schema_1(void **state)
{
	uint8_t value[ROW_VALUE_SIZE], again[ROW_VALUE_SIZE];
	struct row_message m;
	struct row_recipient r;
	size_t length;

	(void)state;
	for (unsigned int which = 0; which < 5; which++) {
		if (which == 3) /* had another layout: see below */
			continue;
		length = as_format_1(which, value);
		for (size_t cut = 0; cut < length; cut++)
			assert_int_equal(decode(which, value, cut), -1);
		assert_int_equal(decode(which, value, length), 0);
		value[length] = 0;
		assert_int_equal(decode(which, value, length + 1), -1);
	}
	length = as_format_1(0, value);
	assert_int_equal(row_message_decode(&m, value, length), 0);
	assert_string_equal(m.sender, message.sender);
	assert_int_equal(m.open, message.open);
	assert_true(m.digest == 0);
	assert_int_equal(m.ret, DSN_RET_NONE);
	assert_string_equal(m.envid, "");
	length = row_message_encode(&m, again);
	assert_int_equal(again[0], 2);
	assert_int_equal(row_message_decode(&m, again, length), 0);
	length = as_format_1(1, value);
	assert_int_equal(row_recipient_decode(&r, value, length), 0);
	assert_string_equal(r.reply, recipient.reply);
	assert_int_equal(r.notify, 0);
	assert_string_equal(r.orcpt, "");
	assert_int_equal(r.told, 0);
}

/* What is not known of an event costs nothing, and has one form only. */
static void
test_events_are_sparse(void **state)
{
	const struct row_event small = { .time = 1, .what = EVENT_TRIED };
	uint8_t value[ROW_VALUE_SIZE];
	struct row_event e;
	struct wire_writer w;
	size_t length = row_event_encode(&small, value);

	(void)state;
	assert_int_equal(length, 1 + 8 + 1 + 4 + 4);
	assert_int_equal(row_event_decode(&e, value, length), 0);
	assert_string_equal(e.tls_cipher, "");
	assert_int_equal(e.by, 0);
	/* An empty text that is said to be there; a field of the future. */
	for (unsigned int i = 0; i < 2; i++) {
		w = row_begin(value);
		wire_put_u64(&w, 1);
		wire_put_u8(&w, EVENT_TRIED);
		wire_put_u32(&w, i == 0 ? 1 << 1 : 1 << 30);
		if (i == 0)
			wire_put_text(&w, "", 1);
		length = row_end(&w);
		assert_int_equal(decode(3, value, length), -1);
	}
}

/* Octet by octet as schema 1 wrote them. */
static void
test_events_of_schema_1(void **state)
{
	static const uint8_t accepted[] = "\1\x40\1\0\0\0\0\0\0\0"
					  "\4\0a@b.c\0"
					  "\1\0s\0\1\0o\0\1\0d\0"
					  "\11\000192.0.2.1\0\2\0hi";
	uint8_t value[sizeof(accepted)], again[ROW_VALUE_SIZE];
	struct row_event e;
	size_t length;

	(void)state;
	memcpy(value, accepted, sizeof(value));
	value[10] = 5; /* the length of a@b.c */
	assert_int_equal(row_event_decode(&e, value, sizeof(value)), 0);
	assert_int_equal(e.time, 0x140);
	assert_int_equal(e.what, EVENT_ACCEPTED);
	assert_string_equal(e.address, "a@b.c");
	assert_string_equal(e.sender, "s");
	assert_string_equal(e.original, "o");
	assert_string_equal(e.destination, "d");
	assert_string_equal(e.detail, "hi");
	/* What was only an address has a name of its own now. */
	assert_string_equal(e.peer, "192.0.2.1");
	assert_string_equal(e.host, "");
	assert_int_equal(e.protocol, 0);
	assert_string_equal(e.via, "");
	for (size_t cut = 0; cut < sizeof(value); cut++)
		assert_int_equal(decode(3, value, cut), -1);
	length = row_event_encode(&e, again);
	assert_int_equal(again[0], 2);
	assert_int_equal(row_event_decode(&e, again, length), 0);
	assert_string_equal(e.peer, "192.0.2.1");
	/* An attempt's host stays as it was. */
	value[9] = EVENT_DEFERRED;
	assert_int_equal(row_event_decode(&e, value, sizeof(value)), 0);
	assert_string_equal(e.host, "192.0.2.1");
	assert_string_equal(e.peer, "");
}

static int
compare(const struct row_key *a, const struct row_key *b)
{
	size_t shorter = a->length < b->length ? a->length : b->length;
	int order = memcmp(a->octets, b->octets, shorter);

	if (order == 0 && a->length != b->length)
		order = a->length < b->length ? -1 : 1;
	return order;
}

static void
test_keys_sort_by_meaning(void **state)
{
	static const struct row_place places[] = {
		{ 1, 9, 9 },
		{ 255, 1, 1 },
		{ 256, 0, 0 },
		{ 256, 1, 0 },
		{ 256, 1, 255 },
		{ 256, 1, 256 },
		{ 256, 256, 0 },
		{ UINT64_MAX, 0, 0 },
	};
	static const char *const names[] = { "local:a", "local:aa", "local:b",
		"mx:a", "mx:a.b", "mx:ab" };
	struct row_key a, b;

	(void)state;
	for (size_t n = 0; n < COUNT(names); n++)
		for (size_t i = 0; i < COUNT(places); i++) {
			a = row_key_due(names[n], &places[i]);
			if (i + 1 < COUNT(places)) {
				b = row_key_due(names[n], &places[i + 1]);
				assert_true(compare(&a, &b) < 0);
				assert_true(row_place_compare(&places[i],
						&places[i + 1]) < 0);
			}
			/* A destination's rows are together. */
			if (n + 1 < COUNT(names)) {
				b = row_key_due(names[n + 1], &places[0]);
				assert_true(compare(&a, &b) < 0);
			}
		}
	a = row_key_wake(255, "z");
	b = row_key_wake(256, "a");
	assert_true(compare(&a, &b) < 0);
	a = row_key_number(1, UINT32_MAX);
	b = row_key_number(2, 0);
	assert_true(compare(&a, &b) < 0);
	a = row_key_id(UINT32_MAX);
	b = row_key_id(UINT64_C(1) << 32);
	assert_true(compare(&a, &b) < 0);
}

static void
test_keys_come_back(void **state)
{
	static const struct row_place wanted = { 1800000000, 77, 5 };
	struct row_key key = row_key_due("mx:example.com", &wanted);
	char name[LIMIT_DESTINATION + 1];
	const char *lent;
	struct row_place place;
	uint64_t id;
	uint32_t number;

	(void)state;
	assert_int_equal(
	    row_key_due_read(key.octets, key.length, &lent, &place), 0);
	assert_string_equal(lent, "mx:example.com");
	assert_int_equal(row_place_compare(&wanted, &place), 0);
	for (size_t cut = 0; cut < key.length; cut++)
		assert_int_equal(
		    row_key_due_read(key.octets, cut, &lent, &place), -1);
	key = row_key_wake(99, "local:b");
	assert_int_equal(
	    row_key_wake_read(key.octets, key.length, &id, name), 0);
	assert_int_equal(id, 99);
	assert_string_equal(name, "local:b");
	assert_int_equal(row_key_wake_read(key.octets, 8, &id, name), -1);
	key = row_key_number(7, 8);
	assert_int_equal(
	    row_key_number_read(key.octets, key.length, &id, &number), 0);
	assert_int_equal(id, 7);
	assert_int_equal(number, 8);
	assert_int_equal(row_key_number_read(key.octets, 11, &id, &number), -1);
	key = row_key_id(7);
	assert_int_equal(row_key_id_read(key.octets, key.length, &id), 0);
	assert_int_equal(row_key_id_read(key.octets, 7, &id), -1);
}

static void
test_addresses_are_found_in_any_case(void **state)
{
	struct row_key key = row_key_address("Some.One@example.org", 42);
	char longest[LIMIT_PATH + 1];
	uint64_t id = 0;

	(void)state;
	assert_true(row_key_address_matches(
	    key.octets, key.length, "sOME.oNE@EXAMPLE.org", &id));
	assert_int_equal(id, 42);
	assert_false(row_key_address_matches(
	    key.octets, key.length, "some.one@example.or", &id));
	assert_false(row_key_address_matches(
	    key.octets, key.length, "some.one@example.orgx", &id));
	memset(longest, 'x', LIMIT_PATH);
	longest[LIMIT_PATH] = '\0';
	key = row_key_address(longest, 43);
	assert_true(key.length <= ROW_KEY_SIZE);
	assert_true(
	    row_key_address_matches(key.octets, key.length, longest, &id));
	assert_int_equal(id, 43);
}

static void
test_the_longest_destination_fits_its_keys(void **state)
{
	char name[LIMIT_DESTINATION + 1], read[LIMIT_DESTINATION + 1];
	static const struct row_place wanted = { 1, 2, 3 };
	struct row_place place;
	struct row_key key;
	const char *lent;
	uint64_t time;

	(void)state;
	memset(name, 'd', LIMIT_DESTINATION);
	name[LIMIT_DESTINATION] = '\0';
	key = row_key_due(name, &wanted);
	assert_int_equal(
	    row_key_due_read(key.octets, key.length, &lent, &place), 0);
	assert_string_equal(lent, name);
	key = row_key_wake(5, name);
	assert_int_equal(
	    row_key_wake_read(key.octets, key.length, &time, read), 0);
	assert_string_equal(read, name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_come_back),
		cmocka_unit_test(test_dsn_that_no_client_gave),
		cmocka_unit_test(test_damaged_rows_are_refused),
		cmocka_unit_test(test_a_changed_bit_is_seen),
		cmocka_unit_test(test_fields_out_of_range_are_refused),
		cmocka_unit_test(test_rows_of_schema_1),
		cmocka_unit_test(test_events_are_sparse),
		cmocka_unit_test(test_events_of_schema_1),
		cmocka_unit_test(test_keys_sort_by_meaning),
		cmocka_unit_test(test_keys_come_back),
		cmocka_unit_test(test_addresses_are_found_in_any_case),
		cmocka_unit_test(test_the_longest_destination_fits_its_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
