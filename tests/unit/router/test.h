/* What the router's tests share: cmocka, configurations and files. */
#ifndef TESTS_UNIT_ROUTER_TEST_H
#define TESTS_UNIT_ROUTER_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config.h"
#include "common/config_load.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TEST_HEAD                         \
	"hostname \"mail.example.org\"\n" \
	"listen on 127.0.0.1 port 25\n"

/* A configuration of this text, after what all of them need. */
static inline struct config *
test_config(const char *text)
{
	struct config *config;
	char *whole = NULL;

	assert_int_not_equal(asprintf(&whole, TEST_HEAD "%s", text), -1);
	config = config_parse("test.conf", whole, strlen(whole), stderr);
	free(whole);
	assert_non_null(config);
	return config;
}

static inline void
test_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_not_equal(fputs(text, file), EOF);
	assert_int_equal(fclose(file), 0);
}

/* A new file with this text, in a static buffer. */
static inline const char *
test_file(const char *text)
{
	static char path[64];
	int fd;

	strcpy(path, "/tmp/postern-router-test.XXXXXX");
	fd = mkstemp(path);
	assert_int_not_equal(fd, -1);
	close(fd);
	test_write(path, text);
	return path;
}

#endif
