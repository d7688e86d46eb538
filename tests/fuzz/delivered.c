/*
 * Whether a message has been delivered here before is asked by the router and
 * seen by the worker: they must agree, as far as the router looks.
 */
#include "tests/fuzz/fuzz.h"

#include <unistd.h>

#include "common/content.h"
#include "common/mail.h"
#include "deliver/local/header.h"
#include "router/delivered.h"
#include "router/routes.h"

#define ADDRESS "a@b"

static int
worker_sees_loop(const uint8_t *data, size_t size)
{
	uint8_t *out = malloc(size + HEADER_SLACK);
	struct header header;

	CHECK(out != NULL);
	header_begin(&header, ADDRESS);
	(void)header_feed(&header, data, size, out);
	(void)header_finish(&header, out);
	free(out);
	return header_found_loop(&header);
}

static int
router_sees_loop(const uint8_t *data, size_t size)
{
	const struct route route = {
		.kind = ROUTE_MAILBOX,
		.name = "people",
		.user = "a",
		.address = ADDRESS,
		.original = ADDRESS,
		.via = "",
	};
	struct routes routes;
	int fd = content_create(), result;

	CHECK(fd != -1);
	CHECK(content_write(fd, data, size) == 0);
	CHECK(content_seal(fd) == 0);
	routes_init(&routes);
	CHECK(routes_add(&routes, &route) == 0);
	result = delivered_to_all(fd, size, &routes);
	routes_clear(&routes);
	close(fd);
	return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A field has more octets than this. */
	if (size / sizeof("Delivered-To:") < DELIVERED_FIELDS)
		CHECK(router_sees_loop(data, size) ==
		      worker_sees_loop(data, size));
	return 0;
}
