/* What every test here needs, in the order that cmocka wants it. */
#ifndef TESTS_UNIT_SUPERVISOR_TEST_H
#define TESTS_UNIT_SUPERVISOR_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif
