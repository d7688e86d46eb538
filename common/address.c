#include "common/address.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* RFC 1035 2.3.4, as text. */
#define LABEL_MOST 63
#define NAME_MOST 253

#define POSTMASTER "postmaster"

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* RFC 5322 3.2.3. */
static bool
is_atext(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool
is_domain_octet(char c)
{
	return is_alnum(c) || c == '-' || c == '_';
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool
label_is_valid(const char *label, size_t length)
{
	if (length < 1 || length > LABEL_MOST || label[0] == '-' ||
	    label[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_domain_octet(label[i]))
			return false;
	return true;
}

bool
domain_is_valid(const char *domain)
{
	const char *label = domain;

	if (strlen(domain) > NAME_MOST)
		return false;
	for (;;) {
		size_t length = strcspn(label, ".");

		if (!label_is_valid(label, length))
			return false;
		if (label[length] == '\0')
			return true;
		label += length + 1;
	}
}

/* The address of a literal in its shortest form, with the brackets. */
static int
literal_canonical(const char *text, char *to, size_t size)
{
	static const char tag[] = "[IPv6:";
	const bool six = strncasecmp(text, tag, sizeof(tag) - 1) == 0;
	char address[LIMIT_ADDRESS_TEXT + 1] = "";
	char shortest[INET6_ADDRSTRLEN];
	uint8_t octets[16];
	int family = six ? AF_INET6 : AF_INET;
	const char *start;
	size_t length;

	if (text[0] != '[')
		return -1;
	start = six ? text + sizeof(tag) - 1 : text + 1;
	length = strcspn(start, "]");
	if (length >= sizeof(address) || strcmp(start + length, "]") != 0)
		return -1;
	memcpy(address, start, length);
	if (inet_pton(family, address, octets) != 1 ||
	    inet_ntop(family, octets, shortest, sizeof(shortest)) == NULL)
		return -1;
	length =
	    (size_t)snprintf(to, size, "[%s%s]", six ? "ipv6:" : "", shortest);
	return length < size ? 0 : -1;
}

bool
address_literal_is_valid(const char *text)
{
	char canonical[LIMIT_DOMAIN + 1];

	return literal_canonical(text, canonical, sizeof(canonical)) == 0;
}

static int
domain_canonical(const char *domain, char *to, size_t size)
{
	size_t length = strlen(domain);

	if (domain[0] == '[')
		return literal_canonical(domain, to, size);
	if (!domain_is_valid(domain) || length >= size)
		return -1;
	for (size_t i = 0; i <= length; i++)
		to[i] = lower(domain[i]);
	return 0;
}

static bool
is_dot_string(const char *local)
{
	bool atom = false;

	for (; *local != '\0'; local++) {
		if (*local == '.' ? !atom : !is_atext(*local))
			return false;
		atom = *local != '.';
	}
	return atom;
}

/* What a quoted string can hold, plainly or behind a backslash. */
static bool
is_quotable(char c)
{
	return c >= ' ' && c <= '~';
}

struct output {
	char *text;
	size_t size, length;
};

static void
add(struct output *o, char c)
{
	if (o->length < o->size)
		o->text[o->length] = c;
	o->length++;
}

static void
add_text(struct output *o, const char *text)
{
	for (; *text != '\0'; text++)
		add(o, *text);
}

static void
add_local_part(struct output *o, const char *local)
{
	if (is_dot_string(local)) {
		add_text(o, local);
		return;
	}
	add(o, '"');
	for (; *local != '\0'; local++) {
		if (*local == '"' || *local == '\\')
			add(o, '\\');
		add(o, *local);
	}
	add(o, '"');
}

static void
set_alone(struct address *a, const char *local)
{
	memset(a, 0, sizeof(*a));
	memcpy(a->local, local, strlen(local));
	memcpy(a->text, local, strlen(local));
}

int
address_make(const char *local, const char *domain, struct address *a)
{
	struct output text = { a->text, sizeof(a->text), 0 };
	size_t length = strlen(local);

	if (domain[0] == '\0' && strcasecmp(local, POSTMASTER) == 0) {
		set_alone(a, POSTMASTER);
		return 0;
	}
	if (length < 1 || length > LIMIT_LOCAL_PART)
		return -1;
	for (size_t i = 0; i < length; i++)
		if (!is_quotable(local[i]))
			return -1;
	memmove(a->local, local, length + 1);
	if (domain_canonical(domain, a->domain, sizeof(a->domain)) == -1)
		return -1;
	add_local_part(&text, a->local);
	add(&text, '@');
	add_text(&text, a->domain);
	add(&text, '\0');
	return text.length <= text.size ? 0 : -1;
}

/* The parsers below move `at` behind what they took, and return -1 if it is
 * not there. */

static int
take_quoted(const char **at, struct output *local)
{
	const char *c = *at + 1;

	for (; *c != '"'; c++) {
		if (*c == '\\')
			c++;
		if (!is_quotable(*c))
			return -1;
		add(local, *c);
	}
	*at = c + 1;
	return 0;
}

static int
take_dot_string(const char **at, struct output *local)
{
	const char *c = *at;

	while (is_atext(*c) || *c == '.')
		add(local, *c++);
	*at = c;
	return 0;
}

static int
take_local_part(const char **at, char *local, size_t size)
{
	struct output o = { local, size, 0 };
	bool quoted = **at == '"';

	if (quoted ? take_quoted(at, &o) == -1 : take_dot_string(at, &o) == -1)
		return -1;
	add(&o, '\0');
	if (o.length > o.size || (!quoted && !is_dot_string(local)))
		return -1;
	return 0;
}

/* A domain or an address literal, as far as its octets go. */
static int
take_domain(const char **at, char *domain, size_t size)
{
	const char *c = *at;
	size_t length;

	if (*c == '[') {
		length = strcspn(c, "]");
		if (c[length] == ']')
			length++;
	} else
		for (length = 0; is_domain_octet(c[length]) || c[length] == '.';
		     length++)
			continue;
	if (length >= size)
		return -1;
	memcpy(domain, c, length);
	domain[length] = '\0';
	*at = c + length;
	return 0;
}

static int
take_mailbox(const char **at, struct address *a)
{
	char local[LIMIT_LOCAL_PART + 1], domain[LIMIT_DOMAIN + 1];

	if (take_local_part(at, local, sizeof(local)) == -1 ||
	    *(*at)++ != '@' || take_domain(at, domain, sizeof(domain)) == -1 ||
	    domain[0] == '\0')
		return -1;
	return address_make(local, domain, a);
}

/* RFC 5321 4.1.2 A-d-l: at least checked, then ignored (appendix C). */
static int
take_source_route(const char **at)
{
	char domain[LIMIT_DOMAIN + 1];

	do {
		if (*(*at)++ != '@' ||
		    take_domain(at, domain, sizeof(domain)) == -1 ||
		    (!domain_is_valid(domain) &&
			!address_literal_is_valid(domain)))
			return -1;
	} while (*(*at)++ == ',');
	return (*at)[-1] == ':' ? 0 : -1;
}

static bool
is_postmaster(const char *text, size_t length)
{
	return length == sizeof(POSTMASTER) - 1 &&
	       strncasecmp(text, POSTMASTER, length) == 0;
}

int
address_parse_path(
    const char *text, unsigned int rules, struct address *a, const char **end)
{
	const char *at = text;

	if (*at++ != '<')
		return -1;
	if (*at == '>' && (rules & ADDRESS_REVERSE_PATH) != 0)
		set_alone(a, "");
	else if (is_postmaster(at, strcspn(at, ">")) &&
		 (rules & ADDRESS_FORWARD_PATH) != 0) {
		set_alone(a, POSTMASTER);
		at += sizeof(POSTMASTER) - 1;
	} else if ((*at == '@' && take_source_route(&at) == -1) ||
		   take_mailbox(&at, a) == -1)
		return -1;
	if (*at != '>')
		return -1;
	*end = at + 1;
	return 0;
}

int
address_parse(const char *text, unsigned int rules, struct address *a)
{
	if (*text == '\0' && (rules & ADDRESS_REVERSE_PATH) != 0) {
		set_alone(a, "");
		return 0;
	}
	if (is_postmaster(text, strlen(text)) &&
	    (rules & ADDRESS_FORWARD_PATH) != 0) {
		set_alone(a, POSTMASTER);
		return 0;
	}
	return take_mailbox(&text, a) == 0 && *text == '\0' ? 0 : -1;
}
