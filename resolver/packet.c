#include "resolver/packet.h"

#include <ctype.h>
#include <string.h>

#include "common/address.h"

#define HEADER_SIZE 12
#define CLASS_IN 1
#define TYPE_OPT 41
/* A name has at most 127 labels, so no honest name has more pointers. */
#define POINTERS_MOST 127

/* A cursor over the whole message: names point back into it. */
struct packet {
	const uint8_t *data;
	size_t length;
	size_t at;
};

struct record {
	unsigned int type, class;
	uint32_t ttl;
	size_t data; /* where RDATA starts */
	size_t length;
};

static const unsigned int types[DNS_KINDS] = {
	[DNS_A] = 1,
	[DNS_PTR] = 12,
	[DNS_MX] = 15,
	[DNS_AAAA] = 28,
};

unsigned int
packet_type(enum dns_kind kind)
{
	return types[kind];
}

static int
get_u16(struct packet *p, unsigned int *value)
{
	if (p->length - p->at < 2)
		return -1;
	*value = (unsigned int)p->data[p->at] << 8 | p->data[p->at + 1];
	p->at += 2;
	return 0;
}

static int
get_u32(struct packet *p, uint32_t *value)
{
	unsigned int high, low;

	if (get_u16(p, &high) == -1 || get_u16(p, &low) == -1)
		return -1;
	*value = (uint32_t)high << 16 | low;
	return 0;
}

/* Moves past a name without following it. */
static int
skip_name(struct packet *p)
{
	while (p->at < p->length) {
		unsigned int head = p->data[p->at];

		if (head == 0) {
			p->at++;
			return 0;
		}
		if ((head & 0xc0) == 0xc0) {
			if (p->length - p->at < 2)
				return -1;
			p->at += 2;
			return 0;
		}
		if ((head & 0xc0) != 0 || p->length - p->at <= head)
			return -1;
		p->at += head + 1;
	}
	return -1;
}

/* Adds one label, in lower case. False if the name could not be a host's: a
 * dot, a control or an 8-bit octet in a label would have to be escaped. */
static bool
add_label(char *text, size_t *length, const uint8_t *label, size_t n)
{
	size_t at = *length;

	if (at + (at > 0) + n > LIMIT_DOMAIN)
		return false;
	if (at > 0)
		text[at++] = '.';
	for (size_t i = 0; i < n; i++) {
		if (label[i] == '.' || !isgraph(label[i]) || label[i] > 0x7e)
			return false;
		text[at++] = (char)tolower(label[i]);
	}
	*length = at;
	return true;
}

/* Reads the name at `at` into `text`, "" for the root. Returns 1; 0 if it is
 * well formed so far but cannot be the name of a host; -1 if it is broken. */
static int
read_name(const struct packet *p, size_t at, char text[LIMIT_DOMAIN + 1])
{
	size_t length = 0;

	for (unsigned int pointers = 0; at < p->length;) {
		unsigned int head = p->data[at];

		if (head == 0) {
			text[length] = '\0';
			return length == 0 || domain_is_valid(text);
		}
		if ((head & 0xc0) == 0xc0) {
			if (p->length - at < 2 || ++pointers > POINTERS_MOST)
				return -1;
			at = (size_t)(head & 0x3f) << 8 | p->data[at + 1];
			continue;
		}
		if ((head & 0xc0) != 0 || p->length - at <= head)
			return -1;
		if (!add_label(text, &length, p->data + at + 1, head))
			return 0;
		at += head + 1;
	}
	return -1;
}

static int
read_record(struct packet *p, struct record *r)
{
	unsigned int length;

	if (skip_name(p) == -1 || get_u16(p, &r->type) == -1 ||
	    get_u16(p, &r->class) == -1 || get_u32(p, &r->ttl) == -1 ||
	    get_u16(p, &length) == -1 || p->length - p->at < length)
		return -1;
	r->data = p->at;
	r->length = length;
	p->at += length;
	return 0;
}

/* An RDATA that is a name must end exactly where the record ends. */
static int
read_name_data(
    const struct packet *p, size_t at, size_t length, struct dns_record *out)
{
	struct packet inside = { p->data, at + length, at };

	if (skip_name(&inside) == -1 || inside.at != inside.length)
		return -1;
	return read_name(p, at, out->name);
}

/* 1, 0 if the record is to be left out, -1 if it is broken. */
static int
read_data(const struct packet *p, const struct record *r, enum dns_kind kind,
    struct dns_record *out)
{
	struct packet inside = { p->data, r->data + r->length, r->data };
	size_t size = kind == DNS_A ? 4 : 16;
	unsigned int preference;

	switch (kind) {
	case DNS_A:
	case DNS_AAAA:
		if (r->length != size)
			return -1;
		memcpy(out->address, p->data + r->data, size);
		return 1;
	case DNS_MX:
		if (get_u16(&inside, &preference) == -1)
			return -1;
		out->preference = (uint16_t)preference;
		return read_name_data(p, inside.at, r->length - 2, out);
	case DNS_PTR:
		return read_name_data(p, r->data, r->length, out);
	case DNS_KINDS:
		break;
	}
	return -1;
}

static int
take_record(const struct packet *p, const struct record *r, enum dns_kind kind,
    struct wire_writer *records, struct packet_answer *answer)
{
	struct dns_record out = { .preference = 0 };
	int good;

	if (r->class != CLASS_IN || r->type == TYPE_OPT)
		return 0;
	/* Also the TTLs of the CNAMEs that led here. RFC 2181 8: a TTL with
	 * the top bit set is zero. */
	if (r->ttl > INT32_MAX)
		answer->ttl = 0;
	else if (r->ttl < answer->ttl)
		answer->ttl = r->ttl;
	if (r->type != types[kind])
		return 0;
	good = read_data(p, r, kind, &out);
	if (good == -1)
		return -1;
	answer->records++;
	/* An empty name says something in an MX (RFC 7505), but not in a
	 * PTR. */
	if (good == 0 || (kind == DNS_PTR && out.name[0] == '\0') ||
	    !dns_record_put(records, kind, &out))
		answer->left_out++;
	return 0;
}

static int
skip_questions(struct packet *p, unsigned int count)
{
	unsigned int ignored;

	for (unsigned int i = 0; i < count; i++)
		if (skip_name(p) == -1 || get_u16(p, &ignored) == -1 ||
		    get_u16(p, &ignored) == -1)
			return -1;
	return 0;
}

int
packet_read(const uint8_t *data, size_t length, enum dns_kind kind,
    struct wire_writer *records, struct packet_answer *answer)
{
	struct packet p = { data, length, 4 };
	unsigned int questions, answers;
	struct record r;

	memset(answer, 0, sizeof(*answer));
	if (length < HEADER_SIZE || get_u16(&p, &questions) == -1 ||
	    get_u16(&p, &answers) == -1)
		return -1;
	answer->rcode = data[3] & 0x0f;
	answer->ttl = answers > 0 ? INT32_MAX : 0;
	p.at = HEADER_SIZE;
	if (skip_questions(&p, questions) == -1)
		return -1;
	for (unsigned int i = 0; i < answers; i++)
		if (read_record(&p, &r) == -1 ||
		    take_record(&p, &r, kind, records, answer) == -1)
			return -1;
	return 0;
}
