#include "common/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <ctype.h>
#include <string.h>

#include "common/address.h"
#include "common/limits.h"

bool
peer_address_is_valid(const char *text)
{
	struct in6_addr address; /* the larger of the two */

	return *text == '\0' || inet_pton(AF_INET, text, &address) == 1 ||
	       inet_pton(AF_INET6, text, &address) == 1;
}

bool
peer_name_is_valid(const char *name)
{
	return *name == '\0' || domain_is_valid(name);
}

/* "TLSv1.3", "TLS_AES_256_GCM_SHA384", "ECDHE-RSA-AES128-GCM-SHA256". */
static bool
is_tls_name(const char *name)
{
	if (*name == '\0' || strlen(name) > LIMIT_TLS_NAME)
		return false;
	for (; *name != '\0'; name++)
		if (!isalnum((unsigned char)*name) &&
		    strchr("._-+:", *name) == NULL)
			return false;
	return true;
}

bool
peer_tls_is_valid(const char *version, const char *cipher)
{
	if (*version == '\0' && *cipher == '\0')
		return true;
	return is_tls_name(version) && is_tls_name(cipher);
}

bool
peer_is_valid(const char *name, const char *address, uint16_t port,
    const char *version, const char *cipher)
{
	if (*address == '\0')
		return *name == '\0' && port == 0 && *version == '\0' &&
		       *cipher == '\0';
	return port != 0 && peer_address_is_valid(address) &&
	       peer_name_is_valid(name) && peer_tls_is_valid(version, cipher);
}
