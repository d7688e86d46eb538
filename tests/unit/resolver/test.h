/* What each unit test of cmocka needs before <cmocka.h>. */
#ifndef TESTS_UNIT_RESOLVER_TEST_H
#define TESTS_UNIT_RESOLVER_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
