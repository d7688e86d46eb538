#include "common/config_value.h"

#include <netinet/in.h>
#include <arpa/inet.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"

typedef const struct config_token *token;

char *
build_domain(struct config_build *b, token domain)
{
	struct address address;

	/* Any local part will do to have the domain in canonical form. */
	if (address_make("x", domain->text, &address) == -1) {
		build_error(b, domain, "\"%s\" is not a domain name%s",
		    domain->text,
		    strchr(domain->text, '@') != NULL
			? "; for a whole address leave out `domain`"
			: "");
		return NULL;
	}
	return build_copy(b, address.domain);
}

char *
build_address(struct config_build *b, token text, unsigned int rules)
{
	struct address address;

	if (address_parse(text->text, rules, &address) == -1) {
		build_error(b, text, "\"%s\" is not a mail address%s",
		    text->text,
		    domain_is_valid(text->text)
			? "; for a domain write `domain` before it"
			: "");
		return NULL;
	}
	return build_copy(b, address.text);
}

bool
build_network(struct config_build *b, token text, struct network *network)
{
	uint8_t written[16] = { 0 };
	char address[LIMIT_ADDRESS_TEXT + 1] = "";
	size_t length = strcspn(text->text, "/");

	if (network_parse(text->text, network) == -1) {
		build_error(b, text,
		    "\"%s\" is not an address or a network, such as "
		    "192.0.2.1, 192.0.2.0/24 or 2001:db8::/32",
		    text->text);
		return false;
	}
	if (length < sizeof(address))
		memcpy(address, text->text, length);
	if (inet_pton(network->family, address, written) != 1 ||
	    memcmp(written, network->address, sizeof(written)) != 0) {
		char *right = network_format(network);

		build_error(b, text,
		    "the address has bits outside its /%u; did you mean %s?",
		    network->prefix, right != NULL ? right : "the network");
		free(right);
		return false;
	}
	return true;
}

static bool
is_single(const struct network *n)
{
	return n->prefix == (n->family == AF_INET ? 32 : 128);
}

char *
build_single_address(struct config_build *b, const char *text)
{
	struct network network;
	char *canonical;

	if (network_parse(text, &network) == -1 || !is_single(&network))
		return NULL;
	canonical = network_format(&network);
	if (canonical == NULL)
		b->no_memory = true;
	return canonical;
}

char *
build_path(struct config_build *b, token path, size_t most)
{
	if (path->text[0] != '/') {
		build_error(b, path, "a path must begin with /");
		return NULL;
	}
	if (strlen(path->text) > most) {
		build_error(
		    b, path, "a path here has at most %zu characters", most);
		return NULL;
	}
	return build_copy(b, path->text);
}

bool
build_number(struct config_build *b, token text, enum number_unit unit,
    uint64_t least, uint64_t most, uint64_t *value)
{
	static const char *const forms[] = {
		[NUMBER_PLAIN] = "a number without a unit",
		[NUMBER_SIZE] = "a size such as 512K, 50M or 64G",
		[NUMBER_DURATION] = "a time such as 30s, 5m, 4h, 14d or 2w",
	};
	uint64_t parsed;

	if (number_parse(text->text, unit, &parsed) == -1) {
		build_error(
		    b, text, "expected %s, not `%s`", forms[unit], text->text);
		return false;
	}
	if (parsed < least || parsed > most) {
		struct config_source *source = b->lexer.source;
		char *range = NULL;
		size_t length = 0;
		FILE *out = open_memstream(&range, &length);

		if (out != NULL) {
			number_print(out, least, unit);
			fputs(" to ", out);
			number_print(out, most, unit);
			fclose(out);
		}
		source_error(source, text->offset,
		    "`%s` is out of range: %s is allowed", text->text,
		    range != NULL ? range : "less");
		free(range);
		return false;
	}
	*value = parsed;
	return true;
}

bool
build_port(struct config_build *b, token text, uint16_t *port)
{
	uint64_t value;

	if (!build_number(b, text, NUMBER_PLAIN, 1, UINT16_MAX, &value))
		return false;
	*port = (uint16_t)value;
	return true;
}
