#include <fcntl.h>
#include <ftw.h>

#include <bsd/sys/queue.h>

#include "common/content.h"
#include "common/message.h"
#include "queue/clock.h"
#include "tests/unit/queue/test.h"

uint64_t house_now = UINT64_C(1800000000000);

uint64_t
clock_milliseconds(void)
{
	return house_now;
}

uint64_t
clock_seconds(void)
{
	return house_now / 1000;
}

static void
open_store(struct house *h, uint64_t map_size)
{
	h->store = store_open(h->directory, map_size);
	assert_non_null(h->store);
	destinations_begin(&h->destinations);
	h->lifecycle = (struct lifecycle){
		.store = h->store,
		.destinations = &h->destinations,
		.retry = { .from = 300, .to = 14400, .for_ = 432000 },
	};
	assert_int_equal(store_read_begin(h->store), 0);
	assert_int_equal(lifecycle_begin(&h->lifecycle), 0);
	store_read_end(h->store);
}

void
house_open(struct house *h, uint64_t map_size)
{
	memset(h, 0, sizeof(*h));
	/* In memory if there is such a place: thousands of commits. */
	strcpy(h->directory, "/dev/shm/postern-queue-test-XXXXXX");
	if (mkdtemp(h->directory) == NULL) {
		strcpy(h->directory, "/tmp/postern-queue-test-XXXXXX");
		assert_non_null(mkdtemp(h->directory));
	}
	open_store(h, map_size);
}

static int
remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
house_close(struct house *h)
{
	destinations_end(&h->destinations);
	store_close(&h->store);
	nftw(h->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void
house_crash(struct house *h)
{
	destinations_end(&h->destinations);
	store_close(&h->store);
	open_store(h, 64 * MIB);
}

uint64_t
house_id(void)
{
	static uint64_t counter;

	return (house_now << 20) + ++counter;
}

static int
content_of(size_t size)
{
	int fd = content_create();
	uint8_t *octets = malloc(size + 1);

	assert_int_not_equal(fd, -1);
	assert_non_null(octets);
	for (size_t at = 0; at < size; at++)
		octets[at] = (uint8_t)(at * 7 + at / 256);
	assert_int_equal(content_write(fd, octets, size), 0);
	assert_int_equal(content_seal(fd), 0);
	free(octets);
	return fd;
}

/* Of a large one the beginning and the length are enough. */
void
house_is_content(int fd, uint64_t size)
{
	static uint8_t octets[128 * 1024];
	ssize_t length = pread(fd, octets, sizeof(octets), 0);

	assert_int_equal(lseek(fd, 0, SEEK_END), size);
	assert_int_equal(length, size < sizeof(octets) ? size : sizeof(octets));
	for (size_t at = 0; at < (size_t)length; at++)
		assert_int_equal(octets[at], (uint8_t)(at * 7 + at / 256));
}

static void
add_recipient(struct submission *s, const char *address)
{
	const char *at = strrchr(address, '@');
	char user[LIMIT_USER + 1] = "";
	struct message_route m = {
		.number = s->count,
		.address = address,
		.original = address,
		.kind = ROUTE_MX,
		.name = "",
		.user = user,
		.notify = DSN_NOTIFY_FAILURE,
		.orcpt = "rfc822;a@b.c",
		.rule = 7,
		.via = "",
	};

	if (at != NULL && strcmp(at, "@local.test") == 0) {
		snprintf(
		    user, sizeof(user), "%.*s", (int)(at - address), address);
		m.kind = ROUTE_MAILBOX;
		m.name = "people";
	}
	assert_int_equal(submission_add(s, &m), 0);
}

struct submission *
house_mail(size_t size, const char *const *recipients)
{
	struct message_envelope m = {
		.id = house_id(),
		.sender = "sender@example.net",
		.client_address = "192.0.2.1",
		.helo = "client.example.net",
		.user = "",
		.protocol = SMTP_PROTOCOL_ESMTP,
		.size = size,
		.ret = DSN_RET_HDRS,
		.envid = "QQ314159",
		.client_name = "client.example.net",
		.tls_version = "TLSv1.3",
		.tls_cipher = "TLS_AES_256_GCM_SHA384",
		.config = "/etc/postern/postern.conf",
	};
	struct submission *s;

	while (recipients[m.recipients] != NULL)
		m.recipients++;
	s = submission_new(&m, content_of(size), house_now);
	assert_non_null(s);
	for (uint32_t i = 0; i < m.recipients; i++)
		add_recipient(s, recipients[i]);
	return s;
}

static void
begin(struct house *h, struct row_totals *before)
{
	*before = h->lifecycle.totals;
	assert_int_equal(store_write_begin(h->store), 0);
}

static void
unmark(struct house *h)
{
	struct destination *d;

	while ((d = TAILQ_FIRST(&h->destinations.changed)) != NULL) {
		TAILQ_REMOVE(&h->destinations.changed, d, in_changed);
		d->changed = false;
	}
}

static void
commit(struct house *h, const struct row_totals *before)
{
	assert_int_equal(
	    destinations_flush(&h->destinations, h->store, house_now / 1000),
	    0);
	assert_int_equal(lifecycle_write_totals(&h->lifecycle, before), 0);
	assert_int_equal(store_write_commit(h->store), 0);
	unmark(h);
}

uint64_t
house_accept(struct house *h, size_t size, const char *const *recipients)
{
	struct submission *s = house_mail(size, recipients);
	struct row_totals before;
	uint64_t id = s->id;

	begin(h, &before);
	assert_int_equal(lifecycle_accept(&h->lifecycle, s), 0);
	commit(h, &before);
	submission_free(&s);
	return id;
}

void
house_report(struct house *h, uint64_t id, uint32_t number,
    enum report_outcome outcome, enum report_scope scope,
    struct lifecycle_result *result)
{
	struct lifecycle_report report = {
		.id = id,
		.number = number,
		.outcome = outcome,
		.scope = scope,
		.host = "mx.example.com [192.0.2.25]",
		.reply = "450 4.2.1 not now",
	};
	struct row_totals before;

	begin(h, &before);
	assert_int_equal(
	    lifecycle_apply_report(&h->lifecycle, &report, house_now, result),
	    0);
	commit(h, &before);
	free(result->line);
	result->line = NULL;
}

bool
house_act(struct house *h, enum ctl_verb verb, uint64_t id, uint32_t number)
{
	struct lifecycle_result result;
	struct row_totals before;

	begin(h, &before);
	assert_int_equal(lifecycle_apply_verb(&h->lifecycle, verb, id, number,
			     1000, house_now, &result),
	    0);
	commit(h, &before);
	free(result.line);
	return result.applied;
}

unsigned int
house_count(struct house *h, enum store_table table)
{
	struct row_key start = { .length = 1 };
	struct bytes key, value;
	unsigned int count = 0;

	assert_int_equal(store_read_begin(h->store), 0);
	for (int found = store_seek(h->store, table, &start, &key, &value);
	     found == 0; found = store_next(h->store, table, &key, &value))
		count++;
	store_read_end(h->store);
	return count;
}

static uint8_t kept[2][ROW_VALUE_SIZE];

static bool
get(struct house *h, enum store_table table, const struct row_key *key,
    uint8_t *to, size_t *length)
{
	struct bytes value;
	bool found;

	assert_int_equal(store_read_begin(h->store), 0);
	found = store_get(h->store, table, key, &value) == 0;
	if (found) {
		memcpy(to, value.data, value.length);
		*length = value.length;
	}
	store_read_end(h->store);
	return found;
}

bool
house_recipient(
    struct house *h, uint64_t id, uint32_t number, struct row_recipient *row)
{
	struct row_key key = row_key_number(id, number);
	size_t length;

	if (!get(h, STORE_RECIPIENT, &key, kept[0], &length))
		return false;
	assert_int_equal(row_recipient_decode(row, kept[0], length), 0);
	return true;
}

bool
house_destination(
    struct house *h, const char *name, struct row_destination *row)
{
	struct row_key key = row_key_text(name);
	size_t length;

	if (!get(h, STORE_DESTINATION, &key, kept[1], &length))
		return false;
	assert_int_equal(row_destination_decode(row, kept[1], length), 0);
	return true;
}
